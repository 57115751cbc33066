"""notify: the deployment's living Slack message, and answers to the person who asked."""

from __future__ import annotations

from typing import Any

from chatops.messages import history, outcome, reports
from chatops.messages.catalogue import say
from chatops.messages.details import details
from chatops.messages.facts import View
from chatops.request import Request, where
from chatops.steps import speak
from chatops.store import messages
from chatops.store.table import table


def run(event: dict[str, Any]) -> dict[str, Any]:
    """`event` is announce, progress, outcome or report; the fact says whether Slack took it."""
    kind, plan = event["event"], (event.get("state") or {}).get("plan") or {}
    asked = where(event.get("request"))
    if kind == "report":
        fact = event["state"].get("status") or {}
        answer = history.history if fact.get("command") == "history" else reports.status
        return {"delivered": _reply(asked, **answer(fact))}
    if plan.get("verdict") == "refused":
        refusal = plan["refusal"]
        return {"delivered": _reply(asked, f"⚠️ {say(refusal['key'], refusal['values'])}")}
    if plan.get("verdict") == "dry_run":
        return {"delivered": _reply(asked, **reports.dry_run(plan))}
    if kind == "outcome":
        return {"delivered": ended(event)}
    seen = speak.view_of(event)
    shown = speak.show(seen)
    if kind == "announce" and (card := plan.get("card")):
        speak.retire(card, f"↩️ {say('line_rollback_asked', user=seen.requester, id=seen.deployment_id)}")
    return {"delivered": shown}


def _in_thread(seen: View) -> bool:
    """The details for those who look, then the news for everybody, with a mention: edits do not notify."""
    said = details(seen)
    told = speak.short(seen.deployment_id, "details", said) if said else True
    return told and speak.short(seen.deployment_id, "outcome", outcome.short(seen), everywhere=True)


def _reply(asked: Request, text: str, blocks: list[dict[str, Any]] | None = None) -> bool:
    return speak.privately(asked.requester, asked.channel, asked.response_url, text, blocks)


def ended(event: dict[str, Any]) -> bool:
    """Show how it ended and tell the requester; False leaves it in the outbox for `sweep`."""
    seen = speak.view_of(event)
    if not seen.plan.get("channel"):
        asked = where(event.get("request"))
        told = _reply(asked, outcome.short(seen)) if asked.requester and not seen.plan else True
    else:
        shown = speak.show(seen)
        told = _in_thread(seen) and shown  # what Slack takes as text is said all the same
    if told:
        messages.delivered(table(), seen.deployment_id)
    end = seen.outcome.get("end")
    if end == "Deployed" or (end == "Restored" and seen.command == "rollback"):
        speak.retire(str((seen.plan.get("live") or {}).get("deployment_id") or ""))
    return told
