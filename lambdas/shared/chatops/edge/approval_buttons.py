"""The buttons of an approval: Approve, and Reject… with the modal that asks for a reason."""

from __future__ import annotations

import json

from chatops.domain.errors import ChatOpsError, Refusal
from chatops.domain.question import Answer
from chatops.edge import answers
from chatops.messages.modals import reject as modal
from chatops.network import deadline
from chatops.slack import client as slack
from chatops.store.table import Table

_REASON_LIMIT = 500


def approve(rows: Table, deployment_id: str, user: str, channel: str) -> str:
    """Count the approval; the text for the person. Raises Refusal."""
    answers.check(rows, deployment_id, "", Answer.APPROVED, user, channel)
    return answers.record(rows, deployment_id, "", Answer.APPROVED, user)


def ask_reason(
    rows: Table, deployment_id: str, user: str, channel: str, trigger_id: str = "", response_url: str = ""
) -> None:
    """Open the modal that asks for the reason of a rejection. Raises Refusal."""
    answers.check(rows, deployment_id, "", Answer.REJECTED, user, channel)
    private = json.dumps({"id": deployment_id, "response_url": response_url[:1000]})
    deadline.change()
    try:
        slack.call("views.open", trigger_id=trigger_id, view=modal(private))
    except ChatOpsError:
        raise Refusal("click_failed") from None


def reject(rows: Table, deployment_id: str, user: str, reason: str) -> str:
    """Record the rejection; the text for the person. Raises Refusal."""
    answers.check(rows, deployment_id, "", Answer.REJECTED, user, "")
    return answers.record(rows, deployment_id, "", Answer.REJECTED, user, reason[:_REASON_LIMIT])
