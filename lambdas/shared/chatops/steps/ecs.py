"""ecs: ask the platform, once: is our version live, is the recorded release back, what is live?"""

from __future__ import annotations

from typing import Any

from chatops.platforms.registry import PlatformOf, platform
from chatops.steps import restored, rollout, status

_LOOKS = {"rollout": rollout.look, "restored": restored.look, "status": status.report}


def run(event: dict[str, Any], platform_of: PlatformOf = platform) -> dict[str, Any]:
    """By `mode`: rollout, restored or status."""
    return _LOOKS[event["mode"]](event, platform_of)
