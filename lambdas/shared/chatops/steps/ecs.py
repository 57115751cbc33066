"""ecs: ask the service itself, once: is our version live, is the recorded release back, what is live?"""

from __future__ import annotations

from typing import Any

from chatops.steps import restored, rollout, standing

_LOOKS = {"rollout": rollout.look, "restored": restored.look, "status": standing.report}


def run(event: dict[str, Any]) -> dict[str, Any]:
    """By `mode`: rollout, restored or status."""
    return _LOOKS[event["mode"]](event)
