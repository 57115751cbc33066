"""Targets on Amazon ECS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from chatops import clock
from chatops.domain import image as image_of
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Refusal, ServiceRefused
from chatops.domain.reason import Reason
from chatops.domain.release import Release
from chatops.domain.results import Restore, RolloutResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms import ecs_verdict
from chatops.platforms.ecs_ours import left_alone
from chatops.platforms.ecs_service import Service
from chatops.platforms.ecs_verdict import ServiceDeployment
from chatops.platforms.platform import Texts
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_MOVING = frozenset({"PENDING", "IN_PROGRESS"})
# not STOP_REQUESTED: a rollback is requested as ROLLBACK_REQUESTED; a stop leaves what runs, and restores nothing
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html (stopType)
_RESTORING = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


@dataclass(frozen=True)
class Ecs:
    """A release is a task definition. ECS's service deployments say how its rollout stands; where a service has none,
    its PRIMARY deployment does."""

    target: Target

    kind: ClassVar[str] = "ecs"
    pipeline_only: ClassVar[bool] = False
    client: ClassVar[str] = "ecs"
    lists_lag: ClassVar[bool] = True
    texts: ClassVar[Texts] = Texts("why_no_output", "line_breaker", "status_drift")

    @property
    def _service(self) -> Service:
        return Service(self.target)

    def live(self, ledger: Sequence[Release]) -> Release | None:
        """What ECS calls complete, never what the service only moves to; where nothing is, the ledger's newest release.
        A task definition that the ledger does not know is named by its image's tag. Raises Refusal."""
        try:
            service = self._service.describe()
        except ServiceRefused as error:
            raise Refusal("service_missing", said=error.reason, target=self.target.name) from None
        if service.get("status") == "DRAINING":
            deleted = Reason("ecs_draining", service=self.target.service, cluster=self.target.cluster)
            raise Refusal("service_missing", said=deleted, target=self.target.name)
        complete = ecs_verdict.completed_primary(service) or ecs_verdict.completed(service, self._service.deployments())
        if complete:
            known = next((r for r in ledger if r.task_definition == complete.task_definition), None)
            return known or self._unrecorded(complete.task_definition, clock.iso(complete.at))
        if ledger:
            return ledger[0]
        running = ecs_verdict.live_task_definition(service)
        return self._unrecorded(running, "") if running else None

    def _unrecorded(self, task_definition: str, verified_at: str) -> Release:
        image = self._service.image(task_definition)
        return Release(label(image, task_definition), "", image, task_definition, verified_at=verified_at)

    def usable(self, release: Release) -> bool:
        """False if its task definition is gone or inactive."""
        return self._service.usable(release.task_definition)

    def architecture(self, release: Release) -> str:
        """As its task definition says."""
        return self._service.architecture(release.task_definition)

    def drifted(self, recorded: Release, running: Release) -> bool:
        """By task definition."""
        return recorded.task_definition != running.task_definition

    def status(self) -> RolloutResult:
        """Counts, events and the newest service deployment."""
        try:
            found, brought = self._service.describe(), self._service.deployments()
        except ServiceRefused:
            return RolloutResult()
        shown = RolloutResult(**ecs_verdict.counts(found))
        newest = ecs_verdict.newest(brought)
        if newest is None:
            return replace(shown, status=str(ecs_verdict.primary(found).get("rolloutState", "")))
        if newest.status == "SUCCESSFUL":
            return replace(shown, status=newest.status)
        return replace(shown, **newest.shown, status=newest.status)

    def names(self) -> Mapping[str, str]:
        """Its cluster and service."""
        return {"cluster": self.target.cluster, "service": self.target.service}

    def reported(self, deployment: Deployment) -> Outputs:
        """As the stage reported them."""
        return deployment.deploy.outputs or Outputs()

    def begun(self, since: float) -> Outputs:
        """The task definition of the newest deployment since then."""
        found = ecs_verdict.brought(self._service.describe(), self._service.deployments(), since)
        return Outputs(task_definition=found) if found else Outputs()

    def rollout(self, deployment: Deployment, outputs: Outputs) -> Rollout | None:
        """By task definition or, where that wasn't reported, by image."""
        task_definition, image = outputs.task_definition or "", outputs.image or ""
        if not task_definition and not image:
            return None
        found, brought = self._service.describe(), self._service.deployments()
        if not task_definition and not any(d.brings("", image) for d in brought):
            # no service deployment carries the image: does what the service moves to or runs?
            live = ecs_verdict.live_task_definition(found)
            task_definition = live if live and self._service.image(live) == image else ""
        seen = ecs_verdict.rollout(found, brought, task_definition, image)
        built = (deployment.build.outputs or Outputs()).image or ""
        ours = ecs_verdict.newest([d for d in brought if d.brings(task_definition, image)])
        return self._approved(seen, built, task_definition, ours, early=not deployment.rollout)

    def _approved(
        self, seen: Rollout, approved: str, task_definition: str, ours: ServiceDeployment | None, *, early: bool
    ) -> Rollout:
        """What was seen, unless it does not run the image that was approved: then it failed, whatever ECS says, and
        at the first look (`early`) already. A digest that nobody tells yet is waited for."""
        brings = ours.task_definition if ours else task_definition
        due = seen.state is RolloutState.HEALTHY or (early and seen.state in (RolloutState.MOVING, RolloutState.PAUSED))
        if not approved or not brings or not due:
            return seen
        found = self._runs(brings, approved, ours)
        if found == approved:
            return seen
        if found:
            return replace(seen, state=RolloutState.FAILED, why=image_of.other(found, approved))
        return replace(seen, state=RolloutState.MOVING) if seen.state is RolloutState.HEALTHY else seen

    def _runs(self, task_definition: str, approved: str, ours: ServiceDeployment | None) -> str:
        """`approved` where a container of the task definition runs it, and none runs another image of its repository;
        else an image that runs instead; empty where no digest is known."""
        wanted, repository = image_of.digest(approved), image_of.repository(approved)
        images = self._service.images(task_definition)
        if not wanted:
            return approved if approved in images.values() else next(iter(images.values()), "")
        resolved = ours.resolved if ours else {}
        known = {name: image_of.digest(image) or resolved.get(name, "") for name, image in images.items()}
        own = [name for name, image in images.items() if image_of.repository(image) == repository]
        pulled = self._service.task_digests(task_definition) if not all(known[name] for name in own) else {}
        digests = {name: {known[name]} if known[name] else set(pulled.get(name, ())) for name in images}
        for name in own:
            if others := digests[name] - {wanted}:
                return f"{repository}@{min(others)}"
        if any(wanted in found for found in digests.values()):
            return approved
        return "" if own else next(iter(images.values()), "")

    def restore(self, deployment: Deployment) -> Restore:
        """By StopServiceDeployment while that turns the newest rollout back to the wanted release, which is fastest;
        else by UpdateService. What a deployment didn't change, or somebody else has changed since, is left alone; a
        pipeline that doesn't claim its stages tags nothing, so it isn't known whose release runs."""
        service, back = self._service, deployment.plan.previous
        wanted = back.task_definition if back else ""
        found = service.describe()  # first: its error names the service or cluster that is missing
        brought, live = service.deployments(), ecs_verdict.live_task_definition(found)
        asks = deployment.plan.command == "deploy" and self.target.claim
        if asks and (left := left_alone(deployment, service, found, brought, wanted)):
            return Restore(left, task_definition=wanted)
        if not wanted or not service.usable(wanted):
            raise ServiceRefused("task_definition_gone", task_definition=wanted or Reason("nothing_recorded"))
        newest = ecs_verdict.newest(brought)
        if newest and newest.task_definition != wanted and (how := self._turned_round(newest, wanted)):
            return Restore(how, task_definition=wanted)
        if live == wanted:
            return Restore("unchanged", task_definition=wanted)
        service.update(wanted)
        return Restore("update_service", task_definition=wanted)

    def _turned_round(self, newest: ServiceDeployment, wanted: str) -> str:
        if newest.source_task_definition != wanted:
            return ""
        if newest.status in _RESTORING:
            return "ecs_rollback"
        if newest.status in _MOVING and self._service.stop_with_rollback(newest.arn):
            return "stop_service_deployment"
        return ""

    def restored(self, deployment: Deployment) -> Rollout:
        """Whether the wanted task definition runs, and nothing else."""
        back = deployment.plan.previous
        wanted, service = back.task_definition if back else "", self._service
        found, brought = service.describe(), service.deployments()
        seen = ecs_verdict.restored(found, brought, wanted, deployment.restore.how)
        recorded = back.image if back and image_of.digest(back.image) else ""
        ours = ecs_verdict.newest([d for d in brought if d.brings(wanted, "")])
        return self._approved(seen, recorded, wanted, ours, early=False)

    def restores_again(self, deployment: Deployment, found: Rollout) -> bool:
        """Where ECS itself has returned to another release than the recorded one: to what became complete meanwhile."""
        back = deployment.plan.previous
        by_primary = deployment.rollout.restoring and found.status == "COMPLETED"
        returned = found.status == "ROLLBACK_SUCCESSFUL" or by_primary
        return returned and back is not None and found.task_definition not in ("", back.task_definition)

    def proceed(self, pause: Pause) -> bool:
        """By ContinueServiceDeployment."""
        return self._service.proceed(pause)

    @staticmethod
    def counts(desired: int | None) -> TextKey | None:
        """Of tasks."""
        return "field_tasks" if desired is not None else None

    @staticmethod
    def by_hand(previous: Release, names: Mapping[str, str]) -> Reason | None:
        """UpdateService to its task definition."""
        if not previous.task_definition or not names.get("cluster"):
            return None
        return Reason("by_hand_ecs", **names, task_definition=previous.task_definition)


def label(image: str, task_definition: str) -> str:
    """A name for what runs there and isn't in the ledger: the image's tag, else the task definition's revision."""
    name, _, tag = image.partition("@")[0].rpartition(":")
    if name and tag and "/" not in tag:
        return tag
    return task_definition.rpartition("/")[2] or "unknown"
