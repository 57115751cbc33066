"""What GitHub's replies mean; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MINUTE, _LONGEST = 60, 3600
_NUMBER = re.compile(r"[0-9]{1,15}")


def pause(status: int, headers: Mapping[str, str], now: float, message: str = "", unasked: int = _MINUTE) -> int:
    """Seconds that GitHub asks us to wait, 0 if it does not: `Retry-After`, else the reset header, else `unasked`.

    A 403 without either header is a lack of rights unless its `message` speaks of a rate limit: the secondary limit
    is told that way.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
    """
    if status not in (403, 429):
        return 0
    if _NUMBER.fullmatch(after := headers.get("Retry-After", "")):
        return min(max(int(after), 1), _LONGEST)
    if headers.get("X-RateLimit-Remaining") == "0" and _NUMBER.fullmatch(reset := headers.get("X-RateLimit-Reset", "")):
        return min(max(int(int(reset) - now) + 1, 1), _LONGEST)
    return unasked if status == 429 or "rate limit" in message.lower() else 0


def said(body: Any) -> str:
    """GitHub's own words about an error, at most 200 characters."""
    return str(body.get("message", ""))[:200] if isinstance(body, dict) else ""


def commit_title(body: Mapping[str, Any]) -> str:
    """A commit's first line, at most 100 characters."""
    return first_line(body)[:100]


def first_line(body: Mapping[str, Any]) -> str:
    """A commit's first line, whole."""
    return str((body.get("commit") or {}).get("message", "")).split("\n", 1)[0].rstrip()


def author(body: Mapping[str, Any]) -> str:
    """The login of a commit's author, else the name that git has; empty where GitHub gives neither."""
    recorded = (body.get("commit") or {}).get("author") or {}
    return str((body.get("author") or {}).get("login") or recorded.get("name") or "")
