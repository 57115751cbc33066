"""promotion: ask people whether a paused rollout may go on, with a token that only wakes."""

from __future__ import annotations

from typing import Any

from chatops import clock, policy
from chatops.errors import DecisionRecorded
from chatops.messages.catalogue import Markup, duration, say
from chatops.messages.facts import View
from chatops.messages.paused import where
from chatops.messages.who import asked
from chatops.steps import speak
from chatops.store import approvals, pauses, waits
from chatops.store.table import Item, table
from chatops.targets import targets


def request(event: dict[str, Any]) -> dict[str, Any]:
    """Store the token, show the buttons, mention those who may press them, and again when a reminder is due. Raises
    DecisionRecorded if there is nothing to wait for."""
    deployment_id, state, rows = str(event["deployment_id"]), event["state"], table()
    mark = str(state["rollout"]["pause"]["mark"])
    row = pauses.get(rows, deployment_id, mark) or {}
    if row.get("decision") or approvals.cancelled(rows, deployment_id):
        raise DecisionRecorded("There is a decision already.")
    if "eligible" not in row:
        row = pauses.asks(rows, deployment_id, mark, _eligible(state))
    if not waits.park(rows, deployment_id, str(event["token"]), int(event["wake"])):
        raise DecisionRecorded("Something happened since the last look.")
    pause = {**state["rollout"]["pause"], "eligible": row["eligible"]}
    seen = speak.view_of({**event, "state": {**state, "rollout": {**state["rollout"], "pause": pause}}})
    if speak.show(seen):
        _ping(seen, row)
    return {}


def _eligible(state: dict[str, Any]) -> list[str]:
    plan = state["plan"]
    requester = str(plan["requester"]["id"])
    approval = plan.get("approval") or {}
    return list(policy.promoters(targets()[plan["target"]], requester, approval, state.get("approval") or {}))


def _ping(seen: View, row: Item) -> None:
    """Once for each pause, and once each time that a reminder falls due."""
    waited = clock.now() - float(row["asked_at"])
    due = int(waited // targets()[seen.target].timing.reminder)
    who = asked(seen.plan.get("approval") or {}, {"eligible": row["eligible"]}) if row["eligible"] else say("operator")
    values = {"version": seen.version, "target": seen.target, "where": where(row), "people": Markup(who)}
    if due:
        text = say("promotion_reminder", values, left=duration(float(row["deadline_at"]) - clock.now()))
    else:
        then = Markup(say("promotion_then_continue" if row["on_timeout"] == "CONTINUE" else "promotion_then_rollback"))
        text = say("promotion_ping", values, deadline=str(seen.rollout["pause"]["deadline"]), then=then)
    speak.short(seen.deployment_id, f"promotion-{row['mark']}-{due}", text, everywhere=not due)
