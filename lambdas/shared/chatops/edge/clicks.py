"""Buttons and modals: the click records the decision; the token only wakes the execution."""

from __future__ import annotations

import json
from typing import Any

from chatops import clock, http
from chatops.edge import back, cancelling, fields, promoting
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import record, refused
from chatops.ids import EXECUTION_NAME
from chatops.messages.catalogue import Markup, duration, escape, plain, say
from chatops.messages.who import people
from chatops.store import approvals, deployments, waits
from chatops.store.table import Item, Table, table
from chatops.targets import targets

OK = {"statusCode": 200, "body": ""}
_REASON_LIMIT = 500
_ACTIONS = frozenset({"approve", "reject", "cancel", "roll_back"})


def answer(payload: Any) -> dict[str, Any]:
    """The answer to an interaction. Slack ignores the body of a click's answer: what a person should read goes through
    the response URL."""
    if not isinstance(payload, dict):
        return http.answer(400, {"message": "The payload should be a JSON object."})
    user = _user(payload)
    if not user:
        return http.answer(400, {"message": "The payload names no user."})
    kind = payload.get("type")
    if kind == "block_actions":
        return _click(payload, user)
    if kind == "view_submission":
        return _submission(payload, user)
    return OK


def _user(payload: dict[str, Any]) -> str:
    user = payload.get("user")
    found = user.get("id") if isinstance(user, dict) else ""
    return fields.user(found) if isinstance(found, str) else ""


def _text(source: Any, *path: str) -> str:
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, str) else ""


def _click(payload: dict[str, Any], user: str) -> dict[str, Any]:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    action, deployment_id = _text(first, "action_id"), _text(first, "value")
    if action in promoting.ACTIONS:
        return _pause(payload, user, action, deployment_id)
    if action not in _ACTIONS:
        return OK  # a link button, or no button of ours
    if not EXECUTION_NAME.fullmatch(deployment_id):
        said: str = refused("click_unknown")  # our cards carry ids
    elif action == "reject":
        said = obstacle(table(patience=PATIENCE), deployment_id, user, _text(payload, "channel", "id"))
        if not said:
            return _ask_reason(payload, deployment_id)
    elif action == "approve":
        said = approve(deployment_id, user, _text(payload, "channel", "id"))
    elif action == "roll_back":
        said = back.roll_back(deployment_id, _press(payload, user))
    else:
        said = cancelling.cancel(deployment_id, user)
    if said:
        record(said, action, deployment_id, user)
        _tell(_text(payload, "response_url"), said)
    return OK


def _pause(payload: dict[str, Any], user: str, action: str, value: str) -> dict[str, Any]:
    said = promoting.press(action, value, user, _text(payload, "channel", "id"))
    record(said, action, value, user)
    _tell(_text(payload, "response_url"), said)
    return OK


def _press(payload: dict[str, Any], user: str) -> back.Press:
    return back.Press(
        user=user,
        name=fields.name(_text(payload, "user", "name")),
        team=fields.place(_text(payload, "team", "id") or _text(payload, "user", "team_id")),
        channel=fields.place(_text(payload, "channel", "id")),
        response_url=fields.url(_text(payload, "response_url")),
    )


def _tell(response_url: str, text: str) -> None:
    from chatops.slack.client import respond

    if usable := fields.url(response_url):
        respond(usable, timeout=1, response_type="ephemeral", replace_original=False, text=text)


def obstacle(rows: Table, deployment_id: str, user: str, channel: str) -> str:
    """Why this user's click decides nothing, in words; nothing if it may."""
    record, row = deployments.get(rows, deployment_id), approvals.get(rows, deployment_id)
    said = closed(rows, deployment_id, record, row)
    if said or record is None or row is None:
        return said
    plan = record["plan"]
    asked = people(list(row.get("eligible") or []))
    if not approvals.may_decide(row, user):
        own = user == (plan.get("requester") or {}).get("id")
        approver = own and user in (targets()[plan["target"]].policy.approvers if plan["target"] in targets() else ())
        return refused("click_own" if approver else "click_not_asked", id=deployment_id, people=asked)
    if channel and plan.get("channel") and channel != plan["channel"]:
        return refused("click_wrong_channel", id=deployment_id)
    return ""


