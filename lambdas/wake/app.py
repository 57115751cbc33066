"""Wakes a deployment: AWS says that its rollout has moved on, or GitHub that its run has ended."""

from __future__ import annotations

from typing import Any

from chatops import ready
from chatops.steps import wake, webhook

ready.prepare("dynamodb", "stepfunctions")


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """An event of EventBridge's, or POST /github/events."""
    return webhook.run(event) if isinstance(event, dict) and "routeKey" in event else wake.run(event)
