"""What a service's answers mean for our deployment; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from chatops import clock
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.values import dataclass

EVENTS_SHOWN = 3
_SAID = 300
"""Characters that travel of what a service says."""


@dataclass(frozen=True)
class ServiceDeployment:
    """One of ECS's service deployments, with the task definition and image digests that it brings; `resolved`: the
    digest of each container's image by the container's name, `restored_task_definition`: what ECS rolled it back to.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html
    """

    arn: str
    status: str
    created_at: float
    task_definition: str
    digests: frozenset[str] = frozenset()
    resolved: Mapping[str, str] = field(default_factory=dict)
    source_task_definition: str = ""
    restored_task_definition: str = ""
    ended_at: float = 0.0
    reason: str = ""
    lifecycle_stage: str = ""
    strategy: str = ""
    traffic: float | None = None
    pause: Pause | None = None
    baking: int = 0
    lapsed: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        """What a Rollout says of it beside the state."""
        return {
            "reason": self.reason,
            "lifecycle_stage": self.lifecycle_stage,
            "strategy": self.strategy,
            "traffic": self.traffic,
            "baking": self.baking,
        }

    def brings(self, task_definition: str, image: str) -> bool:
        """True if it carries this task definition or, where that is not known, this image."""
        if task_definition:
            return self.task_definition == task_definition
        digest = image.rpartition("@")[2]  # pragma: no mutate: an image has one @ at most
        return bool(image) and digest in self.digests

    def has_brought(self, task_definition: str) -> bool:
        """True if ECS calls it done and this is what it leaves running: its own, or what it was rolled back to."""
        ours = self.task_definition == task_definition
        return self.status == ("SUCCESSFUL" if ours else "ROLLBACK_SUCCESSFUL")


_MOVING = frozenset({"PENDING", "IN_PROGRESS"})
_RESTORING = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"})


def newest(deployments: Sequence[ServiceDeployment]) -> ServiceDeployment | None:
    """The one that was created last; None where there is none."""
    return max(deployments, key=lambda d: d.created_at, default=None)


def primary(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """The deployment that the service is moving to or runs."""
    return next((d for d in service.get("deployments", []) if d.get("status") == "PRIMARY"), {})


def live_task_definition(service: Mapping[str, Any]) -> str:
    """What the service is moving to or runs; its own word where another controller deploys and nothing is PRIMARY."""
    return str(primary(service).get("taskDefinition") or service.get("taskDefinition", ""))


@dataclass(frozen=True)
class Completed:
    """The task definition of a rollout that ECS calls complete, and when it became so (epoch seconds, 0: not known)."""

    task_definition: str
    at: float = 0.0


def completed_primary(service: Mapping[str, Any]) -> Completed | None:
    """What the service runs, if it isn't moving to it only."""
    main = primary(service)
    return _completed(main) if main.get("rolloutState") == "COMPLETED" else None


def completed(service: Mapping[str, Any], deployments: Sequence[ServiceDeployment]) -> Completed | None:
    """What was complete last: it is live while the service moves to something else, and what ECS returns to."""
    if found := completed_primary(service):
        return found
    for each in sorted(deployments, key=lambda d: -d.created_at):
        if each.status == "SUCCESSFUL" and each.task_definition:
            return Completed(each.task_definition, each.ended_at)
        if each.status == "ROLLBACK_SUCCESSFUL" and each.restored_task_definition:
            return Completed(each.restored_task_definition, each.ended_at)
    beside = (d for d in service.get("deployments", []) if d.get("rolloutState") == "COMPLETED")
    return max((_completed(d) for d in beside), key=lambda each: each.at, default=None)


def _completed(group: Mapping[str, Any]) -> Completed:
    at = group.get("updatedAt") or group.get("createdAt")
    return Completed(str(group.get("taskDefinition", "")), clock.seconds(at))


def counts(service: Mapping[str, Any]) -> dict[str, Any]:
    """Running, desired and pending tasks, and the last events, newest first."""
    return {
        "running": int(service.get("runningCount", 0)),
        "desired": int(service.get("desiredCount", 0)),
        "pending": int(service.get("pendingCount", 0)),
        "events": tuple(str(e.get("message", ""))[:_SAID] for e in service.get("events", [])[:EVENTS_SHOWN]),
    }


def rollout(
    service: Mapping[str, Any],
    deployments: Sequence[ServiceDeployment],
    task_definition: str,
    image: str = "",  # pragma: no mutate: no service carries a digest of any such name
) -> Rollout:
    """Is ours live? `deployments`: the service's, in any order; empty where the service has none."""
    main, live = primary(service), live_task_definition(service)
    base = {**counts(service), "task_definition": live}
    ours = max((d for d in deployments if d.brings(task_definition, image)), key=lambda d: d.created_at, default=None)
    if ours is None:
        return _by_primary(service, main, live, task_definition, base)
    base |= ours.shown
    wanted = ours.task_definition
    newer = [d for d in deployments if d.created_at > ours.created_at and d.task_definition != wanted]
    if ours.status in _RESTORING:
        return Rollout(RolloutState.FAILED, ours.status, restoring=True, lapsed=ours.lapsed, **base)
    if newer or (ours.status == "SUCCESSFUL" and live and live != wanted):
        return Rollout(RolloutState.OVERTAKEN, ours.status, **base)
    if ours.status in _MOVING:
        return _under_way(ours, base)
    if ours.status == "SUCCESSFUL":
        return Rollout(RolloutState.HEALTHY, ours.status, **base)
    if ours.status == "STOP_REQUESTED":
        return Rollout(RolloutState.MOVING, ours.status, **base)
    return Rollout(RolloutState.FAILED, ours.status, **base)  # STOPPED, ROLLBACK_FAILED and whatever comes to be


