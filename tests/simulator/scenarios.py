"""How each scenario must end, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fakes.codedeploy import Course
from fakes.ecs import Rollout
from fakes.github import Script
from tests.simulator import people

if TYPE_CHECKING:
    from tests.simulator.play import HoursDriver


@dataclass(frozen=True)
class Scenario:
    """`ends`: the ledger's word for it, and what the final message says; `first` the same of an execution that comes
    before it. `stages`: those that are dispatched and run, each once; `unbegun` those that a person may end before.
    `rollouts`: how many deployments of the service begin. `ledger`: the releases afterwards, the live one first; `bad`
    those that were rolled back from. `before`: what has been deployed when it begins, oldest first; with nothing, the
    service runs v1.0.0 that nobody here has deployed. `kills`: what is killed in any case. `retyped`: the person types
    the command again where Slack says that it failed, instead of Slack's sending it again. `target`: more of its line.
    `computes`, `courses`: CodeDeploy's compute platform, and how its next deployments go.
    """

    about: str
    play: Callable[[HoursDriver], None]
    ends: tuple[str, str]
    stages: tuple[str, ...] = ("build", "deploy")
    rollouts: int = 1
    ledger: tuple[str, ...] = ("v1.1.0",)
    bad: tuple[str, ...] = ()
    before: tuple[str, ...] = ("v1.1.0",)
    kind: str = "ecs"
    computes: str = "Server"
    courses: tuple[Course, ...] = (Course(outcome="fails"), Course())
    claim: bool = True
    approval: bool = False
    scripts: Mapping[str, Script] = field(default_factory=dict)
    rollout: Rollout = field(default_factory=Rollout)
    timing: str = "usual"
    unbegun: tuple[str, ...] = ()
    first: tuple[str, str] | None = None
    kills: tuple[str, ...] = ()
    retyped: bool = False
    target: str = ""


LIVE, BACK, AGAIN = ("Deployed", "is live"), ("Rolled Back", "Rolled back: "), ("Restored", "is back on v1.1.0")
UNBUILT, STOPPED = ("Build Failed", "Build failed: v1.2.3"), ("Stopped", "Stopped: ")
DONE, BAD, BUILD = ("v1.2.3", "v1.1.0"), ("v1.2.3",), ("build",)
TWO, RETURNED = ("v1.0.0", "v1.1.0"), ("v1.0.0", "v1.1.0", "v1.0.0")
BREAKS, STUCK = Rollout(seconds=6, outcome="circuit_breaker"), Rollout(seconds=6, outcome="stuck")
FAILS, LONG = Script(outcome="failure", failed_step="Test", seconds=3), Script(seconds=1_000_000)
"""LONG: only a cancel ends it."""
LATE = {stage: Script(appear_seconds=12, seconds=3) for stage in ("build", "deploy")}
NAMELESS = {stage: Script(claims=False, appear_seconds=12, seconds=3) for stage in ("build", "deploy", "rollback")}
DECIDED = "slack:approve#1/DynamoDB.TransactWriteItems#1/after"

SCENARIOS: dict[str, Scenario] = {
    "approved": Scenario(
        "deployed after an approval", people.approved, LIVE, ledger=DONE, approval=True, timing="rare"
    ),
    "unasked": Scenario(
        "deployed without approval, the first one ever", people.deploy, LIVE, ledger=("v1.2.3", "v1.0.0"), before=()
    ),
    "late-runs": Scenario(
        "GitHub shows a run only some time after it has taken the event",
        people.deploy,
        LIVE,
        ledger=DONE,
        scripts=LATE,
    ),
    "typed-again": Scenario(
        "the person types the command again where it failed", people.deploy, LIVE, ledger=DONE, retyped=True
    ),
    "unclaimed": Scenario(
        "a pipeline without the claim and finish steps, whose runs appear late",
        people.deploy,
        LIVE,
        rollouts=0,
        ledger=DONE,
        kind="none",
        claim=False,
        scripts=NAMELESS,
        timing="brisk",
    ),
    "promoted": Scenario(
        "ECS pauses the rollout until somebody promotes it",
        people.promoted,
        LIVE,
        ledger=DONE,
        target="strategy: blue_green, pause_at: [PRE_PRODUCTION_TRAFFIC_SHIFT]",
    ),
    "taken-back": Scenario(
        "ECS pauses the rollout, and an approver takes it back",
        people.taken_back,
        AGAIN,
        target="strategy: blue_green, pause_at: [POST_TEST_TRAFFIC_SHIFT]",
    ),
    "not-promoted": Scenario(
        "ECS pauses the rollout, and nobody comes",
        people.deploy,
        AGAIN,
        target="strategy: blue_green, pause_at: [POST_TEST_TRAFFIC_SHIFT]",
        timing="hasty",
    ),
    "build-fails": Scenario(
        "a test fails in the build", people.deploy, UNBUILT, BUILD, rollouts=0, scripts={"build": FAILS}
    ),
    "rollout-fails": Scenario(
        "ECS's circuit breaker trips and puts back what ran before", people.deploy, BACK, bad=BAD, rollout=BREAKS
    ),
    "first-fails": Scenario(
        "the first deployment ever fails", people.deploy, BACK, ledger=("v1.0.0",), bad=BAD, before=(), rollout=BREAKS
    ),
    "rollout-late": Scenario(
        "tasks never come up; the bot itself puts back what ran before",
        people.deploy,
        BACK,
        bad=BAD,
        rollout=STUCK,
        timing="late",
    ),
    "codedeploy-fails": Scenario(
        "CodeDeploy's deployment fails; its last good revision is deployed again",
        people.deploy,
        BACK,
        rollouts=2,
        bad=BAD,
        kind="codedeploy",
    ),
    "ec2-fails": Scenario(
        "a target that only the pipeline can change: its rollback is a stage, too",
        people.deploy,
        BACK,
        ("build", "deploy", "rollback"),
        rollouts=0,
        bad=BAD,
        kind="none",
        scripts={"deploy": Script(outcome="failure", seconds=3)},
    ),
    "cancelled-build": Scenario(
        "the requester changes their mind during the build",
        people.cancelled_in("park:build"),
        ("Cancelled", "Cancelled: "),
        BUILD,
        rollouts=0,
        scripts={"build": LONG},
        unbegun=BUILD,
    ),
    "cancelled-rollout": Scenario(
        "the requester changes their mind while tasks are started",
        people.cancelled_in("ecs:rollout"),
        AGAIN,
        rollout=STUCK,
    ),
    "rejected": Scenario(
        "an approver says no, and why", people.rejected, ("Rejected", "Rejected: "), BUILD, rollouts=0, approval=True
    ),
    "expired": Scenario(
        "nobody decides in time",
        people.deploy,
        ("Expired", "Expired: "),
        BUILD,
        rollouts=0,
        approval=True,
        timing="hasty",
    ),
    "rollback": Scenario(
        "back to the release before, by command",
        people.rollback,
        ("Restored", "is back on v1.0.0"),
        (),
        ledger=RETURNED,
        bad=("v1.1.0",),
        before=TWO,
    ),
    "button": Scenario(
        "rolled back by the button on what is live",
        people.pressed_back,
        AGAIN,
        rollouts=2,
        ledger=("v1.1.0", "v1.2.3", "v1.1.0"),
        bad=BAD,
        first=LIVE,
    ),
    "superseded": Scenario(
        "a rollback goes ahead of a deployment that waits for its approval",
        people.superseded,
        ("Restored", "is back on v1.0.0"),
        BUILD,
        ledger=RETURNED,
        bad=("v1.1.0",),
        before=TWO,
        approval=True,
        first=("Cancelled", "Superseded: "),
    ),
    "unwoken": Scenario(
        "the click's process dies between the decision and the wake; sweep delivers it",
        people.unwoken,
        LIVE,
        ledger=DONE,
        approval=True,
        kills=(DECIDED,),
        timing="rare",
    ),
    "undelivered": Scenario(
        "the last word dies as often as it is tried; sweep says it",
        people.undelivered,
        UNBUILT,
        BUILD,
        rollouts=0,
        scripts={"build": FAILS},
        kills=tuple(f"notify:outcome#{turn}/Slack.chat.update#1/before" for turn in (1, 2, 3)),
    ),
    "stopped-build": Scenario(
        "stopped in the console during the build; sweep settles it",
        people.stopped_in_build,
        STOPPED,
        BUILD,
        rollouts=0,
        scripts={"build": LONG},
    ),
    "stopped-unclaimed": Scenario(
        "stopped in the console before the build's run has claimed; sweep settles it",
        people.stopped_in("park:build"),
        STOPPED,
        BUILD,
        rollouts=0,
        scripts={"build": LATE["build"]},
        unbegun=BUILD,
    ),
    "stopped-rollout": Scenario(
        "stopped in the console while tasks are started; sweep settles it",
        people.stopped_in("ecs:rollout"),
        STOPPED,
        rollout=STUCK,
    ),
}
