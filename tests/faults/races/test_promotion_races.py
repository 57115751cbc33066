"""Promote and Roll back at a pause against everything, at the same time: one decision, and nobody's wish is lost."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from chatops.edge import clicks
from chatops.errors import CancelRecorded
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.steps import pausing, promote, settle
from chatops.store import approvals, pauses
from chatops.targets import targets
from tests.faults.interleave import Scene, Worker, every, some
from tests.faults.races.far import DANA, KIM, LEE, TARGET, Far

ID, HOUR = "d-paused", 3600
PAUSE = Pause("ecs-pause-1", "arn")
PAUSED = Rollout(RolloutState.PAUSED, "IN_PROGRESS", lifecycle_stage="BAKE_TIME", traffic=10.0, pause=PAUSE)
ON = Rollout(RolloutState.MOVING, "IN_PROGRESS", lifecycle_stage="CLEAN_UP")


def press(action: str, user: str, value: str) -> None:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": "C0DEPLOY1"},
        "response_url": f"https://hooks.slack.com/actions/{action}-{user}",
        "actions": [{"action_id": action, "value": value}],
    }
    assert clicks.answer(payload) == clicks.OK


def look(far: Far, found: Rollout = PAUSED) -> dict[str, Any]:
    """What Check Rollout makes of the pause, or of its end."""
    before = {"state": "paused", "pause": PAUSE.fact(), "seen_at": far.time.at}
    seen = pausing.Look(far.rows, ID, targets()[TARGET], far.time.at, 0, before)
    return pausing.at(seen, found) if found.pause else pausing.since(seen, found)


def expire(far: Far) -> None:
    far.time.at += HOUR
    look(far)


def stop(far: Far) -> str:
    """Stopped in the console, and settled by sweep. What had been decided by then."""
    state = {"plan": far.record(ID)["plan"]}
    settle.settle(ID, state, {"end": "Stopped", "said": "ABORTED", "why": {}, "by": ""})
    return decision(far)


def live(far: Far) -> str:
    """The rollout went on without us, and is healthy: Settle."""
    try:
        return str(far.succeed(ID)["end"])
    except CancelRecorded:
        return "CancelRecorded"


def acts(far: Far) -> dict[str, Worker]:
    value = f"{ID}/{PAUSE.mark}"
    return {
        f"promote-{LEE}": lambda: press("promote", LEE, value),
        f"promote-{KIM}": lambda: press("promote", KIM, value),
        f"pause_roll_back-{KIM}": lambda: press("pause_roll_back", KIM, value),
        f"cancel-{DANA}": lambda: press("cancel", DANA, ID),
        "expire": lambda: expire(far),
        "elsewhere": lambda: look(far, ON),
        "stop": lambda: stop(far),
        "live": lambda: live(far),
    }


def decision(far: Far) -> str:
    return str((pauses.get(far.rows, ID, PAUSE.mark) or {}).get("decision") or "")


def paused(far: Far) -> dict[str, Any]:
    """v2 is rolled out over v1, and paused; both approvers are asked."""
    far.deploy("d-one", "v1")
    far.time.pass_by(1)
    assert far.plan(ID, version="v2", channel="C0DEPLOY1")["verdict"] == "go"
    assert look(far)["state"] == "paused"
    pauses.asks(far.rows, ID, PAUSE.mark, [LEE, KIM])
    return far.snapshot()


def one_decision(far: Far, names: tuple[str, ...], results: list[Any]) -> None:
    for result in results:
        assert not isinstance(result, Exception), result
    row, cancel = pauses.get(far.rows, ID, PAUSE.mark) or {}, approvals.cancelled(far.rows, ID)
    made, told = decision(far), dict(far.told)
    pressed = [name for name in names if "-" in name]
    assert sorted(told) == sorted(pressed), "whoever pressed is told, once"
    assert len(far.told) == len(pressed)
    for name in pressed:
        action, _, user = name.partition("-")
        if action == "cancel":
            stands = (cancel or {}).get("kind") == "cancelled" and (cancel or {})["by"] == user
        else:
            wanted = {"promote": "promoted", "pause_roll_back": "rolled_back"}[action]
            stands = (made, row.get("by")) == (wanted, user)
        assert told[name].startswith("⚠️") != stands, f"{name} was told {told[name]!r}; {made=} {cancel=}"
    rolled_back = (cancel or {}).get("kind") == "rolled_back"
    assert rolled_back == (made == "rolled_back"), "the decision and the cancel are one"
    if "stop" in names:
        assert made == results[names.index("stop")], "nothing is decided after the end"
    if "live" in names:
        ended = results[names.index("live")]
        assert (ended == "CancelRecorded") == bool(cancel), "rolled back, or told that it was too late"
    if not far.ended(ID):
        nothing_goes_on_unless_promoted(far, made, cancelled=bool(cancel))


def nothing_goes_on_unless_promoted(far: Far, made: str, *, cancelled: bool) -> None:
    """Promote, whatever the rollout's fact still says, asks the table."""
    state = {"plan": far.record(ID)["plan"], "rollout": {"state": "promoted", "pause": PAUSE.fact()}}
    continued: list[str] = []
    far.patch.setattr("chatops.steps.promote.Service", lambda _: _Service(continued))
    promote.run({"deployment_id": ID, "state": state})
    assert bool(continued) == (made == "promoted" and not cancelled)


class _Service:
    def __init__(self, continued: list[str]) -> None:
        self._continued = continued

    def proceed(self, pause: Pause) -> bool:
        self._continued.append(pause.id)
        return True


def scene(far: Far, kept: dict[str, Any], names: tuple[str, ...]) -> Scene:
    far.restore(kept)
    every_act = acts(far)
    return Scene([every_act[name] for name in names], lambda results: one_decision(far, names, results))


NAMES = (
    *(f"promote-{LEE}", f"promote-{KIM}", f"pause_roll_back-{KIM}", f"cancel-{DANA}"),
    *("expire", "elsewhere", "stop", "live"),
)
_ONE_PERSON = {f"promote-{KIM}", f"pause_roll_back-{KIM}"}
_ONE_MACHINE = {"expire", "elsewhere", "stop", "live"}


def possible(names: tuple[str, ...]) -> bool:
    """One person, and one state machine, does one thing at a time."""
    return not set(names) >= _ONE_PERSON and len(_ONE_MACHINE & set(names)) < 2


def test_a_promotion_beside_a_roll_back_is_one_decision(far: Far) -> None:
    kept = paused(far)
    every(lambda: scene(far, kept, (f"promote-{LEE}", f"pause_roll_back-{KIM}")), switches=1)


def test_a_roll_back_at_the_moment_of_settling_is_heard_or_told_that_it_was_too_late(far: Far) -> None:
    kept = paused(far)
    every(lambda: scene(far, kept, (f"pause_roll_back-{KIM}", "live")), switches=1)


@pytest.mark.slow
@pytest.mark.parametrize("both", [b for b in itertools.combinations(NAMES, 2) if possible(b)], ids="-".join)
def test_any_two_at_once_in_more_orders(far: Far, both: tuple[str, ...]) -> None:
    kept = paused(far)
    every(lambda: scene(far, kept, both), switches=1)
    some(lambda: scene(far, kept, both), 10, seed=5)


@pytest.mark.slow
def test_any_three_at_once_in_orders_by_chance(far: Far) -> None:
    kept = paused(far)
    for three in itertools.combinations(NAMES, 3):
        if possible(three):
            some(lambda three=three: scene(far, kept, three), 4, seed=55)  # type: ignore[misc]
