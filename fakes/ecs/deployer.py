"""The life of a service deployment: begun, overtaken, finished, stopped, rolled back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from fakes.aws_json import event
from fakes.ecs import names, tasks
from fakes.ecs.model import Json, Revision, Rollout, Service, ServiceDeployment, Tasks
from fakes.timeline import Timeline

CIRCUIT_BREAKER = "Service deployment rolled back because the circuit breaker threshold was exceeded."
BY_REQUEST = "Service deployment rolled back because of a stop request."
NO_CAPACITY = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. "
    "Please try again later or in a different availability zone."
)


class Deployer:
    """Moves service deployments from status to status. Whoever calls it holds the fake's lock."""

    def __init__(self, timeline: Timeline, on_event: Callable[[Json], object]) -> None:
        self.timeline, self._on_event = timeline, on_event

    def begin(self, service: Service, revision: Revision, rollout: Rollout, at: float) -> ServiceDeployment:
        """A new service deployment, PENDING; it overtakes one that is still going on."""
        self._overtake(service, at)
        service.tasks = [group for group in service.tasks if group.running or group.pending]
        for group in service.tasks:
            group.status = "ACTIVE"
        target = Tasks("ecs-svc/" + names.number(), revision, at, at, service.desired)
        target.reason = f"ECS deployment {target.id} in progress."
        breaker = service.configuration.get("deploymentCircuitBreaker", {}).get("enable", False)
        deployment = ServiceDeployment(
            arn=names.arn(
                "service-deployment", f"{service.cluster}/{service.name}/{names.deployment_id()}", service.place
            ),
            target=target,
            sources=list(service.tasks),
            rollout=rollout,
            configuration=service.configuration,
            created_at=at,
            updated_at=at,
            breaker_status="MONITORING" if breaker else "DISABLED",
        )
        service.tasks.insert(0, target)
        service.deployments.insert(0, deployment)
        return deployment

    def started(self, service: Service, deployment: ServiceDeployment, at: float) -> None:
        deployment.started_at = at
        self._move(deployment, "IN_PROGRESS", at)
        self._tell(service, deployment.target, "IN_PROGRESS", at)

    def complete(self, service: Service, deployment: ServiceDeployment, at: float) -> None:
        """Everything of the target runs and nothing else does."""
        target = deployment.target
        deployment.finished_at = at
        deployment.production_weight = 100.0
        deployment.counts = (target.desired, len(target.running), len(target.pending))
        if deployment.breaker_status == "MONITORING":
            deployment.breaker_status = "MONITORING_COMPLETE"
        self._move(deployment, "SUCCESSFUL", at)
        self._settle(service, target, at)

    def trip(self, service: Service, deployment: ServiceDeployment, at: float) -> None:
        """The circuit breaker has counted enough: restore what was there before, or just stop."""
        target = deployment.target
        deployment.breaker_status = "TRIGGERED"
        target.rollout_state = "FAILED"
        target.reason = "ECS deployment circuit breaker: tasks failed to start."
        tasks.note(service, at, f"(deployment {target.id}) deployment failed: tasks failed to start.")
        self._tell(service, target, "FAILED", at)
        if service.configuration["deploymentCircuitBreaker"].get("rollback") and self.last_good(service):
            self.roll_back(service, deployment, CIRCUIT_BREAKER, at)
        else:
            self.abort(service, deployment, at, "Service deployment failed: the circuit breaker tripped.")

    def request_rollback(self, service: Service, deployment: ServiceDeployment, at: float) -> None:
        """What StopServiceDeployment with ROLLBACK does: the request at once, the rollback a moment later."""
        self.timeline.drop(deployment.arn)
        self._move(deployment, "ROLLBACK_REQUESTED", at)

        def go(due: float) -> None:
            self.roll_back(service, deployment, BY_REQUEST, due)

        self.timeline.after(deployment.rollout.seconds * 0.1, deployment.arn, go)

    def abort(
        self, service: Service, deployment: ServiceDeployment, at: float, reason: str = "Service deployment aborted."
    ) -> None:
        """Stop where it stands: what runs goes on running, old and new."""
        self.timeline.drop(deployment.arn)
        deployment.status_reason = reason
        self._move(deployment, "STOP_REQUESTED", at)

        def stopped(due: float) -> None:
            deployment.stopped_at = deployment.finished_at = due
            self._move(deployment, "STOPPED", due)

        # An owner of its own: a rollout that overtakes this one must not cancel its stopping.
        self.timeline.after(deployment.rollout.seconds * 0.1, deployment.arn + "#stop", stopped)

    def last_good(self, service: Service) -> Tasks | None:
        """The tasks of the last deployment that ended well: what a rollback returns to."""
        for deployment in service.deployments:
            if deployment.status == "SUCCESSFUL":
                return deployment.target
        return None

    def roll_back(self, service: Service, deployment: ServiceDeployment, reason: str, at: float) -> None:
        """Bring the last good revision back; it keeps its deployment id, as it does on AWS."""
        good = self.last_good(service)
        if good is None:
            self.abort(service, deployment, at, "There is no earlier revision to roll back to.")
            return
        self.timeline.drop(deployment.arn)
        deployment.rollback = {"reason": reason, "startedAt": at, "serviceRevisionArn": good.revision.arn}
        deployment.status_reason = reason
        deployment.production_weight = 0.0
        self._move(deployment, "ROLLBACK_IN_PROGRESS", at)
        if good not in service.tasks:
            good.running, good.pending, good.created_at = [], [], at
            service.tasks.append(good)
        for group in service.tasks:
            group.status = "ACTIVE"
        good.status, good.desired, good.rollout_state, good.updated_at = ("PRIMARY", service.desired, "IN_PROGRESS", at)
        good.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}."
        service.tasks.sort(key=lambda group: group is not good)
        tasks.note(service, at, f"rolling back to deployment {good.id}.")
        self._tell(service, good, "IN_PROGRESS", at)
        self._schedule_rollback(service, deployment, good)

    def _schedule_rollback(self, service: Service, deployment: ServiceDeployment, good: Tasks) -> None:
        def launch(at: float) -> None:
            tasks.launch(service, good, service.desired - len(good.running), at)

        def swap(at: float) -> None:
            tasks.up(good, at)
            tasks.stop(service, tasks.others(service, good), service.desired, at)

        def finished(at: float) -> None:
            deployment.finished_at = at
            self._move(deployment, "ROLLBACK_SUCCESSFUL", at)
            self._settle(service, good, at)

        def unplaceable(at: float) -> None:
            tasks.note(service, at, NO_CAPACITY)

        def failed(at: float) -> None:
            good.pending, good.failed, good.rollout_state = [], service.threshold, "FAILED"
            good.reason = "ECS deployment circuit breaker: tasks failed to start."
            self._tell(service, good, "FAILED", at)
            tasks.stop(service, tasks.others(service, good), service.desired, at)
            deployment.finished_at = at
            deployment.status_reason = "Service deployment rollback failed: tasks failed to start."
            self._move(deployment, "ROLLBACK_FAILED", at)
            tasks.note(service, at, f"(deployment {good.id}) deployment failed: tasks failed to start.")

        seconds = deployment.rollout.seconds
        fails = deployment.rollout.outcome == "rollback_failed"
        steps = [(0.2, unplaceable), (0.4, failed)] if fails else [(0.05, launch), (0.25, swap), (0.4, finished)]
        for share, action in steps:
            self.timeline.after(seconds * share, deployment.arn, action)

    def _overtake(self, service: Service, at: float) -> None:
        """A newer deployment stops the one that is going on.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
        """
        for deployment in service.deployments:
            if deployment.ongoing and deployment.status != "STOP_REQUESTED":
                self.abort(service, deployment, at, "Service deployment stopped: a newer one has started.")

    def _settle(self, service: Service, group: Tasks, at: float) -> None:
        group.rollout_state = "COMPLETED"
        group.reason = f"ECS deployment {group.id} completed."
        group.updated_at = at
        service.tasks = [group]
        tasks.note(service, at, f"(deployment {group.id}) deployment completed.")
        tasks.note(service, at, "has reached a steady state.")
        self._tell(service, group, "COMPLETED", at)

    def _tell(self, service: Service, group: Tasks, what: str, at: float) -> None:
        """Of stops, pauses and bakes nobody is told.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
        """
        detail = {
            "eventType": "ERROR" if what == "FAILED" else "INFO",
            "eventName": f"SERVICE_DEPLOYMENT_{what}",
            "deploymentId": group.id,
            "updatedAt": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "reason": group.reason,
        }
        self._on_event(event(service.place, "aws.ecs", "ECS Deployment State Change", at, [service.arn], detail))

    def _move(self, deployment: ServiceDeployment, status: str, at: float) -> None:
        deployment.status = status
        deployment.updated_at = at
