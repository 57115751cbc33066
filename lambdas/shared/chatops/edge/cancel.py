"""Cancelling a deployment: recorded on behalf of the requester or an approver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chatops import aws
from chatops.domain import command_names
from chatops.domain.errors import Refusal
from chatops.domain.ids import deployment_id as id_of
from chatops.domain.target import Target
from chatops.edge import PATIENCE
from chatops.messages.catalogue import say
from chatops.network import deadline
from chatops.observability import logger
from chatops.settings.targets import targets
from chatops.store import cancels, deliveries, deployments, locks, stages, wakeups
from chatops.store.table import Table, table

if TYPE_CHECKING:
    from chatops.domain.plan import Plan
    from chatops.domain.record import Record
    from chatops.domain.text_keys import TextKey

_TOO_LATE: dict[cancels.Obstacle, TextKey] = {
    "settled": "cancel_settled",
    "already": "cancel_already",
    "rollback": "cancel_rollback",
}


def by_command(form: Mapping[str, str], deployment_id: str) -> str:
    """`/platform-deploy cancel [id]`; without an id, the deployment in flight if there is only one. The text for the
    person. Raises Refusal."""
    if not deployment_id:
        rows = table(patience=PATIENCE)
        held = {h.deployment_id for name in targets() if (h := locks.holder(rows, name))}
        # a copy of this command must not cancel what has begun since
        delivery = id_of(form.get("team_id", ""), form.get("trigger_id", ""))
        deployment_id = deliveries.meant(rows, delivery, held.pop() if len(held) == 1 else "")
        if not deployment_id:
            raise Refusal("cancel_which")
    return cancel(deployment_id, form.get("user_id", ""))


def may_cancel(target: Target | None, plan: Plan, user: str) -> bool:
    """The requester and the approvers may."""
    asked = plan.approval.eligible if plan.approval else ()
    approvers = target.policy.approvers if target else ()
    return user in {plan.requester.id, *asked, *approvers}


def cancel(deployment_id: str, user: str) -> str:
    """Record the cancel and wake the execution; the text for the person. Raises Refusal."""
    rows = table(patience=PATIENCE)
    record = deployments.get(rows, deployment_id)
    if record is None:
        raise Refusal("cancel_unknown", id=deployment_id)
    command_names.use(record.plan.command_prefix)
    if not may_cancel(targets().get(record.plan.target), record.plan, user):
        plan = record.plan
        about = {"id": deployment_id, "version": plan.version, "target": plan.target}
        raise Refusal("cancel_not_you", user=plan.requester.id, **about)
    return withdraw(rows, record, user)


def withdraw(rows: Table, record: Record, by: str, via: str = "slack") -> str:
    """Record the cancel of somebody who may cancel, and wake the execution; the text for them. Raises Refusal if it is
    too late."""
    deployment_id, plan = record.deployment_id, record.plan
    about = {"id": deployment_id, "version": plan.version, "target": plan.target}
    if record.outcome:
        raise Refusal("cancel_settled", **about)
    target = plan.target if plan.command == "rollback" else ""
    if obstacle := cancels.record(rows, deployment_id, by, via, rollback_of=target):
        raise Refusal(_TOO_LATE[obstacle], **about)
    text = deadline.recorded(say("cancel_recorded", about))
    for stage in stages.CANCELLABLE:
        _revoke(rows, deployment_id, stage)
    wakeups.nudge(rows, deployment_id, patience=PATIENCE)
    return text


def _revoke(rows: Table, deployment_id: str, stage: str) -> None:
    """Where it fails (the run claims the ticket at this moment, say), the cancel stands all the same: a claim looks for
    it. Whatever goes wrong now, the person must be told that it is recorded, and the execution be woken."""
    try:
        stages.revoke(rows, deployment_id, stage)
    except Exception as error:  # noqa: BLE001 - it is recorded
        code = aws.error_code(error) or type(error).__name__
        logger.warning("ticket not revoked", deployment_id=deployment_id, stage=stage, error=code)
