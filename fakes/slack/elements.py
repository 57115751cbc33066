"""Checks of block elements and of the objects inside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakes.slack import limits
from fakes.slack.limits import Complaints

Check = Callable[[dict[str, Any], str, Complaints], None]


def confirm(value: Any, where: str, wrong: Complaints) -> None:
    """https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object"""
    if value is None:
        return
    if not isinstance(value, dict):
        wrong.add(where, "must be a confirmation dialog object")
        return
    wrong.text(value.get("title"), where + "/title", limits.CONFIRM_TITLE, plain=True)
    wrong.text(value.get("text"), where + "/text", limits.CONFIRM_TEXT)
    for key in ("confirm", "deny"):
        wrong.text(value.get(key), f"{where}/{key}", limits.CONFIRM_BUTTON, plain=True)
    _style(value, where, wrong)


def button(element: dict[str, Any], where: str, wrong: Complaints) -> None:
    wrong.text(element.get("text"), where + "/text", limits.BUTTON_TEXT, plain=True)
    wrong.string(element.get("value"), where + "/value", limits.BUTTON_VALUE)
    wrong.string(element.get("url"), where + "/url", limits.URL)
    wrong.string(element.get("accessibility_label"), where + "/accessibility_label", limits.BUTTON_TEXT)
    _style(element, where, wrong)


def image(element: dict[str, Any], where: str, wrong: Complaints) -> None:
    """An image, as a block or as an element: an address (or a Slack file), and a text that stands for it."""
    if "slack_file" not in element:
        wrong.string(element.get("image_url"), where + "/image_url", limits.URL, least=1, needed=True)
    address = element.get("image_url")
    if isinstance(address, str) and address and not address.startswith(("http://", "https://")):
        wrong.add(where + "/image_url", "invalid url")
    wrong.string(element.get("alt_text"), where + "/alt_text", limits.ALT_TEXT, least=1, needed=True)


def plain_text_input(element: dict[str, Any], where: str, wrong: Complaints) -> None:
    for key in ("min_length", "max_length"):
        length = element.get(key)
        if length is not None and not (isinstance(length, int) and 0 <= length <= limits.INPUT_LENGTH):
            wrong.add(f"{where}/{key}", f"must be between 0 and {limits.INPUT_LENGTH}")
    wrong.string(element.get("initial_value"), where + "/initial_value", limits.INPUT_LENGTH)


ELEMENTS: dict[str, Check] = {"button": button, "image": image, "plain_text_input": plain_text_input}
"""Those that the bot sends; Slack has more."""


def element(value: Any, where: str, wrong: Complaints, *, allowed: str = "") -> None:
    """Any element: its type, its action_id, its confirm dialog, then its own fields."""
    if not isinstance(value, dict):
        wrong.add(where, "must be a block element")
        return
    kind = value.get("type")
    check = ELEMENTS.get(str(kind))
    if check is None or (allowed and kind != allowed):
        wrong.add(where, f"unsupported type: {kind}")
        return
    wrong.string(value.get("action_id"), where + "/action_id", limits.ACTION_ID, least=1)
    wrong.text(value.get("placeholder"), where + "/placeholder", limits.PLACEHOLDER, plain=True, needed=False)
    confirm(value.get("confirm"), where + "/confirm", wrong)
    check(value, where, wrong)


def _style(value: dict[str, Any], where: str, wrong: Complaints) -> None:
    if value.get("style") not in (None, "primary", "danger"):
        wrong.add(where + "/style", "must be a valid enum value")
