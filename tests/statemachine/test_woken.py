"""A rollout's end wakes who waits for it. Without its event, or with too many, the deployment ends the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakes.codedeploy import Course
from fakes.ecs import Rollout
from fakes.github import Script
from local import events
from local.session import states_entered
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

SECONDS = 240
ECS = "ecs: {cluster: checkout, service: checkout-api}"
CODEDEPLOY = "codedeploy: {application: batch, group: live}"
kinds = pytest.mark.parametrize("target", [ECS, CODEDEPLOY], ids=["ecs", "codedeploy"])


def deploys(it: HoursDriver, outcome: str = "healthy") -> tuple[str, list[str], float]:
    """How it ended, the states that it passed from the rollout on, and how long it lasted, in seconds."""
    for stage in ("build", "deploy"):
        it.session.github.script[stage] = Script(seconds=0, appear_seconds=0)
    it.session.ecs.next_rollout = Rollout(seconds=SECONDS, outcome=outcome)  # type: ignore[arg-type]  # one of its words
    for group in it.session.codedeploy.deployer.groups.values():
        group.courses = [Course(SECONDS, "succeeds" if outcome == "healthy" else "fails"), Course(SECONDS)]
    began = it.hours.at
    it.slash("/platform-deploy", "v1.2.3")
    end, entered = it.end(120), states_entered(it.session.history(it.arn))
    return end, entered[entered.index("Rollout") :], it.hours.at - began


def yaml(target: str) -> str:
    return f"targets: {{dev: {{{target}, policy: {{deploy_approval: false}}}}}}"


@kinds
def test_a_rollout_of_four_minutes_takes_few_transitions_and_its_end_is_seen_at_once(
    play: Callable[[str], HoursDriver], target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    end, entered, lasted = deploys(play(yaml(target)))
    box = entered[: entered.index("Rollout Done") + 1]
    with capsys.disabled():
        print(  # noqa: T201 - the numbers that the gate shows
            f"\n  a rollout of {SECONDS} s: {len(box)} transitions, {box.count('Check Rollout')} looks, "
            f"{box.count('Show Rollout')} edits, over after {lasted:.0f} s in all"
        )
    assert end == "Deployed"
    assert len(box) <= 32
    assert lasted < SECONDS + 10


@pytest.mark.parametrize(
    ("target", "outcome", "wanted"),
    [(ECS, "circuit_breaker", "Rolled Back"), (CODEDEPLOY, "healthy", "Deployed")],
    ids=["ecs", "codedeploy"],
)
def test_without_events_it_ends_the_same_way_a_minute_later_at_most(
    play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch, target: str, outcome: str, wanted: str
) -> None:
    monkeypatch.setattr(events.ServiceEvents, "beat", lambda _: None)
    end, _, lasted = deploys(play(yaml(target)), outcome)
    assert end == wanted
    assert lasted < 2 * SECONDS + 2 * 60 + 10


@pytest.mark.parametrize(
    ("target", "outcome", "wanted"),
    [
        (ECS, "circuit_breaker", "Rolled Back"),
        (CODEDEPLOY, "circuit_breaker", "Rolled Back"),
        (ECS, "healthy", "Deployed"),
    ],
    ids=["ecs", "codedeploy", "ecs, healthy"],
)
def test_events_that_come_twice_and_much_too_late_change_nothing(
    play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch, target: str, outcome: str, wanted: str
) -> None:
    taken, told = events._taken, list[Any]()

    def again(runtime: events.Runtime, name: str, event: Any) -> bool:
        if name != "wake":
            return taken(runtime, name, event)
        told.append(event)
        answers = [taken(runtime, name, each) for each in (*told, event)]
        return all(answers)

    monkeypatch.setattr(events, "_taken", again)
    it = play(yaml(target))
    end, entered, _ = deploys(it, outcome)
    assert end == wanted
    assert len(told) >= 1
    assert entered.count("Restore Service") <= 1
    changes = [
        c for c in (*it.session.ecs.calls, *it.session.codedeploy.calls) if c.operation.startswith(("Up", "Cre"))
    ]
    assert len(changes) <= (1 if wanted == "Rolled Back" else 0), "what was done is done once"
