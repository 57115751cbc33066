"""The buttons of an approval: Approve, and Reject… with the modal that asks for a reason."""

from __future__ import annotations

import json

from chatops.domain.errors import ChatOpsError, Refusal
from chatops.domain.question import Answer
from chatops.edge import answers
from chatops.edge.replies import Addressee
from chatops.messages.modals import reject as modal
from chatops.network import deadline
from chatops.observability import logger
from chatops.slack import client as slack
from chatops.store.table import Table

_REASON_LIMIT = 500


def approve(rows: Table, deployment_id: str, user: str, channel: str) -> str:
    """Count the approval; the text for the person. Raises Refusal."""
    answers.check(rows, deployment_id, "", Answer.APPROVED, user, channel)
    return answers.record(rows, deployment_id, "", Answer.APPROVED, user)


def ask_reason(rows: Table, deployment_id: str, who: Addressee, trigger_id: str) -> None:
    """Open the modal that asks for the reason of a rejection. Raises Refusal; `click_again` where Slack opens none for
    this click: a trigger holds for three seconds and opens one modal."""
    answers.check(rows, deployment_id, "", Answer.REJECTED, who.user, who.channel)
    private = json.dumps({"id": deployment_id, "channel": who.channel, "response_url": who.response_url})
    deadline.change()
    try:
        slack.call("views.open", trigger_id=trigger_id, view=modal(private))
    except ChatOpsError as error:
        logger.warning("slack did not open the modal", reason=error.text)
        raise Refusal("click_again") from None


def reject(rows: Table, deployment_id: str, user: str, reason: str) -> str:
    """Record the rejection; the text for the person. Raises Refusal."""
    answers.check(rows, deployment_id, "", Answer.REJECTED, user, "")
    return answers.record(rows, deployment_id, "", Answer.REJECTED, user, reason[:_REASON_LIMIT])
