"""What Slack does with an app's answer: show it, keep the modal open, or say that something went wrong."""

from __future__ import annotations

import json
from typing import Any, Protocol

from fakes.slack.blocks import accepted_view
from fakes.slack.directory import SLACKBOT
from fakes.slack.errors import SlackError
from fakes.slack.responses import show
from fakes.slack.store import Json, Message, View
from fakes.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"


class Reply(Protocol):
    """An HTTP answer, as much of it as Slack looks at."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def in_time(self) -> bool: ...


def slash(space: Workspace, command: str, user: str, channel: str, reply: Reply) -> Message | None:
    """A 200 with text or JSON is shown; anything else becomes Slackbot's note to the one who typed."""
    if not reply.in_time:
        return _slackbot(space, command, user, channel, "operation_timeout")
    if reply.status != 200:
        return _slackbot(space, command, user, channel, "dispatch_failed")
    if not reply.body.strip():
        return None
    body = _object(reply.body)
    if body is None:
        body = {"text": reply.body.decode("utf-8", "replace")}
    if not body.get("text") and not body.get("blocks"):
        return None
    try:
        return show(space, channel, user, body, "slash")
    except SlackError:
        return _slackbot(space, command, user, channel, "invalid_response")


def submission(space: Workspace, view: View, reply: Reply) -> None:
    """An empty 200 closes the modal; `response_action` (errors, or update) keeps it open, and so does trouble.

    https://docs.slack.dev/surfaces/modals#handling_submissions
    """
    body = _object(reply.body) if reply.body.strip() else {}
    if not reply.in_time or reply.status != 200 or body is None:
        space.store.change_view(view, errors={"": TROUBLE})
        return
    action = body.get("response_action")
    try:
        if action == "errors":
            space.store.change_view(view, errors=dict(body.get("errors", {})))
        elif action == "update":
            space.store.change_view(view, accepted_view(body.get("view")))
        else:
            space.store.close_view(view)
    except SlackError:
        space.store.change_view(view, errors={"": TROUBLE})


def _slackbot(space: Workspace, command: str, user: str, channel: str, error: str) -> Message:
    text = f'{command} failed with the error "{error}"'
    return space.post(channel, text, [], user=SLACKBOT, ephemeral_to=user, via="slack")


def _object(body: bytes) -> Json | None:
    try:
        value: Any = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
