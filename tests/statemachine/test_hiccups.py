"""What a hiccup may do: nothing but cost time. A sample, on the real engine."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from fakes.ecs import Rollout
from local.runtime.invocation import Invocation, failed
from tests.statemachine import checks, hours
from tests.statemachine.hours import HoursDriver, play
from tests.statemachine.outages import BOXES, MINUTE, SERVICES, TARGETS, UNCHANGED, Outage, deploying

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

STUCK, WELL = Rollout(seconds=60, outcome="stuck"), Rollout(seconds=4 * MINUTE)


def after_all(it: HoursDriver) -> None:
    """Whatever was left is settled: no lock, nobody's message owed, each effect once, two more sweeps later too."""
    for _ in range(20):
        it.hours.sleep(5 * MINUTE)
        if not [row for row in checks.rows(it.session) if checks.key(row)[0] in ("OPEN", "OUTBOX")]:
            break
    it.hours.sleep(10 * MINUTE)
    checks.all_hold(it.session)
    sent = Counter((r.payload["deployment_id"], r.payload["stage"]) for r in it.session.github.runs)
    assert all(count == 1 for count in sent.values()), sent
    locks = [row for row in checks.rows(it.session) if checks.key(row)[1] == "LOCK"]
    assert not locks


LENGTHS = (5, 12, 40)


def outages() -> list[tuple[str, str, int]]:
    """Each service from one box on, each box once; all of them for every length where OUTAGES=all is set. The
    simulator has all of them in the gate (`tests/simulator/test_broken.py`)."""
    if os.environ.get("OUTAGES") == "all":
        return list(itertools.product(SERVICES, BOXES, LENGTHS))
    boxes = ("Rollback", "Approval", "Rollout", "Deploy", "Plan", "Build")
    return list(zip(SERVICES, boxes, LENGTHS * 2, strict=True))


@pytest.mark.parametrize(("service", "box", "minutes"), outages())
def test_a_service_that_is_away_ends_nothing_and_rolls_nothing_back(
    service: str, box: str, minutes: int, play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    it = play(TARGETS)
    outage = Outage(it, service, box, minutes * MINUTE)
    outage.prepare(monkeypatch)
    usual = "Rolled Back" if box == "Rollback" else "Deployed"
    ended = deploying(it, STUCK if box == "Rollback" else WELL)
    assert outage.began, "it went away"
    allowed = {usual}
    if box == "Plan" or minutes > 5:
        allowed |= UNCHANGED[box]
    assert ended in allowed
    before = it.session.ecs.running_image()
    assert before.endswith("v1.0.0") == (ended not in ("Deployed", "Rollback Failed"))
    after_all(it)
    it.hours.sleep(minutes * MINUTE)  # by now it is back: the search for leaked secrets asks for them, too


@pytest.mark.parametrize("box", ["Plan", "Build", "Deploy"])
def test_a_rate_limit_of_githubs_ends_nothing_and_a_command_is_answered(
    box: str, play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve minutes of it, longer than a run may take to appear. It says when to ask again, and is asked then."""
    it = play(TARGETS)
    limit = Outage(it, "limit", box, 12 * MINUTE)
    limit.prepare(monkeypatch)
    assert deploying(it, WELL) == ("Refused" if box == "Plan" else "Deployed")
    refused = [call for call in it.session.github.calls if call.status == 403]
    assert 1 <= len(refused) <= 12, "once a pause, whoever asks"
    after_all(it)


class Once(hours._InProcess):
    """Every call of the state machine's breaks the first time, in a way that nobody foresaw: before it has done
    anything, or after it has done all."""

    late = False
    seen: ClassVar[set[str]] = set()

    def _run(self, function: Any, request: dict[str, Any]) -> Invocation:
        key = f"{function.name} {request['event']}"
        if function.name in ("slack", "stage", "sweep") or key in self.seen:
            return super()._run(function, request)
        self.seen.add(key)
        if self.late:
            super()._run(function, request)
        body = failed("KeyError", "'surprise'", request["request_id"], stackTrace=[])
        return Invocation(body, "KeyError", "", False, request["request_id"])


@pytest.mark.parametrize(("rollout", "late"), [(WELL, False), (STUCK, True)], ids=["well, before", "stuck, after"])
def test_each_call_breaks_once_in_a_way_that_nobody_foresaw(
    rollout: Rollout, late: bool, play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Once, "late", late)
    monkeypatch.setattr(Once, "seen", set())
    monkeypatch.setattr("local.session.LambdaRuntime", Once)
    it = play(TARGETS)
    assert deploying(it, rollout) == ("Deployed" if rollout is WELL else "Rolled Back")
    assert len(Once.seen) > 15
    after_all(it)
