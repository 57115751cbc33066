"""Requests to the Slack fake in few words."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import InputBlock, PlainTextInputElement
from slack_sdk.models.views import View as ViewModel


def refused(call: Any, **arguments: Any) -> str:
    """Slack's word for why it refuses this call."""
    with pytest.raises(SlackApiError) as error:
        call(**arguments)
    return str(error.value.response["error"])


def text(words: str, kind: str = "mrkdwn") -> dict[str, str]:
    return {"type": kind, "text": words}


def plain(words: str) -> dict[str, str]:
    return text(words, "plain_text")


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def modal(**more: Any) -> dict[str, Any]:
    field = InputBlock(block_id="why", label="Reason", element=PlainTextInputElement(action_id="reason"))
    view = ViewModel(type="modal", title="Reject", submit="Send", callback_id="reject", blocks=[field])
    return {**view.to_dict(), **more}
