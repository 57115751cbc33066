"""A cancel: recorded once, to the last attribute, and never after the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chatops.domain.record import Cancel, Outcome
from chatops.store import cancels, deployments, locks
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.stored import cancel_of

ID, TARGET = "d-abcdefghijkl", "prod"
LEE, DANA = "U0LEE0001", "U0DANA001"
PLAN: dict[str, Any] = {"target": TARGET, "command": "deploy", "version": "v1", "requester": {"id": DANA}}


def test_a_cancel_is_written_once_with_who_when_and_how(rows: Table, time: Time) -> None:
    stored.begin(rows, ID, "arn", PLAN)
    assert cancels.record(rows, ID, DANA) is None
    assert cancels.get(rows, ID) == Cancel(DANA, "cancelled", "", "slack", 1_760_000_000)
    assert cancels.record(rows, ID, LEE) == "already"
    assert cancel_of(rows, ID).by == DANA


def test_an_operators_cancel_says_so(rows: Table) -> None:
    stored.begin(rows, ID, "arn", PLAN)
    assert cancels.record(rows, ID, "Lee", "operator") is None
    assert cancel_of(rows, ID) == Cancel("Lee", via="operator", at=cancel_of(rows, ID).at)


def test_a_rollback_that_supersedes_is_named_in_the_cancel(rows: Table) -> None:
    rows.transact(cancels.recording(ID, LEE, "superseded", "d-back", "operator"))
    found = cancel_of(rows, ID)
    assert found == Cancel(LEE, "superseded", "d-back", "operator", found.at)


def test_a_cancel_comes_from_slack_unless_stated_otherwise(rows: Table) -> None:
    rows.transact(cancels.recording(ID, LEE))
    assert (cancel_of(rows, ID).kind, cancel_of(rows, ID).via) == ("cancelled", "slack")


def test_a_cancel_after_the_end_is_refused_whether_or_not_one_stands(rows: Table) -> None:
    stored.begin(rows, ID, "arn", PLAN)
    stored.settle(rows, ID, "Deployed")
    assert (cancels.record(rows, ID, DANA), cancels.get(rows, ID)) == ("settled", None)
    rows.transact(cancels.recording(ID, LEE))
    assert cancels.record(rows, ID, DANA) == "settled"


def test_a_cancel_of_an_unknown_deployment_leaves_no_row(rows: Table) -> None:
    assert (cancels.record(rows, "d-unknown", DANA), cancels.get(rows, "d-unknown")) == ("settled", None)


def test_a_cancel_at_the_moment_of_settling_is_either_in_time_or_told_that_it_was_not(rows: Table) -> None:
    for n in range(8):
        name = f"{ID}-{n}"
        stored.begin(rows, name, "arn", PLAN)
        record = stored.record_of(rows, name)
        with ThreadPoolExecutor(2) as two:
            settled = two.submit(deployments.settle, rows, record, Outcome("Deployed"), unless_cancelled=True)
            cancelled = two.submit(cancels.record, rows, name, DANA)
        assert (settled.result(), cancelled.result()) in (("", "settled"), ("cancelled", None))


def test_a_rollback_is_cancelled_until_it_has_taken_its_target(rows: Table) -> None:
    stored.begin(rows, ID, "arn", {**PLAN, "command": "rollback"})
    rows.transact(locks.taking(TARGET, Holder(ID, "arn", "rollback", "v1", DANA, "")))
    assert cancels.record(rows, ID, DANA, rollback_of=TARGET) == "rollback"
    assert cancels.get(rows, ID) is None
    locks.free(rows, TARGET, ID)
    rows.transact(locks.taking(TARGET, Holder("d-other", "arn", "deploy", "v1", DANA, "")))
    assert cancels.record(rows, ID, DANA, rollback_of=TARGET) is None, "another one's lock is not its own"
