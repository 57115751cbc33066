"""What a hiccup may do: cost time, and nothing else.

Every service away for 5, 12 and 40 minutes from every box on, each call of each step broken once in a way that nobody
foresaw, and each step carried out twice, in virtual time. `tests/statemachine/test_hiccups.py` and
`test_every_call_again.py` hold some of it on the real engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from fakes.ecs import Rollout
from fakes.github import Script
from fakes.slack.directory import U_LEE
from tests.simulator import invariants, releases, run
from tests.simulator.broken import Outage, Stopping, Surprised, Twice, away, lambdas
from tests.simulator.invariants import After
from tests.simulator.play import HoursDriver
from tests.simulator.points import Plan
from tests.simulator.scenarios import LIVE, SCENARIOS, Scenario
from tests.simulator.session import SWEEP_SECONDS, Session, opened
from tests.statemachine.outages import BOXES, MINUTE, SERVICES, UNCHANGED

OTHERS = ("slack", "sweep", "claim", "finish")
LENGTHS = (5, 12, 40)
"""Minutes."""
HELD = (
    *(invariants._nothing_held, invariants._no_stage_twice, invariants._service_known, invariants._told),
    *(invariants._no_secret_anywhere, invariants._read_by_slack),
)


def patient(play: HoursDriver) -> None:
    """Whoever approves presses every minute until it counts."""

    def press() -> None:
        if offers := play.offers("approve"):
            play.user.click(offers[-1], "approve", U_LEE)
        play.session.agenda.later(MINUTE, press)

    play.session.agenda.later(MINUTE, press)
    play.type("/platform-deploy", "v1.2.3")
    play.ends()


def usual(rollout: Rollout) -> Scenario:
    """A deployment of usual length."""
    scripts = {"build": Script(appear_seconds=0, seconds=480), "deploy": Script(appear_seconds=0, seconds=180)}
    return Scenario("an outage", patient, LIVE, approval=True, scripts=scripts, rollout=rollout)


PLAYS = {"goes-well": usual(Rollout(seconds=240)), "gets-stuck": usual(Rollout(seconds=60, outcome="stuck"))}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with pytest.MonkeyPatch.context() as patch:
        for name, scenario in PLAYS.items():
            patch.setitem(SCENARIOS, name, scenario)
        with opened() as made:
            yield made


def ended(play: HoursDriver) -> tuple[str, list[str]]:
    """Its end, and what is wrong with how it has been left."""
    play.free = True  # more may be said to people in its thread
    found, name = releases.rows(play.session.table), play.seen.ids[0]
    execution, begun = play.session.states.executions[name], (f"DEPLOYMENT#{name}", "RECORD") in found
    recorded = invariants._end(found, name) if begun else ""
    end = recorded if execution.status == "ABORTED" else execution.path[-1]
    after = After(play, found, ((name, (end, "")),) if begun else ())
    held = [one for one in HELD if one is not invariants._service_known or end != "Rollback Failed"]
    wrong = [f"{one.__name__}: {text}" for one in held for text in one(after)]
    if begun and recorded != end:
        wrong.append(f"the table says {recorded}, the machine {end}")
    return end, wrong


@pytest.mark.slow
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_away_ends_nothing_and_rolls_nothing_back(service: str, box: str, session: Session) -> None:
    for minutes in LENGTHS:
        outage = Outage(service, box, minutes * MINUTE)
        with away(session, outage):
            play = HoursDriver(Plan("gets-stuck" if box == "Rollback" else "goes-well"), session)
            play.run()
            assert play.failures == [], f"{minutes} minutes: {play.failures}"
            for _ in range(20):
                if not list(invariants._nothing_held(After(play, releases.rows(session.table), ()))):
                    break
                play._pass(5 * MINUTE)
            end, wrong = ended(play)
        assert outage.began, "it went away"
        allowed = {"Rolled Back" if box == "Rollback" else "Deployed"}
        if box == "Plan" or minutes > 5:
            allowed |= UNCHANGED[box]
        assert end in allowed, f"{minutes} minutes: {end}"
        assert wrong == [], f"{minutes} minutes: {wrong}"


def test_eventbridge_away_holds_nothing_up_and_its_events_come_when_it_is_back(session: Session) -> None:
    outage = Outage("events", "Plan", 40 * MINUTE)
    with away(session, outage):
        play = HoursDriver(Plan("goes-well"), session)
        play.run()
        end, wrong = ended(play)
        assert (play.failures, end, wrong) == ([], "Deployed", [])
        assert outage.on(session.agenda.now())
        assert session.events.taken == []
        while outage.on(session.agenda.now()):
            play._pass(SWEEP_SECONDS)
        play._pass(SWEEP_SECONDS)
        assert sorted(entry["DetailType"].split()[-1] for entry in session.events.taken) == [
            "Decided",
            "Ended",
            "Started",
        ]
        after = After(play, releases.rows(session.table), ((play.seen.ids[0], (end, "")),))
        assert list(invariants._events(after)) == []


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_each_call_breaks_once_in_a_way_that_nobody_foresaw(late: bool, session: Session) -> None:
    for name in sorted(set(SCENARIOS) - set(PLAYS)):
        with lambdas(session, partial(Surprised, late)):
            play, result = run.played(Plan(name), session)
        assert not result.failures, str(result)
        assert len(play.seen.fired) > 1, name


def effects(play: HoursDriver) -> dict[str, Any]:
    """What the outside has seen of it: runs, changes of the service, the target's rows, and how people were told."""
    found = releases.rows(play.session.table)
    return {
        "runs": sorted(
            (one.payload["deployment_id"], one.stage, str(one.claim_status)) for one in play.session.github.runs
        ),
        "rollouts": play.rollouts(),
        "rows": sorted(
            (key, json.dumps(row, sort_keys=True, default=str))
            for key, row in found.items()
            if key[0].startswith(("TARGET#", "OPEN", "OUTBOX"))
        ),
        "finals": sorted(m.text for m in play.posted() if m.thread_ts and m.text.startswith("<@U")),
    }


EVERY_DAY = {"approved", "ec2-fails"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in EVERY_DAY else pytest.mark.slow) for n in SCENARIOS])
def test_every_call_twice_has_the_effect_of_one(name: str, session: Session) -> None:
    """At once, and once more after the end."""
    with lambdas(session, Twice):
        play, result = run.played(Plan(name), session)
        assert not result.failures, str(result)
        twice = session.lambdas
        assert isinstance(twice, Twice)
        assert twice.failed == []
        before = effects(play)
        twice.all_once_more()
        assert effects(play) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["approved", "promoted", "codedeploy-fails", "ec2-fails", "rollback", "cancelled-rollout"]
)
def test_stopped_behind_any_step_it_is_settled_once_and_frees_its_target(name: str, session: Session) -> None:
    """By `sweep`, as what was recorded by then, or as Stopped."""
    usual, _ = run.played(Plan(name), session)
    steps = dict.fromkeys(step for step, _, _ in usual.seen.record if step.partition(":")[0] not in OTHERS)
    assert len(steps) > 5
    for step in steps:

        def made(*given: Any, step: str = step) -> Stopping:
            return Stopping(step, session, *given)

        with lambdas(session, made):
            play = HoursDriver(Plan(name), session)
            play.free = True  # the scenario's people may come too late
            play.run()
            play._pass(3 * SWEEP_SECONDS)
        assert play.failures == [], step
        end, wrong = ended(play)
        assert end in ("", "Stopped", SCENARIOS[name].ends[0]), f"{step}: {end}"
        assert wrong == [], f"{step}: {wrong}"
