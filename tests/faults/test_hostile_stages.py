"""`claim` and `finish` against whoever has no right ticket: refused, nothing written or woken, never an exception."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops import http
from chatops.steps import stage
from chatops.store import wakeups
from chatops.store.table import Conflict, Item
from lambdas.stage import app
from tests.faults.hostile_stages import CLAIM, FAMILIES, FINISH, RIGHT, hostile
from tests.faults.spies import Spies

REFUSED = {400, 403}


class EmptyTable:
    """A table that knows no ticket. `reads`: the keys that were looked up. `writes`: what was changed; an update that
    needs a row which is not there is refused, as DynamoDB refuses it, and counts as a change where it names none."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, str]] = []
        self.writes: list[str] = []

    def get(self, pk: str, sk: str) -> Item | None:
        assert len(pk.encode()) < 2048, "DynamoDB's longest partition key"
        self.reads.append((pk, sk))
        return None

    def update(self, pk: str, sk: str, _change: str, condition: str, _facts: dict[str, Any]) -> Item:
        assert len(pk.encode()) < 2048
        if "#finish_token = :token" not in condition or "#run_id = :run" not in condition:
            self.writes.append(pk)
        raise Conflict

    def __getattr__(self, name: str) -> Any:
        def changed(*_arguments: Any, **_named: Any) -> None:
            self.writes.append(name)

        return changed


@pytest.fixture
def empty(environment: pytest.MonkeyPatch, spies: Spies) -> EmptyTable:
    """In the step's place of the table; who is woken is a write like another."""
    made = EmptyTable()
    environment.setattr(stage, "table", lambda: made)
    environment.setattr(wakeups, "wake", lambda *_a, **_n: made.writes.append("wake"))
    return made


def ask(event: Any) -> int:
    """The answer's status, once it is known to be one that a gateway can send and that gives nothing away."""
    answer = app.handler(event, None)
    assert set(answer) == {"statusCode", "headers", "body"}
    told = json.loads(answer["body"])
    assert list(told) == ["message"]
    assert len(answer["body"].encode()) < 300
    status = answer["statusCode"]
    assert isinstance(status, int)
    return status


def storm(count: int, seed: int) -> Counter[int]:
    """So many hostile requests; how often each status was answered."""
    pick, answers = Random(seed), Counter[int]()  # noqa: S311 - the same requests every time
    for n in range(count):
        made = hostile(pick)
        try:
            answers[ask(made)] += 1
        except BaseException as error:
            raise AssertionError(f"number {n} of seed {seed}: {str(made)[:2000]}") from error
    return answers


def test_three_thousand_hostile_requests_claim_and_finish_nothing(empty: EmptyTable, spies: Spies) -> None:
    answers = storm(3000, seed=3)
    assert (empty.writes, spies.calls, set(answers)) == ([], [], REFUSED)
    assert empty.reads, "some of them were in form, and looked up"


@pytest.mark.slow
def test_a_hundred_thousand_hostile_requests_claim_and_finish_nothing(
    empty: EmptyTable, spies: Spies, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = storm(100_000, seed=4)
    failed = sum(n for status, n in answers.items() if status >= 500)
    with capsys.disabled():
        print(  # noqa: T201 - the count that the gate shows
            f"\nclaim and finish: {answers.total():,} hostile requests: {answers[200]} accepted, {len(empty.writes)} "
            f"writes, {failed} answered 5xx, 0 exceptions ({dict(sorted(answers.items()))})"
        )
    assert (empty.writes, spies.calls, set(answers)) == ([], [], REFUSED)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(FAMILIES)), st.randoms())
def test_every_family_is_refused(empty: EmptyTable, spies: Spies, family: str, pick: Random) -> None:
    """The same generators under hypothesis, which makes what fails small."""
    assert ask(FAMILIES[family](pick)) in REFUSED
    assert (empty.writes, spies.calls) == ([], [])


@pytest.mark.parametrize("route", [CLAIM, FINISH])
@pytest.mark.parametrize(("size", "status"), [(-1, 403), (0, 403), (1, 400)])
def test_a_body_may_be_as_large_as_the_bound_and_no_larger(
    empty: EmptyTable, route: str, size: int, status: int
) -> None:
    body = json.dumps(RIGHT[route]).ljust(http.MAX_BODY + size)
    assert ask({"routeKey": route, "body": body}) == status
