"""What Slack sends to an app's request URL, built from what a person did. Nothing here sends anything."""

from __future__ import annotations

from typing import Any

from fakes.slack.directory import APP_ID, TEAM_DOMAIN, Channel, User
from fakes.slack.store import Button, Json, Message

VERIFICATION_TOKEN = "gIkuvaNzQIHg97ATvDxqgjtO"
"""Slack still sends it; it is deprecated, and an app that looks at it instead of the signature is wrong."""


def slash(command: str, text: str, user: User, channel: Channel, response_url: str, trigger_id: str) -> dict[str, str]:
    """The fields of a slash command: https://docs.slack.dev/interactivity/implementing-slash-commands"""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": user.team,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.slash_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def block_actions(
    message: Message,
    shown: Json,
    button: Button,
    user: User,
    channel: Channel,
    response_url: str,
    trigger_id: str,
    action_ts: str,
) -> Json:
    """A click: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    action: Json = {
        "action_id": button.action_id,
        "block_id": button.block_id,
        "text": button.element["text"],
        "type": "button",
        "action_ts": action_ts,
    }
    for key in ("value", "style", "confirm", "url"):
        if key in button.element:
            action[key] = button.element[key]
    payload = _interaction("block_actions", user) | {
        "container": container,
        "trigger_id": trigger_id,
        "channel": {"id": channel.id, "name": channel.slash_name},
    }
    if message.ephemeral_to is None:  # Slack leaves the message out of clicks on ephemeral ones
        payload["message"] = shown
    return payload | {"state": {"values": {}}, "response_url": response_url, "actions": [action]}


def view_submission(shown_view: Json, user: User, trigger_id: str) -> Json:
    """A modal sent off: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload"""
    more = {"trigger_id": trigger_id, "view": shown_view, "response_urls": []}
    return _interaction("view_submission", user) | more


def view_closed(shown_view: Json, user: User) -> Json:
    """A modal closed, for views with `notify_on_close`."""
    return _interaction("view_closed", user) | {"view": shown_view, "is_cleared": False}


def state_values(content: Json, values: dict[str, Any]) -> Json:
    """`view.state.values` from what was typed, named by action_id or by block_id.

    Slack sends every input of the view, the empty ones with a null value. Raises LookupError for a name that
    the view does not have.
    """
    answer: Json = {}
    left = dict(values)
    for block in content["blocks"]:
        item = block.get("element")
        if block.get("type") != "input" or not isinstance(item, dict):
            continue
        given = left.pop(item["action_id"], left.pop(block["block_id"], item.get("initial_value")))
        answer[block["block_id"]] = {item["action_id"]: {"type": item["type"], "value": given}}
    if left:
        raise LookupError(f"the view has no input {sorted(left)}")
    return answer


def _interaction(kind: str, user: User) -> Json:
    """What all of them have."""
    return {
        "type": kind,
        "team": {"id": user.team, "domain": TEAM_DOMAIN},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }
