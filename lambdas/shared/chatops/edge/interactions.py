"""Buttons and modals. https://docs.slack.dev/interactivity/handling-user-interaction"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from chatops import http
from chatops.domain.errors import Refusal
from chatops.domain.ids import EXECUTION_NAME
from chatops.edge import approval_buttons, cancel, fields, promotion_buttons, rollback_button
from chatops.edge.limits import PATIENCE
from chatops.edge.replies import refused, tell
from chatops.messages.catalogue import plain
from chatops.store.table import table

OK = {"statusCode": 200, "body": ""}
_ACTIONS = frozenset({"approve", "reject", "cancel", "roll_back", *promotion_buttons.ACTIONS})


def answer(payload: Any) -> dict[str, Any]:
    """The answer to an interaction. Slack ignores the body of a click's answer: what a person should read goes through
    the response URL."""
    if not isinstance(payload, dict):
        return http.answer(400, {"message": "The payload should be a JSON object."})
    user = fields.user(_text(payload, "user", "id"))
    if not user:
        return http.answer(400, {"message": "The payload names no user."})
    kind = payload.get("type")
    if kind == "block_actions":
        return _click(payload, user)
    if kind == "view_submission":
        return _submission(payload, user)
    return OK


def _text(source: Any, *path: str) -> str:
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, str) else ""


def _click(payload: dict[str, Any], user: str) -> dict[str, Any]:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    action, value = _text(first, "action_id"), _text(first, "value")
    if action in _ACTIONS:  # else a link button, or somebody else's
        press = partial(_press, payload, action, value, user)
        _carry_out(press, action, value, user, _text(payload, "response_url"))
    return OK


def _press(payload: dict[str, Any], action: str, value: str, user: str) -> str:
    """The text for the person; empty where a modal has opened. Raises Refusal."""
    channel = _text(payload, "channel", "id")
    if action in promotion_buttons.ACTIONS:
        return promotion_buttons.press(table(patience=PATIENCE), action, value, user, channel)
    if not EXECUTION_NAME.fullmatch(value):
        raise Refusal("click_unknown")  # our cards carry ids
    if action == "approve":
        return approval_buttons.approve(table(patience=PATIENCE), value, user, channel)
    if action == "reject":
        where = _text(payload, "trigger_id"), _text(payload, "response_url")
        approval_buttons.ask_reason(table(patience=PATIENCE), value, user, channel, *where)
        return ""
    if action == "roll_back":
        return rollback_button.roll_back(value, _rollback_press(payload, user))
    return cancel.cancel(value, user)


def _rollback_press(payload: dict[str, Any], user: str) -> rollback_button.Press:
    return rollback_button.Press(
        user=user,
        name=fields.name(_text(payload, "user", "name")),
        team=fields.place(_text(payload, "team", "id") or _text(payload, "user", "team_id")),
        channel=fields.place(_text(payload, "channel", "id")),
        response_url=fields.url(_text(payload, "response_url")),
    )


def _submission(payload: dict[str, Any], user: str) -> dict[str, Any]:
    """The modal of Reject…, sent off."""
    if _text(payload, "view", "callback_id") != "reject":
        return OK
    try:
        private = json.loads(_text(payload, "view", "private_metadata"))
    except ValueError:
        private = {}
    deployment_id = _text(private, "id")
    reason = _text(payload, "view", "state", "values", "reason", "reason", "value").strip()
    if not EXECUTION_NAME.fullmatch(deployment_id):
        return OK
    if not reason:
        return http.answer(200, {"response_action": "errors", "errors": {"reason": plain("reject_needs_reason")}})
    rows = table(patience=PATIENCE)
    reject = partial(approval_buttons.reject, rows, deployment_id, user, fields.text(reason))
    _carry_out(reject, "reject", deployment_id, user, _text(private, "response_url"))
    return OK


def _carry_out(press: Callable[[], str], action: str, value: str, user: str, response_url: str) -> None:
    try:
        text = press()
    except Refusal as refusal:
        text = refused(refusal, action, user, value)
    if text:
        tell(response_url, text)
