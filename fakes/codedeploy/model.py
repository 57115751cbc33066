"""What CodeDeploy knows: groups, their deployments and revisions, as plain data."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Outcome = Literal["succeeds", "fails", "stuck"]
Wait = Literal["", "READY_WAIT", "TERMINATION_WAIT"]

ENDED = frozenset({"Succeeded", "Failed", "Stopped"})
STATUSES = ENDED | {"Created", "Queued", "InProgress", "Baking", "Ready"}
"""https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html (status)"""


@dataclass(frozen=True)
class Course:
    """The script of one deployment: how long it takes, in simulated seconds, and how it ends.

    `fails` ends Failed at 60 % of the time; `stuck` stays InProgress for ever. `waits`: a blue/green deployment that
    does not go on by itself until ContinueDeployment: READY_WAIT before traffic moves, TERMINATION_WAIT before the
    fleet that it replaced is ended. The first stops it when nobody comes within `ready_minutes`. `stopping`: the
    seconds that a stop takes.
    """

    seconds: float = 6.0
    outcome: Outcome = "succeeds"
    waits: Wait = ""
    stopping: float = 1.0
    ready_minutes: int = 60


@dataclass
class Deployment:
    """One deployment. Times are epoch seconds."""

    group: Group
    revision: Json
    course: Course
    created_at: float
    description: str = ""
    config: str = ""
    creator: str = "user"
    auto_rollback: frozenset[str] = frozenset()
    file_exists: str = "DISALLOW"
    ignores_stop: bool = False
    id: str = ""
    status: str = "Created"
    started_at: float | None = None
    completed_at: float | None = None
    error: Json = field(default_factory=dict)
    rollback: Json = field(default_factory=dict)
    terminating: bool = False
    stopping: bool = False
    done: int = 0

    def __post_init__(self) -> None:
        self.id = self.id or deployment_id()

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass
class Group:
    """A deployment group of an application. `platform`: Server, Lambda or ECS. `auto_rollback`: the events after which
    CodeDeploy deploys its last good revision by itself. `instances`: how many it deploys to. `keeping`: the minutes for
    which blue/green keeps what it replaced. `courses`: the scripts of its next deployments."""

    application: str
    name: str
    platform: str = "Server"
    auto_rollback: frozenset[str] = frozenset()
    instances: int = 4
    keeping: int = 0
    courses: list[Course] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)

    def last_good(self) -> Deployment | None:
        good = [each for each in self.deployments if each.status == "Succeeded"]
        return max(good, key=lambda each: each.completed_at or 0, default=None)

    def active(self) -> Deployment | None:
        return next((each for each in self.deployments if not each.ended), None)


def deployment_id() -> str:
    """`d-` and nine capitals and digits, as in d-A1B2C3111."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
