"""Buttons and modals. https://docs.slack.dev/interactivity/handling-user-interaction"""

from __future__ import annotations

import json
from typing import Any

from chatops import http
from chatops.domain.errors import Refusal
from chatops.domain.ids import DEPLOY_TO, EXECUTION_NAME
from chatops.domain.typed_text import shows_nothing
from chatops.edge import PATIENCE, cancel, fields, live_buttons, question_buttons
from chatops.edge.replies import addressee, in_modal, refused, send, text
from chatops.messages.catalogue import plain
from chatops.slack import membership
from chatops.store.table import table

OK = {"statusCode": 200, "body": ""}
_ACTIONS = frozenset({"approve", "reject", "cancel", "roll_back", *question_buttons.PAUSE})


def answer(payload: Any) -> dict[str, Any]:
    """The answer to an interaction. Slack ignores the body of a click's answer: what a person should read goes through
    the response URL."""
    if not isinstance(payload, dict):
        return http.answer(400, {"message": "The payload should be a JSON object."})
    user = fields.user(text(payload, "user", "id"))
    if not user:
        return http.answer(400, {"message": "The payload names no user."})
    kind = payload.get("type")
    if kind == "block_actions":
        return _click(payload, user)
    if kind == "view_submission":
        return _submission(payload, user)
    return OK


def _click(payload: dict[str, Any], user: str) -> dict[str, Any]:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    action, value = text(first, "action_id"), text(first, "value")
    if action in _ACTIONS or action.startswith(DEPLOY_TO):  # else a link button, or somebody else's
        try:
            _assert_member(payload, user)
            answer = _press(payload, action, value, user)
        except Refusal as refusal:
            answer = refused(refusal, action, user, value)
        if answer:
            send(addressee(payload), answer)
    return OK


def _assert_member(payload: dict[str, Any], user: str) -> None:
    """Raises Refusal. In a shared channel the payload's user may belong to another workspace."""
    team, enterprise = text(payload, "user", "team_id"), text(payload, "enterprise", "id")
    membership.check(table(patience=PATIENCE), user, team, enterprise, patience=PATIENCE)


def _press(payload: dict[str, Any], action: str, value: str, user: str) -> str:
    """The text for the person; empty where a modal has opened. Raises Refusal."""
    if action in question_buttons.PAUSE:
        who, trigger_id = addressee(payload), text(payload, "trigger_id")
        return question_buttons.at_pause(table(patience=PATIENCE), action, value, who, trigger_id)
    if not EXECUTION_NAME.fullmatch(value):
        raise Refusal("click_unknown")  # our cards carry ids
    if action == "approve":
        return question_buttons.approve(
            table(patience=PATIENCE), value, addressee(payload), text(payload, "trigger_id")
        )
    if action == "reject":
        question_buttons.ask_reason(table(patience=PATIENCE), value, addressee(payload), text(payload, "trigger_id"))
        return ""
    if action == "roll_back":
        return live_buttons.roll_back(value, _live_press(payload, user))
    if action.startswith(DEPLOY_TO):
        return live_buttons.deploy_to(value, action.removeprefix(DEPLOY_TO), _live_press(payload, user))
    return cancel.cancel(value, user)


def _live_press(payload: dict[str, Any], user: str) -> live_buttons.Press:
    return live_buttons.Press(
        user=user,
        name=fields.name(text(payload, "user", "name")),
        team=fields.place(text(payload, "team", "id") or text(payload, "user", "team_id")),
        channel=fields.place(text(payload, "channel", "id")),
        response_url=fields.url(text(payload, "response_url")),
    )


def _submission(payload: dict[str, Any], user: str) -> dict[str, Any]:
    """The modal that asks for a reason, sent off: of Reject…, or of an approval or a promotion during a freeze."""
    kind = text(payload, "view", "callback_id")
    if kind not in ("reject", "approve", "promote"):
        return OK
    try:
        private = json.loads(text(payload, "view", "private_metadata"))
    except ValueError:
        private = {}
    deployment_id = text(private, "id")
    reason = text(payload, "view", "state", "values", "reason", "reason", "value").strip()
    if not EXECUTION_NAME.fullmatch(deployment_id):
        return OK
    if shows_nothing(reason):
        return http.answer(200, {"response_action": "errors", "errors": {"reason": plain("reject_needs_reason")}})
    rows = table(patience=PATIENCE)
    try:
        _assert_member(payload, user)
        if kind == "promote":
            answer = question_buttons.promote(rows, deployment_id, text(private, "mark"), user, fields.text(reason))
        elif kind == "approve":
            answer = question_buttons.approve_frozen(rows, deployment_id, user, fields.text(reason))
        else:
            answer = question_buttons.reject(rows, deployment_id, user, fields.text(reason))
    except Refusal as refusal:
        return in_modal(refused(refusal, kind, user, deployment_id))
    send(addressee(payload), answer)
    return OK
