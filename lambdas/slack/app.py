"""The Slack edge. It imports next to nothing: an unsigned request costs nothing but its refusal."""

from __future__ import annotations

from typing import Any

from chatops.edge.handler import handle


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """POST /slack/events."""
    return handle(event)
