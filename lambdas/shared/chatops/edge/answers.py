"""Answers to a question, by button or by an operator: who may answer now, what is recorded, and what the person reads.
The click records; the task token only wakes the execution."""

from __future__ import annotations

from chatops import clock, deadline
from chatops.domain.question import SLACK, Answer, Objection, Question, closed
from chatops.edge import cancelling
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import refused
from chatops.messages.catalogue import Markup, duration, escape, plain, say
from chatops.messages.who import people
from chatops.store import cancels, deployments, questions, waits
from chatops.store.table import Item, Table
from chatops.targets import targets

_RECORDED = {
    Answer.APPROVED: "click_approved",
    Answer.REJECTED: "click_rejected",
    Answer.PROMOTED: "click_promoted",
    Answer.ROLLED_BACK: "click_pause_rolled_back",
}


def obstacle(rows: Table, deployment_id: str, mark: str, answer: Answer, user: str, channel: str) -> str:
    """Why this user's answer doesn't count, as a refusal; empty if it does. `mark` identifies the pause (empty: the
    approval); an empty `channel` isn't checked."""
    record, question = deployments.get(rows, deployment_id), questions.get(rows, deployment_id, mark)
    text = closed_text(rows, deployment_id, record, question)
    if text or record is None or question is None:  # without either it is closed
        return text
    plan = record["plan"]
    target = targets().get(plan["target"])
    objection = question.refused(
        answer,
        user,
        requester=str((plan.get("requester") or {}).get("id") or ""),
        approvers=target.policy.approvers if target else (),
        may_cancel=cancelling.may_cancel(target, plan, user),
    )
    if not objection and channel and plan.get("channel") and channel != plan["channel"]:
        objection = Objection("click_wrong_channel")
    return _text(deployment_id, objection) if objection else ""


def closed_text(rows: Table, deployment_id: str, record: Item | None, question: Question | None) -> str:
    """Why nobody can answer any more, as a refusal; empty while the question is open."""
    if record is None:
        return refused("click_unknown")
    ended = deployments.outcome(record) or {}
    cancel = cancels.get(rows, deployment_id) if question and not question.decision else None
    objection = closed(question, str(ended.get("end", "")), str(cancel["by"]) if cancel else None, clock.now())
    return _text(deployment_id, objection) if objection else ""


def record(
    rows: Table, deployment_id: str, mark: str, answer: Answer, by: str, reason: str = "", via: str = SLACK
) -> str:
    """Record the answer of somebody who may give it, and wake the execution; what the person reads: a refusal where
    something else was recorded first."""
    question = questions.record(rows, deployment_id, answer, by, reason, mark=mark, via=via)
    if not question.holds(answer, by):
        return closed_text(rows, deployment_id, deployments.get(rows, deployment_id), question)
    if question.decision:
        text = say(_RECORDED[answer], id=deployment_id)
    else:
        text = say("click_counted", id=deployment_id, have=len(question.votes), want=question.quorum)
    deadline.recorded(text)
    waits.nudge(rows, deployment_id, patience=PATIENCE)  # also for a vote: the card shows how many have agreed
    return text


def _text(deployment_id: str, objection: Objection) -> str:
    return refused(
        objection.key,
        id=deployment_id,
        people=people(objection.people),
        user=objection.user,
        by=objection.by,
        decision=Markup(escape(plain(f"decision_{objection.decision}"))) if objection.decision else "",
        end=objection.end,
        ago=duration(objection.ago),
    )
