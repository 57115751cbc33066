"""The Slack edge. Slack waits three seconds: what it needs is imported and connected before the first request."""

from __future__ import annotations

from typing import Any

from chatops import ready
from chatops.edge import PATIENCE
from chatops.edge.handler import handle
from chatops.settings import secrets

ready.prepare("dynamodb", "stepfunctions", patience=PATIENCE, holding=(secrets.SLACK_SIGNING_SECRET,))


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """POST /slack/events."""
    return handle(event)
