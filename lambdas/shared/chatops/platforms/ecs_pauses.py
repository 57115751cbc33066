"""Pauses of ECS's blue/green, linear and canary deployments, and the time that they take on purpose; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from chatops import clock
from chatops.platforms.rollout import CONTINUE, ROLLBACK, Pause

AWAITING, TIMED_OUT = "AWAITING_ACTION", "TIMED_OUT"

PAUSE_STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
"""Where ECS lets a deployment pause. Linear and canary deployments come to the last but one before every step.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
"""

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinearConfiguration.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html
_LINEAR_PERCENT, _LINEAR_MINUTES, _CANARY_MINUTES = 10.0, 6, 10


def pause(deployment: Mapping[str, Any]) -> Pause | None:
    """Where one of ECS's service deployments waits for ContinueServiceDeployment, if it does. A Lambda hook that is at
    work is no pause: nobody may answer for it.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHookDetail.html
    """
    if deployment.get("status") != "IN_PROGRESS":
        return None  # a pause of a deployment that is being stopped can not be continued
    for hook in deployment.get("lifecycleHookDetails") or []:
        if hook.get("targetType") == "PAUSE" and hook.get("status") == AWAITING and hook.get("hookId"):
            return Pause(
                id=str(hook["hookId"]),
                of=str(deployment["serviceDeploymentArn"]),
                expires_at=clock.seconds(hook.get("expiresAt")),
                on_timeout=str(hook.get("timeoutAction") or ROLLBACK),
            )
    return None


def lapsed(deployment: Mapping[str, Any]) -> bool:
    """True if ECS rolls it back, or has, because nobody continued it in time."""
    return any(
        hook.get("targetType") == "PAUSE" and hook.get("status") == TIMED_OUT and hook.get("timeoutAction") != CONTINUE
        for hook in deployment.get("lifecycleHookDetails") or []
    )


def baking(configuration: Mapping[str, Any]) -> int:
    """Seconds that a service deployment takes because its configuration says so, however fast the tasks come up.

    After the step that reaches 100 % a linear deployment does not wait for a step's time any more.
    """
    strategy = configuration.get("strategy", "ROLLING")
    if strategy == "ROLLING":
        return 0
    minutes = int(configuration.get("bakeTimeInMinutes") or 0)
    if strategy == "LINEAR":
        block = configuration.get("linearConfiguration") or {}
        steps = math.ceil(100 / float(block.get("stepPercent") or _LINEAR_PERCENT))
        minutes += (steps - 1) * int(block.get("stepBakeTimeInMinutes", _LINEAR_MINUTES))
    elif strategy == "CANARY":
        block = configuration.get("canaryConfiguration") or {}
        minutes += int(block.get("canaryBakeTimeInMinutes", _CANARY_MINUTES))
    return minutes * 60
