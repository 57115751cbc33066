"""A cancel: a recorded wish, by the requester or an approver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatops import aws, deadline
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import record, refused
from chatops.ids import deployment_id as id_of
from chatops.messages.catalogue import say
from chatops.observability import logger
from chatops.store import cancels, deliveries, deployments, locks, stages, waits
from chatops.store.table import Item, Table, table
from chatops.targets import Target, targets


def by_command(form: Mapping[str, str], deployment_id: str) -> dict[str, Any]:
    """`/platform-deploy cancel [id]`; without an id, what is in flight if that is one deployment."""
    from chatops.edge.commands import ephemeral

    user = form.get("user_id", "")
    if not deployment_id:
        rows = table(patience=PATIENCE)
        held = {h.deployment_id for name in targets() if (h := locks.holder(rows, name))}
        # a copy of this command must not cancel what has begun since
        delivery = id_of(form.get("team_id", ""), form.get("trigger_id", ""))
        deployment_id = deliveries.meant(rows, delivery, held.pop() if len(held) == 1 else "")
        if not deployment_id:
            return ephemeral(refused("cancel_which"))
    said = cancel(deployment_id, user)
    record(said, "cancel", deployment_id, user)
    return ephemeral(said)


def may_cancel(target: Target | None, plan: Mapping[str, Any], user: str) -> bool:
    """The requester and the approvers may."""
    asked = (plan.get("approval") or {}).get("eligible") or []
    approvers = target.policy.approvers if target else ()
    return user in {(plan.get("requester") or {}).get("id"), *asked, *approvers}


def cancel(deployment_id: str, user: str) -> str:
    """Record the cancel and wake whatever waits; the words for the one who asked."""
    rows = table(patience=PATIENCE)
    record = deployments.get(rows, deployment_id)
    if record is None:
        return refused("cancel_unknown", id=deployment_id)
    plan = record["plan"]
    if not may_cancel(targets().get(plan["target"]), plan, user):
        return refused("cancel_not_you", id=deployment_id, user=(plan.get("requester") or {}).get("id", ""))
    if obstacle := withdraw(rows, record, user):
        return refused(obstacle, id=deployment_id)
    return _recorded(deployment_id)


def withdraw(rows: Table, record: Item, by: str, via: str = "slack") -> str:
    """Record the cancel, by whoever may, and wake whatever waits; the key of a text where it is too late for that."""
    deployment_id, plan = str(record["deployment_id"]), record["plan"]
    if record.get("outcome"):
        return "cancel_settled"
    target = str(plan["target"]) if plan["command"] == "rollback" else ""
    if said := cancels.record(rows, deployment_id, by, via, rollback_of=target):
        return f"cancel_{said}"
    deadline.recorded(_recorded(deployment_id))
    for stage in stages.CANCELLABLE:
        _revoke(rows, deployment_id, stage)
    waits.nudge(rows, deployment_id, patience=PATIENCE)
    return ""


def _recorded(deployment_id: str) -> str:
    return say("cancel_recorded", id=deployment_id)


def _revoke(rows: Table, deployment_id: str, stage: str) -> None:
    """Where it fails (the run claims the ticket at this moment, say), the cancel stands all the same: a claim looks for
    it."""
    try:
        stages.revoke(rows, deployment_id, stage)
    except (BotoCoreError, ClientError) as error:
        code = aws.error_code(error) or type(error).__name__
        logger.warning("ticket not revoked", deployment_id=deployment_id, stage=stage, error=code)
