"""approval: ask people, with a token; read what they decided, without."""

from __future__ import annotations

import math
from typing import Any

from chatops import clock
from chatops.errors import DecisionRecorded
from chatops.messages.catalogue import duration, say
from chatops.messages.facts import View
from chatops.messages.who import asked
from chatops.steps import promotion, speak
from chatops.store import approvals, results, waits
from chatops.store.approvals import Question
from chatops.store.table import Item, table
from chatops.targets import LOOKS

_ASK_AGAIN = 60
"""Seconds until a card that Slack did not take is shown again."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """With `mode` request: store the token, show the card; raises DecisionRecorded if there is nothing to wait for.
    With `mode` promotion: the same for a rollout that is paused. With `mode` read: the decision (not_needed where
    the policy asks nobody), and how long the next wait may be."""
    if event["mode"] == "promotion":
        return promotion.request(event)
    return _request(event) if event["mode"] == "request" else _read(event)


def _request(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, rows = str(event["deployment_id"]), table()
    if (approvals.get(rows, deployment_id) or {}).get("decision") or approvals.cancelled(rows, deployment_id):
        raise DecisionRecorded("There is a decision already.")
    if not waits.park(rows, deployment_id, str(event["token"]), int(event["wake"])):
        raise DecisionRecorded("Something happened since the last look.")
    _ask(speak.view_of(event))
    return {}


def _ask(seen: View) -> bool:
    """Show the card, and mention those who may decide; False if Slack did not take it."""
    return speak.show(seen) and speak.short(seen.deployment_id, "approval", _ping(seen), everywhere=True)


def _ping(seen: View) -> str:
    key = "approval_ping_rollback" if seen.command == "rollback" else "approval_ping"
    return say(
        key,
        people=asked(seen.plan.get("approval") or {}, seen.approval),
        user=seen.requester,
        version=seen.version,
        target=seen.target,
        deadline=str(seen.approval.get("deadline", "")),
    )


def _read(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, rows = str(event["deployment_id"]), table()
    if event["state"]["plan"]["approval"]["required"]:
        fact = _decision(event)
    else:
        cancel = approvals.cancelled(rows, deployment_id)
        fact = {"decision": "cancelled", "by": str(cancel["by"])} if cancel else {"decision": "not_needed"}
    if fact["decision"] != "pending":
        results.keep(rows, deployment_id, "approval", fact)
    return fact


def _decision(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, plan, rows = str(event["deployment_id"]), event["state"]["plan"], table()
    wake, now = waits.counter(rows, deployment_id), clock.now()  # the counter first, then the truth
    row = approvals.open_question(rows, deployment_id, _question(plan, now))
    if not row.get("decision"):
        if cancel := approvals.cancelled(rows, deployment_id):
            return _fact(row, wake, decision="cancelled", by=str(cancel["by"]))
        if now >= float(row["deadline_at"]):
            row = approvals.decide(rows, deployment_id, "expired", "")
            if not row.get("decision") and (cancel := approvals.cancelled(rows, deployment_id)):
                return _fact(row, wake, decision="cancelled", by=str(cancel["by"]))
    if row.get("decision"):
        fact = _fact(row, wake, decision=str(row["decision"]), by=str(row.get("by", "")))
        if fact["decision"] == "approved":
            # the buttons give way to the decision at once, whatever comes next
            speak.show(speak.view_of({**event, "state": {**event["state"], "approval": fact}}))
        return fact
    fact = _fact(row, wake, decision="pending", by="")
    seen = speak.view_of({**event, "state": {**event["state"], "approval": fact}})
    if now >= float(row["next_reminder_at"]):
        following = now + plan["timing"]["reminder"]
        if approvals.reminded(rows, deployment_id, float(row["next_reminder_at"]), following):
            left = duration(float(row["deadline_at"]) - now)
            who = asked(plan["approval"], fact)
            text = say("reminder", people=who, version=seen.version, target=seen.target, left=left)
            speak.short(deployment_id, f"reminder-{int(now)}", text)
        row["next_reminder_at"] = following
    upcoming = min(float(row["deadline_at"]), float(row["next_reminder_at"])) - now
    if not _ask(seen):  # who has not seen the card cannot decide
        upcoming = min(upcoming, max(_ASK_AGAIN, plan["timing"]["approval"] / LOOKS))
    fact["wait_seconds"] = max(math.ceil(upcoming), 1)
    return fact


def _question(plan: dict[str, Any], now: float) -> Question:
    asked, timing = plan["approval"], plan["timing"]
    return Question(tuple(asked["eligible"]), int(asked["quorum"]), now + timing["approval"], now + timing["reminder"])


def _fact(row: Item, wake: int, *, decision: str, by: str) -> dict[str, Any]:
    ended = float(row.get("decided_at") or clock.now())
    return {
        "decision": decision,
        "by": by,
        "reason": str(row.get("reason") or ""),
        "votes": row.get("votes") or {},
        "eligible": list(row.get("eligible") or []),
        "quorum": int(row["quorum"]),
        "deadline": clock.iso(float(row["deadline_at"])),
        "seconds": round(ended - float(row["asked_at"]), 1),
        "wake": wake,
        "wait_seconds": 1,
    }
