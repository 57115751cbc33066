"""What ECS knows: task definitions, revisions, deployments and services, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from fakes.ecs import names

Json = dict[str, Any]
Outcome = Literal["healthy", "circuit_breaker", "stuck", "rollback_failed"]

ONGOING = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
"""Statuses of a service deployment that has not finished.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""


@dataclass(frozen=True)
class Rollout:
    """The script of one rollout: how long it takes, in simulated seconds, and how it ends.

    `healthy` ends SUCCESSFUL. In `circuit_breaker` tasks keep failing until the breaker trips at 60 % of the
    time, then ECS restores the version before. `rollback_failed` is the same, but the restoring fails too.
    `stuck` starts tasks that never come up and never fail: it stays IN_PROGRESS for ever.
    """

    seconds: float = 6.0
    outcome: Outcome = "healthy"


@dataclass
class TaskDefinition:
    """One revision of a family. `body` holds the keys of ECS's TaskDefinition as they were registered."""

    family: str
    revision: int
    body: Json
    registered_at: float
    status: str = "ACTIVE"
    deregistered_at: float | None = None
    place: names.Place = names.HERE
    tags: list[Json] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return names.arn("task-definition", f"{self.family}:{self.revision}", self.place)

    @property
    def containers(self) -> list[Json]:
        return list(self.body.get("containerDefinitions", []))


@dataclass
class Revision:
    """A service revision: what one service deployment set out to run. It never changes."""

    arn: str
    task_definition: TaskDefinition
    created_at: float


@dataclass
class Tasks:
    """One of the `deployments` of DescribeServices: the tasks of one revision, and how their rollout goes."""

    id: str
    revision: Revision
    created_at: float
    updated_at: float
    desired: int
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    pending: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)


@dataclass
class Hook:
    """A pause of a service deployment at a lifecycle stage."""

    id: str
    status: str
    timeout_action: str
    expires_at: float | None = None


@dataclass
class ServiceDeployment:
    """One attempt to bring a service to a revision, with ECS's nine statuses."""

    arn: str
    target: Tasks
    sources: list[Tasks]
    rollout: Rollout
    configuration: Json
    created_at: float
    updated_at: float
    status: str = "PENDING"
    status_reason: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    stopped_at: float | None = None
    rollback: Json | None = None
    breaker_status: str = "MONITORING"
    lifecycle_stage: str = ""
    hooks: list[Hook] = field(default_factory=list)
    production_weight: float = 0.0
    counts: tuple[int, int, int] | None = None
    """Requested, running and pending tasks of the target when it completed: ECS shows them for good."""

    @property
    def ongoing(self) -> bool:
        return self.status in ONGOING


@dataclass
class Service:
    """One service of one cluster."""

    cluster: str
    name: str
    desired: int
    created_at: float
    configuration: Json
    status: str = "ACTIVE"
    controller: str = "ECS"
    tasks: list[Tasks] = field(default_factory=list)
    deployments: list[ServiceDeployment] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    place: names.Place = names.HERE

    @property
    def arn(self) -> str:
        return names.arn("service", f"{self.cluster}/{self.name}", self.place)

    @property
    def cluster_arn(self) -> str:
        return names.arn("cluster", self.cluster, self.place)

    @property
    def primary(self) -> Tasks:
        return next(tasks for tasks in self.tasks if tasks.status == "PRIMARY")

    @property
    def threshold(self) -> int:
        """Failed tasks that trip the circuit breaker: half the desired count, at least 3, at most 200.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
        """
        return min(200, max(3, -(-self.desired // 2)))
