"""Checks of blocks and views against Slack's limits, and the ids Slack gives to what has none."""

from __future__ import annotations

import copy
import secrets
from typing import Any

from fakes.slack import limits
from fakes.slack.elements import ELEMENTS, Check, element, image
from fakes.slack.errors import SlackError
from fakes.slack.limits import Complaints

Json = dict[str, Any]


def _header(block: Json, where: str, wrong: Complaints) -> None:
    wrong.text(block.get("text"), where + "/text", limits.HEADER_TEXT, plain=True)


def _section(block: Json, where: str, wrong: Complaints) -> None:
    fields = block.get("fields")
    wrong.text(block.get("text"), where + "/text", limits.SECTION_TEXT, needed=fields is None)
    if fields is not None:
        for index, field in enumerate(wrong.count(fields, where + "/fields", limits.SECTION_FIELDS)):
            wrong.text(field, f"{where}/fields/{index}", limits.FIELD_TEXT)
    if "accessory" in block:
        element(block["accessory"], where + "/accessory", wrong)


def _context(block: Json, where: str, wrong: Complaints) -> None:
    for index, item in enumerate(wrong.count(block.get("elements"), where + "/elements", limits.CONTEXT_ELEMENTS)):
        at = f"{where}/elements/{index}"
        if isinstance(item, dict) and item.get("type") == "image":
            image(item, at, wrong)
        else:
            wrong.text(item, at, limits.SECTION_TEXT)


def _actions(block: Json, where: str, wrong: Complaints) -> None:
    items = wrong.count(block.get("elements"), where + "/elements", limits.ACTIONS_ELEMENTS)
    for index, item in enumerate(items):
        element(item, f"{where}/elements/{index}", wrong, allowed="button")
    ids = [item["action_id"] for item in items if isinstance(item, dict) and "action_id" in item]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}, key=str):
        wrong.add(where + "/elements", f"`action_id` must be unique: {repeated}")


def _image(block: Json, where: str, wrong: Complaints) -> None:
    image(block, where, wrong)
    wrong.text(block.get("title"), where + "/title", limits.IMAGE_TITLE, plain=True, needed=False)


def _input(block: Json, where: str, wrong: Complaints) -> None:
    wrong.text(block.get("label"), where + "/label", limits.LABEL, plain=True)
    wrong.text(block.get("hint"), where + "/hint", limits.LABEL, plain=True, needed=False)
    element(block.get("element"), where + "/element", wrong, allowed="plain_text_input")


BLOCKS: dict[str, Check] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": lambda *_: None,
    "image": _image,
    "input": _input,
}
"""Those that the bot sends, and the divider; Slack has more."""


def complaints(blocks: Any, most: int) -> list[str]:
    """What Slack would say about these blocks; [] if nothing."""
    wrong = Complaints()
    seen: set[str] = set()
    for index, block in enumerate(wrong.count(blocks, "/blocks", most, least=0)):
        where = f"/blocks/{index}"
        check = BLOCKS.get(str(block.get("type"))) if isinstance(block, dict) else None
        if check is None:
            kind = block.get("type") if isinstance(block, dict) else block
            wrong.add(where, f"unsupported type: {kind}")
            continue
        block_id = block.get("block_id")
        wrong.string(block_id, where + "/block_id", limits.BLOCK_ID)
        if isinstance(block_id, str) and block_id in seen:
            wrong.add(where + "/block_id", f"`block_id` already exists: {block_id}")
        if isinstance(block_id, str) and block_id:
            seen.add(block_id)
        check(block, where, wrong)
    return wrong.lines


def accepted(blocks: Any, most: int = limits.MESSAGE_BLOCKS) -> list[Json]:
    """The blocks as Slack keeps them, every block and action with an id. Raises SlackError invalid_blocks."""
    lines = complaints(blocks, most)
    if lines:
        raise SlackError("invalid_blocks", *lines)
    kept: list[Json] = copy.deepcopy(blocks)
    for block in kept:
        block.setdefault("block_id", _id())
        inside = [*_items(block), block.get("accessory"), block.get("element")]
        for item in inside:
            if isinstance(item, dict) and item.get("type") in ELEMENTS and item["type"] != "image":
                item.setdefault("action_id", _id())
    return kept


def accepted_view(view: Any) -> Json:
    """A modal as Slack keeps it. Raises SlackError invalid_arguments."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        raise SlackError("invalid_arguments", "[ERROR] unsupported type [json-pointer:/view/type]")
    wrong = Complaints()
    wrong.text(view.get("title"), "/view/title", limits.VIEW_TITLE, plain=True)
    for key in ("submit", "close"):
        wrong.text(view.get(key), f"/view/{key}", limits.VIEW_TITLE, plain=True, needed=False)
    wrong.string(view.get("private_metadata"), "/view/private_metadata", limits.PRIVATE_METADATA)
    wrong.string(view.get("callback_id"), "/view/callback_id", limits.CALLBACK_ID)
    wrong.string(view.get("external_id"), "/view/external_id", limits.EXTERNAL_ID)
    blocks = view.get("blocks")
    wrong.lines += [line.replace(":/blocks", ":/view/blocks") for line in complaints(blocks, limits.VIEW_BLOCKS)]
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    if "input" in kinds and "submit" not in view:
        wrong.add("/view", "missing required field: submit")
    if wrong.lines:
        raise SlackError("invalid_arguments", *wrong.lines)
    return {**copy.deepcopy(view), "blocks": accepted(blocks, limits.VIEW_BLOCKS)}


def image_urls(blocks: list[Json]) -> list[tuple[str, str]]:
    """Every image's JSON pointer and address."""
    found = []
    for index, block in enumerate(blocks):
        inside = [("", block), ("/accessory", block.get("accessory"))]
        inside += [(f"/elements/{n}", item) for n, item in enumerate(_items(block))]
        for at, item in inside:
            if isinstance(item, dict) and item.get("type") == "image" and "image_url" in item:
                found.append((f"/blocks/{index}{at}/image_url", str(item["image_url"])))
    return found


def _items(block: Json) -> list[Any]:
    """Its elements; blocks whose fields are not checked may hold anything there."""
    found = block.get("elements")
    return found if isinstance(found, list) else []


def _id() -> str:
    return secrets.token_urlsafe(4)[:5]
