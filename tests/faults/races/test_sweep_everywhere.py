"""Sweep gets everywhere, whichever service hangs and however much is open. Time is simulated: each call costs some of
it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatops import clock
from chatops.github import runs
from chatops.steps import notify, sweep
from chatops.store import cursors, deployments, locks, outbox
from tests.faults.races.fakes import DANA, Fake, arn
from tests.unit.steps import call

LIMIT = 30.0
"""Seconds that the function has (template.yaml)."""


class Seconds:
    """The monotonic clock."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def cost(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """One thread carries everything out, so that the clock is exact."""
    made = Seconds()
    monkeypatch.setattr(sweep, "time", made)
    monkeypatch.setattr(sweep, "POOL", 1)
    return made


def costing(patch: pytest.MonkeyPatch, where: Any, name: str, cost: Callable[[], None]) -> None:
    real = getattr(where, name)

    def slow(*given: Any, **named: Any) -> Any:
        cost()
        return real(*given, **named)

    patch.setattr(where, name, slow)


def opened(fake: Fake, count: int) -> list[str]:
    """Deployments that wait, each in a target of its own."""
    names = [f"d-{n:04}" for n in range(count)]
    plan = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": DANA}, "started_at": 1.0}
    for name in names:
        about = {"target": "dev", "deployment_id": name, "execution_arn": arn(name), "started_at": clock.iso(1)}
        fake.rows.put({"pk": f"DEPLOYMENT#{name}", "sk": "RECORD", **about, "history": "x", "plan": json.dumps(plan)})
        fake.rows.put({"pk": "OPEN", "sk": name, **about})
    return names


def test_what_there_was_no_time_for_comes_first_next_time(
    fake: Fake, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = opened(fake, 10)
    looked: list[str] = []
    real = fake.states.describe_execution

    def describe(executionArn: str) -> Any:  # noqa: N803 - botocore's name
        looked.append(executionArn.rpartition(":")[2])
        seconds.cost(4)
        return real(executionArn)

    monkeypatch.setattr(fake.states, "describe_execution", describe)
    for _ in range(3):
        seconds.at = 0
        call(sweep.run, {})
        assert seconds.at < LIMIT
    assert looked == [*names, *names[:2]]


def test_messages_go_out_first_and_none_is_dropped_untried(
    fake: Fake, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long somebody else's hanging has kept sweep from it."""
    fake.deploy("d-one", "v1")
    monkeypatch.setattr(notify, "ended", lambda *_, **__: False)
    fake.time.pass_by(3 * 86_400)
    opened(fake, 8)
    order: list[str] = []
    costing(monkeypatch, fake.states, "describe_execution", lambda: (order.append("open"), seconds.cost(40))[0])
    told: list[str] = []

    def ended(of: Any, *_: Any, **__: Any) -> bool:
        order.append("message")
        told.append(of.id)
        return True

    monkeypatch.setattr(notify, "ended", ended)
    monkeypatch.setattr(sweep.target_lock, "execution", lambda *_: (order.append("asked"), ("SUCCEEDED", ""))[1])
    call(sweep.run, {})
    assert (told[0], order[:2]) == ("d-one", ["asked", "message"])
    assert outbox.waiting(fake.rows) != [], "notify itself takes it out"


def test_one_that_slack_refuses_for_a_day_is_dropped_after_another_try(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.deploy("d-one", "v1")
    tried: list[str] = []
    monkeypatch.setattr(notify, "ended", lambda of, *_, **__: bool(tried.append(of.id)))
    for days, left in ((0.5, 1), (0.6, 0)):
        fake.time.pass_by(days * 86_400)
        call(sweep.run, {})
        assert len(outbox.waiting(fake.rows)) == left
    assert tried == ["d-one"] * 2


def test_github_hanging_keeps_nothing_else(fake: Fake, seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten executions were stopped while their runs worked; each question to GitHub costs eleven seconds."""
    names = opened(fake, 10)
    for name in names:
        fake.stage(name, "deploy")
        fake.rows.update(
            f"DEPLOYMENT#{name}",
            "STAGE#deploy",
            "SET #state = :claimed, #run_id = :run",
            values={"claimed": "claimed", "run": 9},
        )
        fake.end(name)
    costing(monkeypatch, runs, "get", lambda: seconds.cost(11))
    swept = call(sweep.run, {})
    assert swept["settled"] == names, "at once, GitHub or not"
    assert seconds.at < LIMIT
    assert deployments.unsettled(fake.rows) == []
    assert locks.holder(fake.rows, "dev") is None


def test_the_order_begins_behind_where_it_stopped(fake: Fake) -> None:
    assert cursors.ordered(fake.rows, "open", ["a", "b", "c"]) == ["a", "b", "c"]
    for after, order in (("b", "cab"), ("c", "abc"), ("bb", "cab"), ("", "abc")):
        cursors.keep(fake.rows, "open", after)
        assert cursors.ordered(fake.rows, "open", ["a", "b", "c"]) == list(order)


def test_threads_have_ended_when_the_answer_is_given(fake: Fake) -> None:
    """Lambda would freeze what is left over, and let it go on at some other time."""
    import threading

    before = threading.active_count()
    opened(fake, 40)
    call(sweep.run, {})
    assert threading.active_count() == before
