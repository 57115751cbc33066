"""What blue/green, linear and canary deployments have beside their status: pauses, and time that they take on purpose.

Pure; from the answers of ECS and CodeDeploy.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

ROLLBACK, CONTINUE = "ROLLBACK", "CONTINUE"
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


@dataclass(frozen=True)
class Pause:
    """A stop at which the service waits for a word: ECS at a PAUSE hook, CodeDeploy before it moves the traffic.

    `id`: the hook's; `of`: the ARN of ECS's service deployment, or the id of CodeDeploy's deployment. `expires_at`:
    epoch seconds at which the service goes on by itself (0: unknown), in the way that `on_timeout` says, CONTINUE or
    ROLLBACK.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
    """

    id: str
    of: str
    expires_at: float = 0.0
    on_timeout: str = ROLLBACK

    @property
    def mark(self) -> str:
        """What names this pause and no other, in rows and buttons: twelve hexadecimal digits."""
        return hashlib.sha256(f"{self.of} {self.id}".encode()).hexdigest()[:12]

    def fact(self) -> dict[str, Any]:
        """As the state machine carries it."""
        return {**asdict(self), "mark": self.mark}


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
                expires_at=seconds(hook.get("expiresAt")),
                on_timeout=str(hook.get("timeoutAction") or ROLLBACK),
            )
    return None


def lapsed(deployment: Mapping[str, Any]) -> bool:
    """True if ECS rolls it back, or has, because nobody continued it in time."""
    return any(
        hook.get("targetType") == "PAUSE" and hook.get("status") == TIMED_OUT and hook.get("timeoutAction") != CONTINUE
        for hook in deployment.get("lifecycleHookDetails") or []
    )


def ready(info: Mapping[str, Any]) -> Pause | None:
    """Where a blue/green deployment of CodeDeploy waits for ContinueDeployment before it moves the traffic, if it does.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentReadyOption.html
    """
    option = (info.get("blueGreenDeploymentConfiguration") or {}).get("deploymentReadyOption") or {}
    if info.get("status") != "Ready" or option.get("actionOnTimeout") != "STOP_DEPLOYMENT":
        return None
    if info.get("instanceTerminationWaitTimeStarted"):
        return None  # the traffic has moved; what waits is the end of the tasks before
    return Pause(id="READY_WAIT", of=str(info["deploymentId"]))


def ready_too_long(info: Mapping[str, Any]) -> bool:
    """True for one that CodeDeploy stopped by itself where it may wait for people: "if traffic rerouting is not started
    before the end of the specified wait period, the deployment status is changed to Stopped"."""
    option = (info.get("blueGreenDeploymentConfiguration") or {}).get("deploymentReadyOption") or {}
    code = (info.get("errorInformation") or {}).get("code", "")
    waits = option.get("actionOnTimeout") == "STOP_DEPLOYMENT"
    return info.get("status") == "Stopped" and waits and code in ("", "TIMEOUT")


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


def seconds(at: datetime | float | None) -> float:
    """A time of botocore's as epoch seconds; 0 where there is none."""
    return at.timestamp() if isinstance(at, datetime) else float(at or 0)
