"""What people do in each play, and how it must end, whatever was killed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.ecs import Rollout
from local.github import Script

if TYPE_CHECKING:
    from tests.faults.kills.play import Play

LONG = Script(seconds=1_000_000)
"""Only a cancel ends it."""


@dataclass(frozen=True)
class Scenario:
    """`end`: the ledger's word for it. `stages`: those that are dispatched and run, each once. `rollouts`: how many
    service deployments begin. `ledger`: the releases afterwards, the live one first; `bad` those that were rolled back
    from. `before`: what has been deployed when it begins, oldest first; with nothing, the service runs v1.0.0 that
    nobody here has deployed. `says`: what the final message says. `unbegun`: stages
    whose run a person may end before it has begun its work.
    """

    about: str
    play: Callable[[Play], None]
    end: str
    says: str
    stages: tuple[str, ...] = ()
    rollouts: int = 0
    ledger: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    ecs: bool = True
    claim: bool = True
    approval: bool = False
    scripts: Mapping[str, Script] = field(default_factory=dict)
    rollout: Rollout = field(default_factory=Rollout)
    timing: str = "usual"
    unbegun: tuple[str, ...] = ()


def _deploy(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.ends()


def _approved(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.press("approve")
    play.ends()


def _rejected(play: Play) -> None:
    play.type("/platform-deploy", "v1.2.3")
    play.reject("Not on a Friday.")
    play.ends()


def _cancelled_in(step: str) -> Callable[[Play], None]:
    def cancelled(play: Play) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.cancel()
        play.ends()

    return cancelled


def _rollback(play: Play) -> None:
    play.type("/platform-rollback", "", "orders cannot be paid")
    play.ends()


def _stopped_in(step: str) -> Callable[[Play], None]:
    def stopped(play: Play) -> None:
        play.type("/platform-deploy", "v1.2.3")
        play.until(step)
        play.stopped()

    return stopped


FAILS = Script(outcome="failure", failed_step="Test", seconds=3)
BREAKS = Rollout(seconds=6, outcome="circuit_breaker")
STUCK = Rollout(seconds=6, outcome="stuck")
BOTH = ("build", "deploy")

SCENARIOS: dict[str, Scenario] = {
    "approved": Scenario(
        "deployed after an approval",
        _approved,
        "Deployed",
        "is live",
        BOTH,
        1,
        ("v1.2.3", "v1.1.0"),
        before=("v1.1.0",),
        approval=True,
    ),
    "unasked": Scenario(
        "deployed; the target wants no approval", _deploy, "Deployed", "is live", BOTH, 1, ("v1.2.3", "v1.0.0")
    ),
    "late-runs": Scenario(
        "GitHub shows a run only some time after it has taken the event",
        _deploy,
        "Deployed",
        "is live",
        BOTH,
        1,
        ("v1.2.3", "v1.1.0"),
        before=("v1.1.0",),
        scripts={stage: Script(appear_seconds=40, seconds=3) for stage in BOTH},
    ),
    "build-fails": Scenario(
        "a test fails in the build",
        _deploy,
        "Build Failed",
        "The build of v1.2.3 failed",
        ("build",),
        scripts={"build": FAILS},
    ),
    "rollout-fails": Scenario(
        "ECS's circuit breaker trips and puts back what ran before",
        _deploy,
        "Rolled Back",
        "was rolled back",
        BOTH,
        1,
        ("v1.1.0",),
        ("v1.2.3",),
        before=("v1.1.0",),
        rollout=BREAKS,
    ),
    "first-fails": Scenario(
        "the first deployment ever fails",
        _deploy,
        "Rolled Back",
        "was rolled back",
        BOTH,
        1,
        ("v1.0.0",),
        ("v1.2.3",),
        rollout=BREAKS,
    ),
    "rollout-late": Scenario(
        "tasks never come up; the bot itself puts back what ran before",
        _deploy,
        "Rolled Back",
        "was rolled back",
        BOTH,
        1,
        ("v1.1.0",),
        ("v1.2.3",),
        before=("v1.1.0",),
        rollout=STUCK,
        timing="late",
    ),
    "cancelled-build": Scenario(
        "the requester changes their mind during the build",
        _cancelled_in("park:build"),
        "Cancelled",
        "Cancelled: ",
        ("build",),
        scripts={"build": LONG},
        unbegun=("build",),
    ),
    "cancelled-rollout": Scenario(
        "the requester changes their mind while tasks are started",
        _cancelled_in("ecs:rollout"),
        "Restored",
        "runs v1.1.0 again",
        BOTH,
        1,
        ("v1.1.0",),
        before=("v1.1.0",),
        rollout=STUCK,
    ),
    "rollback": Scenario(
        "back to the release before, by command",
        _rollback,
        "Restored",
        "runs v1.0.0 again",
        (),
        1,
        ("v1.0.0", "v1.1.0", "v1.0.0"),
        ("v1.1.0",),
        before=("v1.0.0", "v1.1.0"),
    ),
    "ec2-fails": Scenario(
        "a target that only the pipeline can change: its rollback is a stage, too",
        _deploy,
        "Rolled Back",
        "was rolled back",
        ("build", "deploy", "rollback"),
        0,
        ("v1.1.0",),
        ("v1.2.3",),
        before=("v1.1.0",),
        ecs=False,
        scripts={"deploy": Script(outcome="failure", seconds=3)},
    ),
    "unclaimed": Scenario(
        "a pipeline without the claim and finish steps",
        _deploy,
        "Deployed",
        "is live",
        BOTH,
        0,
        ("v1.2.3", "v1.1.0"),
        before=("v1.1.0",),
        ecs=False,
        claim=False,
        scripts={stage: Script(claims=False, appear_seconds=40, seconds=3) for stage in BOTH},
        timing="brisk",
    ),
    "expired": Scenario(
        "nobody decides in time", _deploy, "Expired", "Expired: ", ("build",), approval=True, timing="hasty"
    ),
    "rejected": Scenario(
        "an approver says no, and why", _rejected, "Rejected", "Rejected: ", ("build",), approval=True
    ),
    "stopped-build": Scenario(
        "stopped in the console during the build; sweep settles it",
        _stopped_in("park:build"),
        "Stopped",
        "Stopped: ",
        ("build",),
        scripts={"build": LONG},
        unbegun=("build",),
    ),
    "stopped-rollout": Scenario(
        "stopped in the console while tasks are started; sweep settles it",
        _stopped_in("ecs:rollout"),
        "Stopped",
        "Stopped: ",
        BOTH,
        1,
        ("v1.1.0",),
        before=("v1.1.0",),
        rollout=STUCK,
    ),
}
