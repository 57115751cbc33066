"""Buttons and modals: the click records the decision; the token only wakes the execution."""

from __future__ import annotations

import json
from typing import Any

from chatops import deadline, http
from chatops.edge import back, cancelling, deciding, fields, promoting
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import record, refused
from chatops.edge.replies import tell
from chatops.errors import ChatOpsError
from chatops.ids import EXECUTION_NAME
from chatops.messages.catalogue import plain
from chatops.messages.modals import reject as modal
from chatops.slack import client as slack
from chatops.store.table import table

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
        said = deciding.obstacle(table(patience=PATIENCE), deployment_id, user, _text(payload, "channel", "id"))
        if not said:
            return _ask_reason(payload, deployment_id)
    elif action == "approve":
        said = deciding.approve(deployment_id, user, _text(payload, "channel", "id"))
    elif action == "roll_back":
        said = back.roll_back(deployment_id, _press(payload, user))
    else:
        said = cancelling.cancel(deployment_id, user)
    if said:
        record(said, action, deployment_id, user)
        tell(_text(payload, "response_url"), said)
    return OK


def _pause(payload: dict[str, Any], user: str, action: str, value: str) -> dict[str, Any]:
    said = promoting.press(action, value, user, _text(payload, "channel", "id"))
    record(said, action, value, user)
    tell(_text(payload, "response_url"), said)
    return OK


def _press(payload: dict[str, Any], user: str) -> back.Press:
    return back.Press(
        user=user,
        name=fields.name(_text(payload, "user", "name")),
        team=fields.place(_text(payload, "team", "id") or _text(payload, "user", "team_id")),
        channel=fields.place(_text(payload, "channel", "id")),
        response_url=fields.url(_text(payload, "response_url")),
    )


def _ask_reason(payload: dict[str, Any], deployment_id: str) -> dict[str, Any]:
    private = json.dumps({"id": deployment_id, "response_url": _text(payload, "response_url")[:1000]})
    deadline.change()
    try:
        slack.call("views.open", trigger_id=_text(payload, "trigger_id"), view=modal(private))
    except ChatOpsError:
        tell(_text(payload, "response_url"), refused("click_failed"))
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
    if said := deciding.reject(deployment_id, user, fields.text(reason)[:_REASON_LIMIT]):
        record(said, "reject", deployment_id, user)
        tell(_text(private, "response_url"), said)
    return OK
