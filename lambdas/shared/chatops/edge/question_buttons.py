"""The buttons of a question. Of an approval: Approve, and Reject… with the modal that asks for a reason; at a rollout's
pause: Promote and Roll back, which are about exactly the pause that they name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain.errors import ChatOpsError, Refusal
from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.question import Answer
from chatops.edge import PATIENCE, answers
from chatops.edge.replies import Addressee
from chatops.messages import modals
from chatops.network import deadline
from chatops.observability import logger
from chatops.settings.targets import targets
from chatops.slack import approvers
from chatops.slack import client as slack
from chatops.store import deployments, freezes, questions
from chatops.store.table import Table

if TYPE_CHECKING:
    from chatops.domain.plan import Plan
    from chatops.domain.text_keys import TextKey

PAUSE = {"promote": Answer.PROMOTED, "pause_roll_back": Answer.ROLLED_BACK}
"""What each button at a pause answers."""

_REASON_LIMIT = 500
_MARK = re.compile(r"[0-9a-f]{12}")


def approve(rows: Table, deployment_id: str, who: Addressee, trigger_id: str) -> str:
    """Count the approval; the text for the person, empty where a modal has opened: what decides during a freeze wants a
    reason, by which the deployment goes through it. Raises Refusal."""
    plan = answers.check(rows, deployment_id, "", Answer.APPROVED, who.user, who.channel)
    decides = plan.command == "deploy" and _decides(rows, deployment_id, who.user)
    if decides and _breaks_glass(rows, deployment_id, who.user, "approve_frozen"):
        _open("approve", {"id": deployment_id}, plan, who, trigger_id)
        return ""
    return answers.record(rows, deployment_id, plan, "", Answer.APPROVED, who.user)


def approve_frozen(rows: Table, deployment_id: str, user: str, reason: str) -> str:
    """Record the approval during a freeze; the text for the person. Raises Refusal."""
    plan = answers.check(rows, deployment_id, "", Answer.APPROVED, user, "")
    _breaks_glass(rows, deployment_id, user, "approve_frozen")
    return answers.record(rows, deployment_id, plan, "", Answer.APPROVED, user, reason[:_REASON_LIMIT])


def _decides(rows: Table, deployment_id: str, user: str) -> bool:
    """Whether this approval is the last one that is wanted."""
    question = questions.get(rows, deployment_id)
    return question is not None and question.answered(Answer.APPROVED, user, clock.now()).decision is not None


def ask_reason(rows: Table, deployment_id: str, who: Addressee, trigger_id: str) -> None:
    """Open the modal that asks for the reason of a rejection. Raises Refusal; `click_again` where Slack opens none for
    this click: a trigger holds for three seconds and opens one modal."""
    plan = answers.check(rows, deployment_id, "", Answer.REJECTED, who.user, who.channel)
    _open("reject", {"id": deployment_id}, plan, who, trigger_id)


def _open(kind: modals.Kind, about: dict[str, str], plan: Plan, who: Addressee, trigger_id: str) -> None:
    private = json.dumps({**about, "channel": who.channel, "response_url": who.response_url})
    deadline.change()
    try:
        slack.call("views.open", trigger_id=trigger_id, view=modals.reason(kind, private, plan.version, plan.target))
    except ChatOpsError as error:
        logger.warning("slack did not open the modal", reason=error.text)
        raise Refusal("click_again") from None


def reject(rows: Table, deployment_id: str, user: str, reason: str) -> str:
    """Record the rejection; the text for the person. Raises Refusal."""
    plan = answers.check(rows, deployment_id, "", Answer.REJECTED, user, "")
    return answers.record(rows, deployment_id, plan, "", Answer.REJECTED, user, reason[:_REASON_LIMIT])


def at_pause(rows: Table, action: str, value: str, who: Addressee, trigger_id: str) -> str:
    """Record this person's answer about the pause in the button's value (`<deployment id>/<mark>`); the text for them,
    empty where a modal has opened: during a freeze a promotion wants a reason. Raises Refusal."""
    deployment_id, _, mark = value.partition("/")
    if not (EXECUTION_NAME.fullmatch(deployment_id) and _MARK.fullmatch(mark)):
        raise Refusal("click_unknown")
    plan = answers.check(rows, deployment_id, mark, PAUSE[action], who.user, who.channel)
    if PAUSE[action] is Answer.PROMOTED and _breaks_glass(rows, deployment_id, who.user, "promote_frozen"):
        _open("promote", {"id": deployment_id, "mark": mark}, plan, who, trigger_id)
        return ""
    return answers.record(rows, deployment_id, plan, mark, PAUSE[action], who.user)


def promote(rows: Table, deployment_id: str, mark: str, user: str, reason: str) -> str:
    """Record the promotion during a freeze; the text for the person. Raises Refusal."""
    plan = answers.check(rows, deployment_id, mark, Answer.PROMOTED, user, "")
    _breaks_glass(rows, deployment_id, user, "promote_frozen")
    return answers.record(rows, deployment_id, plan, mark, Answer.PROMOTED, user, reason[:_REASON_LIMIT])


def _breaks_glass(rows: Table, deployment_id: str, user: str, refused: TextKey) -> bool:
    """Whether a freeze holds that nobody has broken for this deployment. Raises Refusal, with when it ends, for those
    who may not."""
    record = deployments.get(rows, deployment_id)
    target = targets().get(record.plan.target) if record and not record.plan.break_glass else None
    found = freezes.holding(rows, target) if target else None
    if target is None or found is None:
        return False
    try:
        approvers.break_glass(target, user, patience=PATIENCE)
    except Refusal as refusal:
        raise Refusal(refused, freeze=found.sentence(target.name), why=refusal.reason) from None
    return True
