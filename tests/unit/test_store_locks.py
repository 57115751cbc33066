"""The lock's writes and checks, one by one: from whom each may take it, and when it stands in a transaction's way."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.store import locks
from chatops.store.locks import Holder
from chatops.store.table import Conflict, Table

TARGET, OTHER_TARGET = "prod", "dev"


def holder(name: str) -> Holder:
    return Holder(name, f"arn:{name}", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")


MINE, THEIRS, THIRD = holder("d-mine"), holder("d-theirs"), holder("d-third")


@pytest.fixture
def table(rows: Table) -> Table:
    """Another target is held by somebody, which must never matter."""
    rows.transact(locks.taking(OTHER_TARGET, THIRD))
    return rows


def holds(table: Table, who: Holder | None) -> bool:
    """Exactly this one holds the target, and the other target is as it was."""
    assert locks.holder(table, OTHER_TARGET) == THIRD
    return locks.holder(table, TARGET) == who


def goes_through(table: Table, member: Any) -> bool:
    """Whether a transaction with it alone is written."""
    try:
        table.transact(member)
    except Conflict:
        return False
    return True


def given(table: Table, who: Holder | None) -> None:
    if who:
        table.transact(locks.taking(TARGET, who))


@pytest.mark.parametrize(("by", "may"), [(None, True), (MINE, True), (THEIRS, False)])
def test_a_lock_is_taken_from_nobody_or_oneself(table: Table, by: Holder | None, may: bool) -> None:
    given(table, by)
    assert goes_through(table, locks.taking(TARGET, MINE)) is may
    assert holds(table, MINE if may else by)


@pytest.mark.parametrize(("by", "may"), [(None, False), (MINE, True), (THEIRS, True), (THIRD, False)])
def test_a_lock_is_taken_over_from_whom_one_looked_at_or_oneself(table: Table, by: Holder | None, may: bool) -> None:
    """Not from nobody: whoever freed it meanwhile has told of an end that was not looked at."""
    given(table, by)
    assert goes_through(table, locks.taking(TARGET, MINE, over=THEIRS)) is may
    assert holds(table, MINE if may else by)


@pytest.mark.parametrize(("by", "may"), [(None, False), (MINE, True), (THEIRS, False)])
def test_a_lock_is_freed_by_its_holder_alone(table: Table, by: Holder | None, may: bool) -> None:
    given(table, by)
    assert goes_through(table, locks.freeing(TARGET, MINE.deployment_id)) is may
    assert holds(table, None if may else by)
    given(table, by)
    assert locks.free(table, TARGET, MINE.deployment_id) is may
    assert holds(table, None if may else by)


@pytest.mark.parametrize(("by", "mine"), [(None, False), (MINE, True), (THEIRS, False)])
def test_checks_say_whose_lock_it_is_and_change_nothing(table: Table, by: Holder | None, mine: bool) -> None:
    given(table, by)
    assert locks.holds(table, TARGET, MINE.deployment_id) is mine
    assert goes_through(table, locks.held_check(TARGET, MINE.deployment_id)) is mine
    assert goes_through(table, locks.free_check(TARGET, MINE.deployment_id)) is not mine
    assert holds(table, by)


def test_a_lock_of_an_older_row_with_less_in_it_is_read(table: Table) -> None:
    table.put({"pk": f"TARGET#{TARGET}", "sk": "LOCK", "deployment_id": "d-old"})
    assert locks.holder(table, TARGET) == Holder("d-old", "", "", "", "", "")
