"""Wakes the deployment whose rollout AWS says has moved on."""

from __future__ import annotations

from typing import Any

from chatops import ready
from chatops.steps import wake

ready.prepare("dynamodb", "stepfunctions")


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """An event of EventBridge's."""
    return wake.run(event)
