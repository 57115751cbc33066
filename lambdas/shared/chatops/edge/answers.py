"""Answers to a question, by button or by an operator: who may answer now, what is recorded, and what the person reads.
The click records; the task token only wakes the execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain import command_names
from chatops.domain.errors import Refusal
from chatops.domain.plan import Plan
from chatops.domain.question import SLACK, Answer, Question, closed
from chatops.domain.reason import Reason
from chatops.edge import PATIENCE, cancel
from chatops.messages.catalogue import duration, say
from chatops.network import deadline
from chatops.settings.targets import targets
from chatops.slack import approvers
from chatops.store import cancels, deployments, messages, questions, wakeups
from chatops.store.table import Table

if TYPE_CHECKING:
    from chatops.domain.record import Record
    from chatops.domain.text_keys import TextKey

_RECORDED: dict[Answer, TextKey] = {
    Answer.APPROVED: "click_approved",
    Answer.REJECTED: "click_rejected",
    Answer.PROMOTED: "click_promoted",
    Answer.ROLLED_BACK: "click_pause_rolled_back",
}


def check(rows: Table, deployment_id: str, mark: str, answer: Answer, user: str, channel: str) -> Plan:
    """The deployment's plan. Raises Refusal if this user's answer doesn't count. `mark`: identifies the pause (empty:
    the approval); an empty `channel` isn't checked."""
    question = questions.get(rows, deployment_id, mark)
    plan = check_open(rows, deployment_id, deployments.get(rows, deployment_id), question).plan
    if question is None:
        raise Refusal("click_unknown")  # never: without one it is closed
    target = targets().get(plan.target)
    reason = question.refused(
        answer,
        user,
        requester=plan.requester.id,
        approvers=target.policy.approvers if target else (),
        may_cancel=cancel.may_cancel(target, plan, user),
    )
    asked = user in question.eligible and user != plan.requester.id
    if not reason and asked and not approvers.still_counts(target, user, patience=PATIENCE):
        reason = Reason("click_not_any_more", target=plan.target)
    if not reason and is_elsewhere(rows, deployment_id, plan, channel):
        reason = Reason("click_wrong_channel")
    if reason:
        raise _refusal(deployment_id, plan, reason)
    return plan


def is_elsewhere(rows: Table, deployment_id: str, plan: Plan, channel: str) -> bool:
    """Whether a click came from another channel than the deployment's message is in: its own, or the configured one
    where that takes no messages."""
    if not channel or not plan.channel or channel == plan.channel:
        return False
    return channel != messages.get(rows, deployment_id).channel


def check_open(rows: Table, deployment_id: str, record: Record | None, question: Question | None) -> Record:
    """The record. Raises Refusal if nobody can answer any more."""
    if record is None:
        raise Refusal("click_unknown")
    command_names.use(record.plan.command_prefix)
    cancel = cancels.get(rows, deployment_id) if question and not question.decision else None
    reason = closed(question, record.outcome.end, cancel.by if cancel else None, clock.now())
    if reason:
        raise _refusal(deployment_id, record.plan, reason)
    return record


def record(
    rows: Table, deployment_id: str, plan: Plan, mark: str, answer: Answer, by: str, reason: str = "", via: str = SLACK
) -> str:
    """Record the answer of somebody who may give it, and wake the execution; the text for the person. Raises Refusal if
    something else was recorded first."""
    question = questions.record(rows, deployment_id, answer, by, reason, mark=mark, via=via)
    if not question.holds(answer, by):
        check_open(rows, deployment_id, deployments.get(rows, deployment_id), question)
        raise Refusal("click_failed")
    about = {"version": plan.version, "target": plan.target}
    if not question.decision:
        text = say("click_counted", about, have=len(question.votes), want=question.quorum)
    elif answer is Answer.APPROVED and plan.command == "rollback":
        text = say("click_approved_rollback", about)
    else:
        text = say(_RECORDED[answer], about)
    deadline.recorded(text)
    wakeups.nudge(rows, deployment_id, patience=PATIENCE)  # also for a vote: the card shows how many have agreed
    return text


def _refusal(deployment_id: str, plan: Plan, reason: Reason) -> Refusal:
    ago = reason.values.get("ago")
    shown = {"ago": duration(ago)} if isinstance(ago, float) else {}
    about = {"id": deployment_id, "version": plan.version, "target": plan.target}
    return Refusal(reason.key, **{**reason.values, **shown, **about})
