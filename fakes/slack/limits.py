"""Slack's published limits, and the small checks they are made of.

Blocks: https://docs.slack.dev/reference/block-kit/blocks and …/block-elements, …/composition-objects.
Views: https://docs.slack.dev/reference/views/modal-views
"""

from __future__ import annotations

from typing import Any

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_TEXT = 40_000
"""What is longer is cut: https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages"""
UPDATED_TEXT = 4_000
"""What chat.update's page says its text may have at most (it says 40,000 too): texts are kept to this, and not refused.
https://docs.slack.dev/reference/methods/chat.update"""
MESSAGE_BLOCKS_CHARACTERS = 13_300
"""Of all blocks, as JSON. Slack names no number; measured: https://github.com/slackapi/bolt-js/issues/2509"""
BLOCK_ID = ACTION_ID = CALLBACK_ID = EXTERNAL_ID = 255
HEADER_TEXT = 150
SECTION_TEXT = 3000
SECTION_FIELDS = 10
FIELD_TEXT = 2000
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
ALT_TEXT = 2000
IMAGE_TITLE = 2000
URL = 3000
LABEL = 2000
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
PLACEHOLDER = 150
INPUT_LENGTH = 3000
VIEW_TITLE = 24
PRIVATE_METADATA = 3000
RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 1800
TRIGGER_SECONDS = 3


class Complaints:
    """What is wrong with a payload, in Slack's words: `must be less than 151 characters [json-pointer:…]`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        self.lines.append(f"{what} [json-pointer:{where}]")

    def string(self, value: Any, where: str, most: int, *, least: int = 0, needed: bool = False) -> None:
        """A string of `least` to `most` characters; absent only where it is not needed."""
        if value is None:
            if needed:
                self.add(where.rpartition("/")[0], f"missing required field: {where.rpartition('/')[2]}")
        elif not isinstance(value, str):
            self.add(where, "must be a string")
        elif len(value) > most:
            self.add(where, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.add(where, f"must be more than {least - 1} characters")

    def count(self, value: Any, where: str, most: int, *, least: int = 1) -> list[Any]:
        """A list of `least` to `most` items; returns it (empty if it is none)."""
        if not isinstance(value, list):
            name = where.rpartition("/")[2]
            self.add(where.rpartition("/")[0], f"missing required field: {name}" if value is None else "must be a list")
            return []
        if len(value) > most:
            self.add(where, f"no more than {most} items allowed")
        elif len(value) < least:
            self.add(where, f"must have at least {least} items")
        return value

    def text(self, value: Any, where: str, most: int, *, plain: bool = False, needed: bool = True) -> None:
        """A text object; `plain` where Slack takes no mrkdwn."""
        if value is None:
            if needed:
                self.add(where.rpartition("/")[0], f"missing required field: {where.rpartition('/')[2]}")
            return
        if not isinstance(value, dict):
            self.add(where, "must be a text object")
            return
        kind = value.get("type")
        if kind not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.add(where + "/type", f"unsupported type: {kind}")
        self.string(value.get("text"), where + "/text", most, least=1, needed=True)
