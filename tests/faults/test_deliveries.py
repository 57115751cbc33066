"""Any of Slack's deliveries, sent one to four times, at once and in any order, has the effect of one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatops.edge import handler
from chatops.store.table import Table
from tests.faults.conftest import Edge
from tests.faults.deliveries import KINDS, TURNOVER, Deliveries
from tests.faults.memory import Memory
from tests.unit.conftest import Time

slow = pytest.mark.slow
sequences = st.lists(st.sampled_from([*KINDS, TURNOVER]), min_size=1, max_size=4, unique=True).flatmap(
    lambda kinds: st.permutations([kind for kind in kinds for _ in range(1 if kind == TURNOVER else 4)]).flatmap(
        lambda every: st.integers(len(kinds), len(every)).map(lambda count: every[:count])
    )
)
"""Up to four kinds, each up to four times, in any order."""
HEALTH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def slack(edge: Edge, rows: Table, memory: Memory, time: Time, environment: pytest.MonkeyPatch) -> Deliveries:
    return Deliveries(edge, rows, memory, environment)


@pytest.fixture
def inline(environment: pytest.MonkeyPatch) -> None:
    """Without a thread of its own for each delivery."""
    environment.setattr(handler, "within", lambda _seconds, found: handler.deliver(found))


def once(kinds: list[str]) -> list[str]:
    """The same without the copies."""
    return list(dict.fromkeys(kinds))


USUAL = {"deploy", "rollback", "approve by Lee", "reject", "cancel button", "roll back by Lee", "promote"}


@pytest.mark.parametrize("kind", [pytest.param(k, marks=() if k in USUAL else slow) for k in KINDS])
def test_four_times_has_the_effect_of_one(inline: None, slack: Deliveries, kind: str) -> None:
    assert slack.all_of([kind] * 4) == slack.all_of([kind])


@slow
def test_the_kinds_do_have_effects(inline: None, slack: Deliveries) -> None:
    """So that the tests here compare something."""
    nothing = slack.all_of([])
    idle = {kind for kind in KINDS if slack.all_of([kind]) == nothing}
    assert idle == {"help", "nonsense", "approve by nobody who may", "a link", "url verification"}
    two = slack.all_of(["approve by Lee", "approve by Kim"])
    assert '"decision": "approved"' in str(two)


@slow
@settings(max_examples=5, deadline=None, suppress_health_check=HEALTH)
@given(sequences)
@example(["cancel", TURNOVER, "cancel"])
@example([TURNOVER, "cancel", "cancel"])
@example(["roll back by a guest", "roll back by a guest", "roll back by Lee", "roll back by a guest"])
@example(["roll back by Lee", "roll back by Dana", "roll back by Lee"])
@example(["approve by Lee", "cancel button", "approve by Kim", "approve by Lee", "cancel button"])
@example(["approve by Lee", "reject", "approve by Kim", "reject", "approve by Lee"])
@example(["promote", "take it back", "promote", "take it back"])
def test_any_order_of_copies_has_the_effect_of_the_first_ones(
    inline: None, slack: Deliveries, kinds: list[str]
) -> None:
    assert slack.all_of(kinds) == slack.all_of(once(kinds))


@slow
@settings(max_examples=100, deadline=None, suppress_health_check=HEALTH)
@given(sequences)
def test_a_hundred_orders(inline: None, slack: Deliveries, kinds: list[str]) -> None:
    assert slack.all_of(kinds) == slack.all_of(once(kinds))


def at_once(slack: Deliveries, kinds: list[str], copies: int) -> Any:
    slack.begin()
    every = [(kind, n) for n in range(copies) for kind in kinds]
    with ThreadPoolExecutor(len(every)) as pool:
        for sent in [pool.submit(slack.send, kind, n) for kind, n in every]:
            sent.result(20)
    return slack.effects()


TOGETHER = [
    ["deploy", "status", "history", "dry run"],
    ["approve by Lee", "approve by Kim", "cancel button"],
    ["approve by Lee", "reject", "cancel this"],
    ["approve by Lee", "approve by Kim", "reject"],
    ["roll back by Lee", "roll back by Dana"],
    ["promote", "take it back"],
    ["cancel", "cancel button", "ask for a reason"],
]


@pytest.mark.parametrize(
    "kinds", [pytest.param(k, id="+".join(k), marks=[] if n in (0, 3) else [slow]) for n, k in enumerate(TOGETHER)]
)
def test_at_once_it_is_as_if_they_had_come_once_in_some_order(slack: Deliveries, kinds: list[str]) -> None:
    possible = [slack.all_of(order) for order in permutations(kinds)]
    for copies in (1, 4):
        assert at_once(slack, kinds, copies) in possible


@slow
def test_at_once_whatever_comes_together(slack: Deliveries) -> None:
    """Any three kinds, four times each, twenty times."""
    pick = Random(7)  # noqa: S311 - the same every time
    for _ in range(20):
        kinds = pick.sample(list(KINDS), 3)
        possible = [slack.all_of(order) for order in permutations(kinds)]
        assert at_once(slack, kinds, 4) in possible, kinds
