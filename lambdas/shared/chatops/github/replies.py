"""What GitHub's replies mean; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MINUTE, _LONGEST = 60, 3600


def pause(status: int, headers: Mapping[str, str], now: float) -> int:
    """Seconds that GitHub asks us to wait, 0 if it does not: `Retry-After`, else the reset header, else a minute.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
    """
    if status not in (403, 429):
        return 0
    if (after := headers.get("Retry-After", "")).isdigit():
        return min(max(int(after), 1), _LONGEST)
    if headers.get("X-RateLimit-Remaining") == "0" and (reset := headers.get("X-RateLimit-Reset", "")).isdigit():
        return min(max(int(int(reset) - now) + 1, 1), _LONGEST)
    return _MINUTE if status == 429 else 0


def said(body: Any) -> str:
    """GitHub's own words about an error, at most 200 characters."""
    return str(body.get("message", ""))[:200] if isinstance(body, dict) else ""


def version_key(tag: str) -> tuple[int, ...]:
    """Sorts tags by their numbers, `v1.10.0` above `v1.9.0`; tags without numbers lowest."""
    digits = "".join(c if c.isdigit() else " " for c in tag.split("+", maxsplit=1)[0].split("-", maxsplit=1)[0]).split()
    return tuple(int(d) for d in digits) or (-1,)


def commit_title(body: Mapping[str, Any]) -> str:
    """A commit's first line, at most 100 characters."""
    message = str((body.get("commit") or {}).get("message", ""))
    return message.split("\n", 1)[0][:100]
