"""restore: put the recorded healthy release back straight away, without GitHub."""

from __future__ import annotations

from typing import Any

from chatops.domain.reason import Reason
from chatops.errors import ServiceRefused
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.ecs_service import Service
from chatops.platforms.ecs_verdict import ServiceDeployment
from chatops.steps import redeploy
from chatops.steps.dispatch import assert_ours
from chatops.store import results, stages
from chatops.store.table import table
from chatops.targets import targets

_MOVING = frozenset({"PENDING", "IN_PROGRESS"})
# not STOP_REQUESTED: a rollback is requested as ROLLBACK_REQUESTED; a stop leaves what runs, and restores nothing
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html (stopType)
_RESTORING = frozenset({"ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})


def run(event: dict[str, Any]) -> dict[str, Any]:
    """How it is being put back. Raises AlreadySettled where this deployment must not have an effect any more."""
    how = _put_back(event)
    results.keep(table(), str(event["deployment_id"]), "rollback", how)
    return how


def _put_back(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, plan = str(event["deployment_id"]), event["state"]["plan"]
    target, back = targets()[plan["target"]], plan["previous"]
    assert_ours(table(), deployment_id, target.name)
    stages.revoke(table(), deployment_id, "deploy")  # no late run of it may come after what is put back
    if target.kind == "codedeploy":
        return redeploy.put_back(deployment_id, event["state"], Group(target))
    wanted = str(back.get("task_definition") or "")
    service = Service(target)
    if not wanted or not service.usable(wanted):
        raise ServiceRefused("task_definition_gone", task_definition=wanted or Reason("nothing_recorded"))
    live = service.live_task_definition()  # first: it says in words which service or cluster is missing
    newest = max(service.deployments(), key=lambda d: d.created_at, default=None)
    if newest and newest.task_definition != wanted and (how := _by_ecs(service, newest, wanted)):
        return {"how": how, "task_definition": wanted}
    if live == wanted:
        return {"how": "unchanged", "task_definition": wanted}
    service.update(wanted)
    return {"how": "update_service", "task_definition": wanted}


def _by_ecs(service: Service, newest: ServiceDeployment, wanted: str) -> str:
    """While the newest rollout can still be turned round to exactly the wanted release, ECS does that fastest."""
    if newest.source_task_definition != wanted:
        return ""
    if newest.status in _RESTORING:
        return "ecs_rollback"
    if newest.status in _MOVING and service.stop_with_rollback(newest.arn):
        return "stop_service_deployment"
    return ""
