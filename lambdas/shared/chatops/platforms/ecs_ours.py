"""Whose release an ECS service runs or moves to: asked before another one is put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chatops.domain import image as image_of
from chatops.domain.deployment import Deployment
from chatops.domain.stage import Outputs
from chatops.platforms.ecs_service import Service
from chatops.platforms.ecs_verdict import ServiceDeployment, live_task_definition, newest

TAG = "platform-deploy:deployment"
"""The tag by which the pipeline's task definitions name their deployment (.github/scripts/task_definition.py)."""
_SKEW = 300
"""Seconds by which ECS's clock and ours may differ."""
_TAKEN_BACK = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})


def left_alone(
    deployment: Deployment,
    service: Service,
    found: Mapping[str, Any],
    brought: Sequence[ServiceDeployment],
    wanted: str,
) -> str:
    """Why nothing is to be put back: `untouched` where the deployment changed nothing, `overtaken` where the service
    runs or moves to a release that is neither its own nor `wanted`; empty where `wanted` is to be put back.

    `found`, `brought`: the service and its service deployments.
    """
    ours, live, last = _Ours(deployment, service), live_task_definition(found), newest(brought)
    if not live or (deployment.rollout.restoring and not brought):
        return ""
    if live == wanted:
        return "" if ours.changed(found, brought) else "untouched"
    if ours.is_release(live) or (last and last.status in _TAKEN_BACK and ours.is_release(last.task_definition)):
        return ""  # in the second case ECS has taken ours back, to another release than the recorded one
    return "overtaken"


class _Ours:
    """Which task definitions are a deployment's own. Each is looked up once."""

    def __init__(self, deployment: Deployment, service: Service) -> None:
        self._deployment, self._service = deployment, service
        self._reported = (deployment.deploy.outputs or Outputs()).task_definition
        self._known: dict[str, bool] = {}

    def changed(self, found: Mapping[str, Any], brought: Sequence[ServiceDeployment]) -> bool:
        """True if the service was ever moved to the deployment's release. (A stage that failed may have reported a task
        definition that it only registered.)"""
        of = self._deployment
        if of.rollout or of.deploy.state == "succeeded":
            return True
        names = {str(each.get("taskDefinition", "")) for each in found.get("deployments", [])}
        names |= {each.task_definition for each in brought if each.created_at >= of.plan.started_at - _SKEW}
        return any(self.is_release(each) for each in names if each)

    def is_release(self, task_definition: str) -> bool:
        """By what the stage reported, by the tag or, without one, by the image. What can't be read counts as the
        deployment's own."""
        if task_definition == self._reported:
            return True
        if task_definition not in self._known:
            self._known[task_definition] = self._looked_up(task_definition)
        return self._known[task_definition]

    def _looked_up(self, task_definition: str) -> bool:
        seen = self._service.marked(task_definition, TAG)
        if seen is None:
            return True
        deployment_id, images = seen
        if deployment_id:
            return deployment_id == self._deployment.id
        built = (self._deployment.build.outputs or Outputs()).image or ""
        return bool(built) and any(image_of.same(each, built) for each in images)
