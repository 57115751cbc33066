"""approval: ask people, with a token; read what they decided, without."""

from __future__ import annotations

import math
from typing import Any

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.question import Answer, Question
from chatops.errors import DecisionRecorded
from chatops.messages.catalogue import duration, say
from chatops.messages.view import View
from chatops.messages.who import asked_of
from chatops.steps import promotion, speak
from chatops.store import cancels, questions, results, waits
from chatops.store.table import Table, table
from chatops.targets import LOOKS

_ASK_AGAIN = 60
"""Seconds until a card that Slack did not take is shown again."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """By `mode`. `request`, and `promotion` for a rollout that is paused: store the token, show the buttons, mention
    those who may press them; raises DecisionRecorded if there is nothing to wait for. `read`: the approval's decision
    (not_needed where the policy asks nobody), and how long the next wait may be."""
    return _read(event) if event["mode"] == "read" else _request(event)


def _request(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, state, rows = str(event["deployment_id"]), event["state"], table()
    mark = str(state["rollout"]["pause"]["mark"]) if event["mode"] == "promotion" else ""
    question = questions.get(rows, deployment_id, mark)
    if (question and question.decision) or cancels.get(rows, deployment_id):
        raise DecisionRecorded("There is a decision already.")
    if mark and not (question and question.eligible):
        question = questions.address(rows, deployment_id, mark, promotion.eligible(state))
    if not waits.park(rows, deployment_id, str(event["token"]), int(event["wake"])):
        raise DecisionRecorded("Something changed since the decision was read.")
    if not (mark and question):
        _ask(speak.view_of(Deployment.of(event)))
        return {}
    pause = {**state["rollout"]["pause"], "eligible": list(question.eligible)}
    seen = speak.view_of(Deployment.of({**event, "state": {**state, "rollout": {**state["rollout"], "pause": pause}}}))
    if speak.show(seen):
        key, text, everywhere = promotion.ping(seen, question)
        speak.short(deployment_id, key, text, everywhere=everywhere)
    return {}


def _ask(seen: View) -> bool:
    """Show the card, and mention those who may decide; False if Slack did not take it."""
    return speak.show(seen) and speak.short(seen.id, "approval", _ping(seen), everywhere=True)


def _ping(seen: View) -> str:
    return say(
        "approval_ping_rollback" if seen.command == "rollback" else "approval_ping",
        people=asked_of(seen),
        user=seen.requester,
        version=seen.version,
        target=seen.target,
        deadline=seen.deployment.approval.deadline or "",
    )


def _read(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, rows = str(event["deployment_id"]), table()
    if event["state"]["plan"]["approval"]["required"]:
        result = _decision(event, rows)
    else:
        cancel = cancels.get(rows, deployment_id)
        result = {"decision": "cancelled", "by": str(cancel["by"])} if cancel else {"decision": "not_needed"}
    if result["decision"] != "pending":
        results.keep(rows, deployment_id, "approval", result)
    return result


def _decision(event: dict[str, Any], rows: Table) -> dict[str, Any]:
    deployment_id, plan = str(event["deployment_id"]), event["state"]["plan"]
    wake, now = waits.counter(rows, deployment_id), clock.now()  # the counter first, then the truth
    question = questions.ask(rows, deployment_id, _question(plan, now))
    if not question.decision and now >= question.deadline_at and not cancels.get(rows, deployment_id):
        question = questions.record(rows, deployment_id, Answer.EXPIRED)
    if not question.decision and (cancel := cancels.get(rows, deployment_id)):
        return _result(question, wake, "cancelled", str(cancel["by"]))
    result = _result(question, wake, str(question.decision or "pending"), question.by)
    seen = speak.view_of(Deployment.of({**event, "state": {**event["state"], "approval": result}}))
    if question.decision is Answer.APPROVED:
        speak.show(seen)  # the buttons give way to the decision at once, whatever comes next
    if question.decision:
        return result
    upcoming = min(question.deadline_at, _remind(rows, seen, question, plan, now)) - now
    if not _ask(seen):  # nobody can decide who has not seen the card
        upcoming = min(upcoming, max(_ASK_AGAIN, plan["timing"]["approval"] / LOOKS))
    result["wait_seconds"] = max(math.ceil(upcoming), 1)
    return result


def _remind(rows: Table, seen: View, question: Question, plan: dict[str, Any], now: float) -> float:
    """Send the reminder if it is due; when the next one is."""
    if now < question.next_reminder_at:
        return question.next_reminder_at
    following: float = now + plan["timing"]["reminder"]
    if questions.reminded(rows, seen.id, question.next_reminder_at, following):
        who = asked_of(seen)
        left = duration(question.deadline_at - now)
        text = say("reminder", people=who, version=seen.version, target=seen.target, left=left)
        speak.short(seen.id, f"reminder-{int(now)}", text)
    return following


def _question(plan: dict[str, Any], now: float) -> Question:
    people, timing = plan["approval"], plan["timing"]
    return Question(
        asked_at=now,
        deadline_at=now + timing["approval"],
        eligible=tuple(people["eligible"]),
        quorum=int(people["quorum"]),
        next_reminder_at=now + timing["reminder"],
    )


def _result(question: Question, wake: int, decision: str, by: str) -> dict[str, Any]:
    return {
        "decision": decision,
        "by": by,
        "reason": question.reason,
        "votes": dict(question.votes),
        "eligible": list(question.eligible),
        "quorum": question.quorum,
        "deadline": clock.iso(question.deadline_at),
        "seconds": question.took(clock.now()),
        "wake": wake,
        "wait_seconds": 1,
    }