def closed(rows: Table, deployment_id: str, record: Item | None, row: Item | None) -> str:
    """Why nobody can decide this (any more), in words; nothing while it is open."""
    if record is None:
        return refused("click_unknown")
    if said := _already(deployment_id, record, row):
        return said
    if row is None:
        return refused("click_unknown")
    if cancel := approvals.cancelled(rows, deployment_id):
        return refused("click_cancelled", id=deployment_id, by=cancel["by"])
    if (late := clock.now() - float(row["deadline_at"])) >= 0:
        return refused("click_already_expired", id=deployment_id, ago=duration(late))
    return ""


def _already(deployment_id: str, record: Item, row: Item | None) -> str:
    """Who decided, and when; or that the deployment has ended otherwise."""
    if row and row.get("decision"):
        ago = duration(clock.now() - float(row["decided_at"]))
        if row["decision"] == "expired":
            return refused("click_already_expired", id=deployment_id, ago=ago)
        decided = Markup(escape(plain(f"decision_{row['decision']}")))
        return refused("click_already", id=deployment_id, by=row["by"], decision=decided, ago=ago)
    if ended := deployments.outcome(record):
        return refused("click_expired", id=deployment_id, end=ended["end"])
    return ""


def approve(deployment_id: str, user: str, channel: str) -> str:
    """Count the approval; words for the user where there is something to say."""
    rows = table(patience=PATIENCE)
    if said := obstacle(rows, deployment_id, user, channel):
        return said
    row = approvals.vote(rows, deployment_id, user)
    return _after(rows, deployment_id, row, user, "approved")


def reject(deployment_id: str, user: str, reason: str) -> str:
    """Record the rejection; words for the user where there is something to say."""
    rows = table(patience=PATIENCE)
    if said := obstacle(rows, deployment_id, user, ""):
        return said
    row = approvals.decide(rows, deployment_id, "rejected", user, reason)
    return _after(rows, deployment_id, row, user, "rejected")


def _after(rows: Table, deployment_id: str, row: Item, user: str, wanted: str) -> str:
    decision = row.get("decision")
    mine = decision == wanted and (row.get("by") == user or (wanted == "approved" and user in (row.get("votes") or {})))
    if not decision and (wanted != "approved" or user not in row["votes"]):
        return closed(rows, deployment_id, deployments.get(rows, deployment_id), row)  # ended or cancelled meanwhile
    if not decision:
        waits.nudge(rows, deployment_id, patience=PATIENCE)  # the card shows how many have said yes
        return say("click_counted", id=deployment_id, have=len(row["votes"]), want=row["quorum"])
    waits.nudge(rows, deployment_id, patience=PATIENCE)
    return say(f"click_{wanted}", id=deployment_id) if mine else _already(deployment_id, {}, row)


def _ask_reason(payload: dict[str, Any], deployment_id: str) -> dict[str, Any]:
    from chatops.errors import ChatOpsError
    from chatops.messages.modals import reject as modal
    from chatops.slack.client import call

    private = json.dumps({"id": deployment_id, "response_url": _text(payload, "response_url")[:1000]})
    try:
        call("views.open", trigger_id=_text(payload, "trigger_id"), view=modal(private))
    except ChatOpsError:
        _tell(_text(payload, "response_url"), refused("click_failed"))
    return OK


def _submission(payload: dict[str, Any], user: str) -> dict[str, Any]:
    if _text(payload, "view", "callback_id") != "reject":
        return OK
    try:
        private = json.loads(_text(payload, "view", "private_metadata"))
    except ValueError:
        private = {}
    deployment_id, reason = (
        _text(private, "id"),
        _text(payload, "view", "state", "values", "reason", "reason", "value").strip(),
    )
    if not EXECUTION_NAME.fullmatch(deployment_id):
        return OK
    if not reason:
        return http.answer(200, {"response_action": "errors", "errors": {"reason": plain("reject_needs_reason")}})
    if said := reject(deployment_id, user, fields.text(reason)[:_REASON_LIMIT]):
        record(said, "reject", deployment_id, user)
        _tell(_text(private, "response_url"), said)
    return OK
