"""The link to a deployment's page, as whoever reads the channel has it, and what the page asks with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from fakes.slack.store import Message
from local.http_api import http_api_event

_LINK = re.compile(r"<(https?://[^|<>\s]+/d/[^|<>\s]+#[^|<>\s]+)\|")
_STAGE = "/prod"


def card_page(messages: Iterable[Message]) -> str:
    """The link in the newest of the messages that has one. Raises LookupError where none has."""
    for message in reversed(list(messages)):
        if found := _LINK.search(json.dumps(message.blocks, ensure_ascii=False)):
            return found[1]
    raise LookupError("no message has a link to a page")


def page_request(link: str) -> dict[str, Any]:
    """The event by which the page asks what to show."""
    parts = urlsplit(link)
    path = f"{parts.path.removeprefix(_STAGE)}/state"
    return http_api_event("GET", path, headers={"authorization": f"Bearer {parts.fragment}"}, route="/d/{id}/state")
