"""approval: ask people whether it may be deployed, or whether its paused rollout may go on, with a token; read what an
approval has come to, without."""

from __future__ import annotations

import math
from dataclasses import replace

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import DecisionRecorded
from chatops.domain.event import StepEvent
from chatops.domain.plan import Plan
from chatops.domain.question import Answer, Question
from chatops.domain.results import Decision
from chatops.domain.target import LOOKS
from chatops.messages.catalogue import Markup, duration, say
from chatops.messages.lines import notes
from chatops.messages.paused import where
from chatops.messages.view import View
from chatops.messages.who import asked
from chatops.platforms.rollout import CONTINUE
from chatops.settings.targets import targets
from chatops.slack import posting
from chatops.steps import policy
from chatops.store import cancels, questions, results, wakeups
from chatops.store.table import Table, table

_ASK_AGAIN = 60
"""Seconds until a card that Slack did not take is shown again."""


def run(event: StepEvent) -> Decision | None:
    """By `mode`. `request`, and `promotion` for a rollout that is paused: store the token, show the buttons, mention
    those who may press them; raises DecisionRecorded if there is nothing to wait for. `read`: the approval's decision
    (not_needed where the policy asks nobody), and how long the next wait may be."""
    if event.mode == "read":
        return _read(event.deployment)
    _request(event)
    return None


def _request(event: StepEvent) -> None:
    deployment, rows = event.deployment, table()
    pause = deployment.rollout.pause if event.mode == "promotion" else None
    mark = pause.mark or "" if pause else ""
    question = questions.get(rows, deployment.id, mark)
    if (question and question.decision) or cancels.get(rows, deployment.id):
        raise DecisionRecorded("There is a decision already.")
    if mark and not (question and question.eligible):
        question = questions.address(rows, deployment.id, mark, _promoters(deployment))
    if not wakeups.park(rows, deployment.id, event.token, event.wake):
        raise DecisionRecorded("Something changed since the decision was read.")
    question = question or questions.ask(rows, deployment.id, _question(deployment.plan))
    if pause:
        rollout = replace(deployment.rollout, pause=replace(pause, eligible=question.eligible))
        deployment = replace(deployment, rollout=rollout)
    _ask(posting.view_of(deployment), question)


def _promoters(deployment: Deployment) -> tuple[str, ...]:
    plan = deployment.plan
    approval, approved = plan.approval, deployment.approval.decision == Answer.APPROVED
    people = approval.eligible if approval else ()
    return policy.promoters(targets()[plan.target], plan.requester.id, people, approved=approved)


def _ask(seen: View, question: Question) -> bool:
    """Show the card, and mention those who may answer: once, and once each time that a reminder falls due, which also
    puts back a card that somebody has deleted. False if Slack did not take it."""
    due = question.reminders(clock.now(), seen.plan.timing.reminder)
    key = f"promotion-{question.mark}-{due}" if question.mark else f"reminder-{due}" if due else "approval"
    text = _mention(seen, question, reminds=due > 0)
    remind = due > 0 and not posting.is_posted(seen.id, key)
    return posting.show(seen, verify=remind) and posting.short(seen.id, key, text, everywhere=not due)


def _mention(seen: View, question: Question, *, reminds: bool) -> str:
    continues = question.on_timeout == CONTINUE
    values = {
        "version": seen.version,
        "target": seen.target,
        "user": seen.requester,
        "people": asked(seen.plan.approval, question.eligible, question.votes),
        "deadline": clock.iso(question.deadline_at),
        "left": duration(question.deadline_at - clock.now()),
        "where": where(question.stage, question.traffic),
        "then": Markup(say("promotion_then_continue" if continues else "promotion_then_rollback")),
    }
    if question.mark:
        return say("promotion_reminder" if reminds else "promotion_ping", values)
    if reminds:
        return say("reminder", values)
    ping = say("approval_ping_rollback" if seen.command == "rollback" else "approval_ping", values)
    return "\n".join([ping, *notes(seen.plan)])


def _read(deployment: Deployment) -> Decision:
    rows = table()
    if deployment.plan.approval:
        result = _decision(deployment, rows)
    elif cancel := cancels.get(rows, deployment.id):
        result = Decision("cancelled", cancel.by)
    else:
        result = Decision("not_needed")
    if result.decision != "pending":
        results.keep(rows, deployment.id, "approval", result)
    return result


def _decision(deployment: Deployment, rows: Table) -> Decision:
    wake, now = wakeups.counter(rows, deployment.id), clock.now()  # the counter first, then the truth
    question = questions.ask(rows, deployment.id, _question(deployment.plan))
    if not question.decision and now >= question.deadline_at and not cancels.get(rows, deployment.id):
        question = questions.record(rows, deployment.id, Answer.EXPIRED)
    if not question.decision and (cancel := cancels.get(rows, deployment.id)):
        return _result(question, wake, "cancelled", cancel.by)
    result = _result(question, wake, str(question.decision or "pending"), question.by)
    seen = posting.view_of(replace(deployment, approval=result))
    if question.decision is Answer.APPROVED:
        posting.show(seen)  # the buttons give way to the decision at once, whatever comes next
    if question.decision:
        return result
    timing = deployment.plan.timing
    reminder_at = question.asked_at + (question.reminders(now, timing.reminder) + 1) * timing.reminder
    upcoming = min(question.deadline_at, reminder_at) - now
    if not _ask(seen, question):  # nobody can decide who has not seen the card
        upcoming = min(upcoming, max(_ASK_AGAIN, timing.approval / LOOKS))
    return replace(result, wait_seconds=max(math.ceil(upcoming), 1))


def _question(plan: Plan) -> Question:
    if plan.approval is None:
        raise ValueError("The plan asks nobody.")
    now = clock.now()
    return Question(now, now + plan.timing.approval, plan.approval.eligible, plan.approval.quorum)


def _result(question: Question, wake: int, decision: str, by: str) -> Decision:
    return Decision(
        decision=decision,
        by=by,
        reason=question.reason,
        votes=question.votes,
        eligible=question.eligible,
        quorum=question.quorum,
        deadline=clock.iso(question.deadline_at),
        seconds=question.took(clock.now()),
        wake=wake,
        wait_seconds=1,
    )
