"""However long a stage, however short the pauses that a target or GitHub asks for: its looks are few enough that Step
Functions' history holds them. What a look costs there, and the sum, see tests/statemachine/test_limits.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from chatops.domain.target import LOOKS, Timing
from chatops.steps import rollout
from chatops.store import cancels, stages
from chatops.store.table import Table
from fakes.github import Fault
from tests.unit.conftest import Time
from tests.unit.stage_session import EVENT, ID, RUNS, SEARCH, Stage, staged

slow = pytest.mark.slow
HOUR = 3600
DAY = 24 * HOUR
RAMP = 80
"""Looks until the pause, a tenth longer each time, has grown from a second to its widest."""
ROLLOUT_RAMP = 20
"""The same of a rollout, whose pause grows by half."""
SHORT = Timing(poll_min=1, poll_max=1, progress=1)


@contextmanager
def _build(rows: Table, time: Time, patch: pytest.MonkeyPatch, timing: Timing) -> Iterator[Stage]:
    with staged(rows, time, patch, "build", timing=timing) as made:
        yield made


def looks(stage: Stage) -> int:
    """How many until it is done; what is not sent is sent and looked at, which costs no more than showing progress."""
    for count in range(1, 2 * LOOKS):
        fact = stage.look(stage.fact.get("wait_seconds", 0))
        if fact["state"] == "undispatched":
            stage.dispatch()
            fact = stage.look()
        if fact["done"]:
            return count
    raise AssertionError(f"{2 * LOOKS} looks, and it has not ended")


@slow
@pytest.mark.parametrize("seconds", [HOUR, 6 * HOUR, DAY])
@pytest.mark.parametrize("timing", [Timing(), SHORT])
def test_a_stage_that_takes_all_of_its_time(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, timing: Timing, seconds: int
) -> None:
    with _build(rows, time, monkeypatch, replace(timing, build=seconds)) as stage:
        run = stage.claim()
        run.script = None  # GitHub ends it when it is asked to
        assert looks(stage) <= LOOKS + RAMP
        assert stage.fact["state"] == "timed_out"


@slow
def test_a_run_that_goes_on_for_hours_after_its_last_step_has_reported(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow may have further jobs. At first the end is expected at any moment, then less and less."""
    with _build(rows, time, monkeypatch, replace(SHORT, build=6 * HOUR)) as stage:
        run = stage.claim()
        run.script = None
        stages.finish(rows, ID, "build", run.id, "success", {})
        assert stage.look()["wait_seconds"] == 2
        assert looks(stage) <= LOOKS + RAMP


@pytest.mark.parametrize("seconds", [10, pytest.param(DAY, marks=slow)])
def test_a_run_that_ignores_a_cancel_is_given_up_on_and_not_said_to_have_ended(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """So that the lock stays for `sweep`."""
    with _build(rows, time, monkeypatch, replace(SHORT, build=HOUR, cancel=seconds)) as stage:
        stage.claim()
        cancels.record(rows, ID, "U0DANA001", "slack")
        assert looks(stage) <= LOOKS + RAMP
        assert (stage.fact["state"], stage.fact["unconfirmed"], stage.fact["claimed"]) == ("cancelled", True, True)


@slow
@pytest.mark.parametrize(
    ("path", "claimed"),
    [
        pytest.param(EVENT, False, id="dispatch", marks=pytest.mark.weekly),
        (RUNS, True),
        pytest.param(SEARCH, False, marks=pytest.mark.weekly),
    ],
)
def test_a_github_that_asks_for_a_second_again_and_again(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, path: str, claimed: bool
) -> None:
    with _build(rows, time, monkeypatch, replace(SHORT, build=6 * HOUR)) as stage:
        if claimed:
            stage.claim()
        stage.fake.faults.append(Fault.secondary_limit(path, retry_after=1, times=None))
        if not claimed:
            stage.dispatch()
        assert looks(stage) <= LOOKS + RAMP
        assert stage.fact["state"] == "timed_out"


@slow
def test_a_github_that_refuses_or_breaks_for_hours(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with _build(rows, time, monkeypatch, replace(SHORT, build=6 * HOUR)) as stage:
        stage.claim()
        stage.fake.faults.append(Fault(path=RUNS, status=403, body={"message": "no"}, times=None))
        assert looks(stage) <= LOOKS + RAMP


@pytest.mark.parametrize("seconds", [HOUR, DAY])
def test_everything_else_that_is_looked_at_again_has_pauses_as_long(seconds: int) -> None:
    timing = Timing(take=seconds, approval=seconds, take_poll=1, reminder=1).paced()
    assert seconds / timing.take_poll <= LOOKS
    assert seconds / timing.reminder <= LOOKS


def rollout_looks(timing: Timing, seconds: float, limit: float) -> list[float]:
    """When a rollout of that length is looked at, where nothing wakes its wait."""
    at = [0.0]
    while at[-1] < seconds:
        at.append(at[-1] + rollout.pace(timing, at[-1], limit))
    return at


@pytest.mark.parametrize("seconds", [900, HOUR, DAY])
@pytest.mark.parametrize("poll", [1, 20, 600])
def test_a_rollout_is_looked_at_no_more_often_and_at_its_limit(seconds: int, poll: int) -> None:
    looks = rollout_looks(Timing(rollout_poll=poll), seconds, seconds)
    assert len(looks) <= LOOKS + ROLLOUT_RAMP
    assert looks[-1] == seconds


def test_a_rollout_of_four_minutes_takes_few_looks_and_none_is_more_than_a_minute_late() -> None:
    looks = rollout_looks(Timing(), 240, 900)
    assert len(looks) == 8
    assert max(later - earlier for earlier, later in pairwise(rollout_looks(Timing(), 900, 900))) == 60


def test_the_usual_durations_are_left_as_they_are() -> None:
    assert Timing().paced() == Timing()
    assert Timing().widest(Timing().build) == Timing().poll_max
