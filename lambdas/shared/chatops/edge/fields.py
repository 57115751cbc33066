"""Slack's fields, read strictly: what is none of Slack's counts as not being there. Nothing here raises."""

from __future__ import annotations

import re

_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_PLACE = re.compile(r"[A-Z][A-Z0-9]{2,20}")
_URL = re.compile(r"https?://[!-~]{1,1000}")
_NAME_LIMIT = 80


def user(found: str) -> str:
    """A user's id. An execution without a requester is an operator's, so whoever has none must not start one."""
    return found if _USER.fullmatch(found) else ""


def place(found: str) -> str:
    """The id of a channel or a workspace."""
    return found if _PLACE.fullmatch(found) else ""


def url(found: str) -> str:
    """A response URL; a longer one would not fit beside the rest into an execution's input."""
    return found if _URL.fullmatch(found) else ""


def name(found: str) -> str:
    """A person's name, at most 80 characters."""
    return text(found)[:_NAME_LIMIT]


def text(found: str) -> str:
    """Text for the wire: half of a surrogate pair is JSON, but no UTF-8."""
    return found.encode("utf-8", "replace").decode()