def _under_way(deployment: ServiceDeployment, base: dict[str, Any]) -> Rollout:
    state = RolloutState.PAUSED if deployment.pause else RolloutState.MOVING
    return Rollout(state, deployment.status, pause=deployment.pause, **base)


def _by_primary(
    service: Mapping[str, Any], main: Mapping[str, Any], live: str, task_definition: str, base: dict[str, Any]
) -> Rollout:
    """Services without service deployments: PRIMARY is COMPLETED with running = desired."""
    status = str(main.get("rolloutState", ""))
    base = {**base, "reason": str(main.get("rolloutStateReason", ""))[:_SAID]}
    if not task_definition:
        # known by its image alone, and nothing carries that yet
        return Rollout(RolloutState.MOVING, status, **base)
    if live != task_definition:
        beside = (d for d in service.get("deployments", []) if d.get("taskDefinition") == task_definition)
        if broke := next((d for d in beside if d.get("rolloutState") == "FAILED"), None):
            # the circuit breaker has made the release before PRIMARY; ours stands beside it until it has drained
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
            base |= {"reason": str(broke.get("rolloutStateReason", ""))[:_SAID]}
            return Rollout(RolloutState.FAILED, "FAILED", restoring=True, **base)
        return Rollout(RolloutState.OVERTAKEN, status, **base)
    if status == "FAILED":
        return Rollout(RolloutState.FAILED, status, **base)
    if status in ("COMPLETED", "") and base["running"] == base["desired"] and not base["pending"]:
        return Rollout(RolloutState.HEALTHY, status, **base)
    return Rollout(RolloutState.MOVING, status, **base)


def restored(
    service: Mapping[str, Any], deployments: Sequence[ServiceDeployment], task_definition: str, how: str = ""
) -> Rollout:
    """Does the recorded release run again? Confirmed only when nothing else runs beside it.

    `how`: as `restore` says; after its `update_service` PRIMARY is ours at once, while the list of service deployments
    may follow a moment later, and says until then how the one before ours ended.
    """
    main, live = primary(service), live_task_definition(service)
    last = newest(deployments)
    status = last.status if last else str(main.get("rolloutState", ""))
    base = {**counts(service), "task_definition": live, "reason": last.reason if last else ""}
    alone = len(service.get("deployments", [])) <= 1
    # autoscaling may change the counts at any moment: where ECS says that it is done, they say nothing
    counted = base["running"] == base["desired"] or (last is not None and last.has_brought(task_definition))
    settled = main.get("rolloutState", "COMPLETED") == "COMPLETED" and counted
    if live == task_definition and settled and alone:
        return Rollout(RolloutState.HEALTHY, status, **base)
    ours = last is not None and last.task_definition == task_definition
    if last is not None and ours:
        base |= last.shown
    unlisted = how == "update_service" and live == task_definition and not ours
    if main.get("rolloutState") == "FAILED" or (status == "ROLLBACK_FAILED" and not unlisted):
        return Rollout(RolloutState.FAILED, status, **base)
    if ours and status in _RESTORING and live != task_definition:
        # the circuit breaker takes back what was to put things right
        return Rollout(RolloutState.FAILED, status, **base)
    back = status in (_RESTORING | {"STOP_REQUESTED", "STOPPED"})
    # PRIMARY is asked, too: the list of service deployments may not know our own update yet
    if last is not None and task_definition not in (last.task_definition, live) and not back:
        return Rollout(RolloutState.OVERTAKEN, status, **base)
    if last is not None and ours and status in _MOVING:
        return _under_way(last, base)
    return Rollout(RolloutState.MOVING, status, **base)


def brought(service: Mapping[str, Any], deployments: Sequence[ServiceDeployment], since: float) -> str:
    """The task definition that the newest deployment since then (epoch seconds) brings; empty where there is none.

    For pipelines without our steps: nobody reports what they brought, so it is what began after the pipeline's run was
    asked for. The lock keeps other deployments of ours away; one that somebody begins by hand meanwhile is counted as
    the run's.

    `service`: as DescribeServices has it, for services without service deployments.
    """
    if deployments:
        last = max(deployments, key=lambda d: d.created_at)
        return last.task_definition if last.created_at >= since else ""
    main = primary(service)
    return str(main.get("taskDefinition", "")) if clock.seconds(main.get("createdAt")) >= since else ""
