"""Plays that make the calls of AWS that no other scenario makes: what is paused, stopped, looked at, pressed twice, or
read after an error. They are not part of the interleavings; how they end is tested where each of it is at home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.codedeploy import Course
from fakes.ecs import Rollout
from fakes.github import Script
from fakes.slack.directory import U_KIM, U_LEE
from tests.simulator import people
from tests.simulator.play import HoursDriver
from tests.simulator.points import Point, point
from tests.simulator.scenarios import LIVE, Scenario

PATIENCE = 28
"""Deaths of one step, one after the other, after which the state machine reads what is true (Reconcile)."""


@dataclass(frozen=True)
class Tour:
    """A scenario, and what goes wrong in it."""

    scenario: Scenario
    points: tuple[Point, ...] = field(default=())


def _blind(step: str, call: str = "DynamoDB.GetItem", what: str = "before", times: int = PATIENCE) -> tuple[Point, ...]:
    return tuple(Point(step, turn, call, 1, what) for turn in range(1, times))


def _tour(play: Callable[[HoursDriver], None], *points: Point, **more: object) -> Tour:
    return Tour(Scenario("a tour", play, LIVE, **more), points)  # type: ignore[arg-type]  # a Scenario's fields


def _status(play: HoursDriver) -> None:
    play.type("/platform-status", "")
    play._pass(60)


def _locked(play: HoursDriver) -> None:
    """Locked, unlocked, and deployed to."""
    for text in ("lock {} for 2h a migration", "unlock {}"):
        play.user.slash("/platform-deploy", text.format(play.target), U_LEE, play.channel)
    people.deploy(play)


def _pressed_twice(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()
    card = play.card("roll_back")
    for user in (U_LEE, U_KIM):  # before the first press's execution has written anything
        play.user.click(card, "roll_back", user)
    play.ends(2)


def _by_hand(play: HoursDriver) -> None:
    """Somebody has deployed the recorded revision once more."""
    play.session.codedeploy.deploy(play.target, "live", "first", "by hand")
    play._pass(60)
    people.deploy(play)


def _stopped_once_verified(play: HoursDriver) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.until("ecs:rollout")
    play.stopped()


def _moving(play: HoursDriver) -> None:
    """Somebody has begun a rollout at a terminal, and nothing has been complete since."""
    ecs = play.session.ecs
    ecs.next_rollouts[play.target] = Rollout(seconds=3000)
    ecs.update_service(ecs.register_task_definition("registry.example/other:1", play.target), play.target)
    people.deploy(play)


def _rolled_back_by_codedeploy(play: HoursDriver) -> None:
    play.session.codedeploy.deployer.group(play.target, "live").auto_rollback = frozenset({"DEPLOYMENT_FAILURE"})
    people.deploy(play)


@dataclass(frozen=True)
class _ByTag:
    """A release step that registers a tag instead of the digest that it was given."""

    usual: Any

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        named = f"{stage['image'].partition('@')[0]}:latest"
        return dict(self.usual.carry_out(step, {**stage, "image": named}))


def _by_tag(play: HoursDriver) -> None:
    """To a service whose service deployments don't tell digests: its tasks are asked."""
    play.session.github.deployers[play.target] = _ByTag(play.session.github.deployers[play.target])
    play.session.ecs.service_deployments = False
    try:
        people.deploy(play)
    finally:
        play.session.ecs.service_deployments = True


ANOTHER = {"deploy": Script(outputs={"task_definition": "", "image": "registry.example/other:1"})}
"""A pipeline that reports an image which no deployment of the service carries."""
SLOW = Rollout(seconds=3000)
TOURS: Mapping[str, Tour] = {
    "status-of-a-service": _tour(_status),
    "status-of-a-group": _tour(_status, kind="codedeploy"),
    "locked": _tour(_locked),
    "pressed-twice": _tour(_pressed_twice),
    "stopped-once-verified": _tour(_stopped_once_verified, rollout=Rollout(seconds=0)),
    "a-run-that-cannot-be-stopped": _tour(
        people.cancelled_in("claim:deploy"),
        *_blind("poll:deploy"),
        *_blind("poll:stop", "GitHub.GET.actions.runs.*", "error"),
        scripts={"deploy": Script(seconds=2400, ignores_cancel=True)},
    ),
    "blind-in-the-rollout": _tour(people.deploy, *_blind("ecs:rollout")),
    "blind-and-never-claimed": _tour(
        people.deploy, *_blind("poll:deploy", times=1000), scripts={"deploy": Script(never_appears=True)}
    ),
    "moving": _tour(_moving),
    "promoted-again": _tour(
        people.promoted,
        point("promote#1/ECS.ContinueServiceDeployment#1/again"),
        target="strategy: blue_green, pause_at: [PRE_PRODUCTION_TRAFFIC_SHIFT]",
    ),
    "image-alone": _tour(people.deploy, scripts=ANOTHER, rollout=SLOW),
    "image-alone-and-blind": _tour(people.deploy, *_blind("ecs:rollout"), scripts=ANOTHER, rollout=SLOW),
    "by-tag": _tour(_by_tag),
    "by-tag-and-blind": _tour(_by_tag, *_blind("ecs:rollout")),
    "hosts-blind": _tour(people.deploy, *_blind("poll:deploy", "DynamoDB.PutItem", "after"), kind="none"),
    "group-by-hand": _tour(_by_hand, kind="codedeploy", courses=(Course(), Course())),
    "group-promoted": _tour(
        people.promoted,
        point("promote#1/CodeDeploy.ContinueDeployment#1/again"),
        kind="codedeploy",
        computes="ECS",
        courses=(Course(waits="READY_WAIT"),),
    ),
    "group-cancelled": _tour(
        people.cancelled_in("ecs:rollout"), kind="codedeploy", computes="ECS", courses=(Course(outcome="stuck"),)
    ),
    "group-restored-waits": _tour(
        people.deploy,
        kind="codedeploy",
        computes="ECS",
        courses=(Course(outcome="fails"), Course(waits="TERMINATION_WAIT")),
    ),
    "group-rolled-back-and-blind": _tour(_rolled_back_by_codedeploy, *_blind("ecs:rollout"), kind="codedeploy"),
    "group-blind": _tour(
        people.deploy,
        *_blind("ecs:rollout"),
        kind="codedeploy",
        computes="ECS",
        courses=(Course(seconds=3000),),
    ),
}
