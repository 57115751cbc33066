"""promote: let a paused rollout go on, at exactly the pause that people saw and promoted."""

from __future__ import annotations

from typing import Any

from chatops.domain.reason import Reason
from chatops.errors import ServiceRefused
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.ecs_service import Service
from chatops.platforms.rollout import Pause
from chatops.steps.dispatch import assert_ours
from chatops.store import approvals, pauses
from chatops.store.table import Table, table
from chatops.targets import targets


def run(event: dict[str, Any]) -> dict[str, Any]:
    """`continued`: whether this call let it go on; False where it waits there no longer, or nobody wants it to go on.
    `refused`: the reason, where the service does not allow it; then the rollout cannot go on, and is rolled back.

    A release that is being restored goes on without asking people: it has been live before.

    Raises AlreadySettled where this deployment must not have an effect any more, ServiceRefused where the service does
    not allow a restored release to go on.
    """
    deployment_id, state, rows = str(event["deployment_id"]), event["state"], table()
    target = targets()[state["plan"]["target"]]
    assert_ours(rows, deployment_id, target.name)
    restoring = state.get("restored") or {}
    seen = (restoring or state["rollout"]).get("pause") or {}
    if not seen or not (restoring or _promoted(rows, deployment_id, str(seen["mark"]))):
        return {"continued": False}
    pause = Pause(id=str(seen["id"]), of=str(seen["of"]))
    platform = Group(target) if target.kind == "codedeploy" else Service(target)
    try:
        return {"continued": platform.proceed(pause)}
    except ServiceRefused as refused:
        if restoring:
            raise
        return {"continued": False, "refused": Reason("why_error", said=refused.reason).as_json()}


def _promoted(rows: Table, deployment_id: str, mark: str) -> bool:
    row = pauses.get(rows, deployment_id, mark) or {}
    return row.get("decision") == "promoted" and not approvals.cancelled(rows, deployment_id)
