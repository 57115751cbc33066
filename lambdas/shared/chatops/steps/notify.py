"""notify: the deployment's living Slack message, and answers to the person who asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatops import ending
from chatops.config import execution_url, settings
from chatops.domain.request import Request, where
from chatops.errors import InvalidConfiguration
from chatops.messages import history, outcome, reports, unplanned
from chatops.messages.catalogue import say
from chatops.messages.details import details
from chatops.messages.facts import View
from chatops.steps import speak
from chatops.store import deployments, messages, results
from chatops.store.table import table
from chatops.targets import default_target, targets


def run(event: dict[str, Any]) -> dict[str, Any]:
    """`event` is announce, progress, outcome or report; the fact says whether Slack took it."""
    kind, asked = event["event"], where(event.get("request"))
    if kind == "report":
        state = event.get("state")
        fact = state.get("status") or {} if isinstance(state, Mapping) else {}
        answer = history.history if fact.get("command") == "history" else reports.status
        return {"delivered": _reply(asked, **answer(fact))}
    plan = (event.get("state") or {}).get("plan") or {}
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
    state = event.get("state") or {}
    if not state.get("plan"):
        plan, read = _recorded(str(event["deployment_id"]))
        if not plan:
            return _unplanned(event, state, read=read)
        event = {**event, "state": {**state, "plan": plan}}  # Plan died after it had written the record
    if not state.get("outcome"):
        return False  # Settle did not get through: `sweep` settles, and tells
    kept = results.kept(table(), str(event["deployment_id"]))
    seen = speak.view_of({**event, "state": results.joined(event["state"], kept)})
    shown = speak.show(seen)
    told = _in_thread(seen) and shown  # what Slack takes as text is said all the same
    if told:
        messages.delivered(table(), seen.deployment_id)
    end = seen.outcome.get("end")
    if end == "Deployed" or (end == "Restored" and seen.command == "rollback"):
        speak.retire(str((seen.plan.get("live") or {}).get("deployment_id") or ""))
    return told


def _recorded(deployment_id: str) -> tuple[dict[str, Any], bool]:
    """The plan as it was recorded, and whether the table could be read."""
    try:
        record = deployments.get(table(), deployment_id)
    except (ClientError, BotoCoreError, InvalidConfiguration):
        return {}, False
    return dict(record["plan"]) if record else {}, True


def _unplanned(event: dict[str, Any], state: dict[str, Any], *, read: bool) -> bool:
    """Tell whoever asked that planning broke; where nobody can be told alone, the channel that would have been told of
    the deployment."""
    asked = where(event.get("request"))
    channel = asked.channel
    with suppress(InvalidConfiguration):  # it may be what planning broke of; what is known is said all the same
        channel = channel or settings().channel
    with suppress(InvalidConfiguration):
        asked = replace(asked, target=asked.target or default_target(targets()))
    why = (state.get("outcome") or ending.outcome(state, None))["why"]
    url = execution_url(str(event.get("execution_arn", "")))
    text = unplanned.sentence(asked, why, str(event["deployment_id"]), url, read=read)
    if asked.requester or asked.response_url:
        return _reply(asked, f"❌ {text}")
    return speak.openly(channel, f"❌ {text}")
