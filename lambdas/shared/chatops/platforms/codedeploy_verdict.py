"""What CodeDeploy's answers mean for our deployment; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from chatops import clock
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.values import dataclass

TERMINATION = "TERMINATION_WAIT"
"""A blue/green deployment that has moved all traffic keeps what it replaced for a while before it is called Succeeded.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ContinueDeployment.html"""

_TO_INSTANCES = frozenset({"autoscaling", "autoscalingTermination", "CodeDeployAutoUpdate"})
"""Creators that bring to new instances what the group has already.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html (creator)"""

_BROKEN = frozenset({"Failed", "Stopped"})


@dataclass(frozen=True)
class Deployment:
    """One of a group's deployments. The counts are of instances; none where CodeDeploy counts none.

    `config`: the name of its configuration. `rolls_back`: the deployment that CodeDeploy made this one for;
    `rolled_back_by`: the one that it made for this. `pause`: where it waits for people before it moves the traffic;
    `lapsed`: that wait was over, and so it was stopped. `terminating`: all traffic is moved, and what it replaced is
    not ended yet; `keeping`: the seconds for which that is kept. `options`: what it does on hosts where a file is in
    the way or the application does not stop, as CreateDeployment takes it.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
    """

    id: str
    status: str
    created_at: float = 0.0
    revision: Mapping[str, Any] = field(default_factory=dict)
    creator: str = "user"
    platform: str = "Server"
    config: str = ""
    description: str = ""
    reason: str = ""
    rolls_back: str = ""
    rolled_back_by: str = ""
    terminating: bool = False
    keeping: int = 0
    pause: Pause | None = None
    lapsed: bool = False
    done: int = 0
    pending: int = 0
    instances: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def strategy(self) -> str:
        """Its configuration as people know it."""
        return self.config.removeprefix("CodeDeployDefault.")

    @property
    def ended(self) -> bool:
        """The words are the same for hosts, Lambda functions and ECS services; whatever comes to be is under way."""
        return self.status == "Succeeded" or self.broken

    @property
    def broken(self) -> bool:
        return self.status in _BROKEN

    @property
    def to_instances(self) -> bool:
        """It brings to new instances what the group has already."""
        return self.creator in _TO_INSTANCES

    def is_rollback_of(self, other: Deployment) -> bool:
        """True if CodeDeploy made it to roll the other one back."""
        return self.id == other.rolled_back_by or self.rolls_back == other.id


def read(info: Mapping[str, Any]) -> Deployment:
    """From GetDeployment's and BatchGetDeployments' DeploymentInfo."""
    rollback, counts = info.get("rollbackInfo") or {}, info.get("deploymentOverview") or {}
    status = str(info["status"])
    return Deployment(
        id=str(info["deploymentId"]),
        status=status,
        created_at=clock.seconds(info.get("createTime")),
        revision=info.get("revision") or {},
        creator=str(info.get("creator", "user")),
        platform=str(info.get("computePlatform", "Server")),
        config=str(info.get("deploymentConfigName", "")),
        description=str(info.get("description", "")),
        reason=str((info.get("errorInformation") or {}).get("message", ""))[:300],
        rolls_back=str(rollback.get("rollbackTriggeringDeploymentId", "")),
        rolled_back_by=str(rollback.get("rollbackDeploymentId", "")),
        terminating=status == "InProgress" and bool(info.get("instanceTerminationWaitTimeStarted")),
        keeping=60 * int(_ending(info).get("terminationWaitTimeInMinutes", 0)),
        pause=ready(info),
        lapsed=ready_too_long(info),
        done=int(counts.get("Succeeded", 0)),
        pending=sum(int(counts.get(each, 0)) for each in ("Pending", "InProgress", "Ready")),
        instances=sum(int(each) for each in counts.values()),
        options=_options(info),
    )


def _options(info: Mapping[str, Any]) -> Mapping[str, Any]:
    if info.get("computePlatform", "Server") != "Server":
        return {}
    found = {name: info.get(name) for name in ("fileExistsBehavior", "ignoreApplicationStopFailures")}
    return {name: value for name, value in found.items() if value not in (None, False, "DISALLOW")}


def _ending(info: Mapping[str, Any]) -> Mapping[str, Any]:
    blue_green: Mapping[str, Any] = info.get("blueGreenDeploymentConfiguration") or {}
    return blue_green.get("terminateBlueInstancesOnDeploymentSuccess") or {}


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


def traffic(target: Mapping[str, Any]) -> tuple[str, float | None]:
    """The lifecycle event that an ECS or Lambda deployment is at, and the percentage of the traffic that its new task
    set has (None for Lambda, whose weight has no documented scale).

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentTarget.html
    """
    it: Mapping[str, Any] = target.get("ecsTarget") or target.get("lambdaTarget") or {}
    at = [each for each in it.get("lifecycleEvents") or [] if each.get("status") == "InProgress"]
    green = [each for each in it.get("taskSetsInfo") or [] if each.get("taskSetLabel") == "Green"]
    share = green[0].get("trafficWeight") if green else None
    return (str(at[-1].get("lifecycleEventName", "")) if at else "", None if share is None else float(share))


def shifting(config: Mapping[str, Any]) -> int:
    """Seconds that a configuration makes the traffic take from the old version to the new one.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TrafficRoutingConfig.html
    """
    routing: Mapping[str, Any] = config.get("trafficRoutingConfig") or {}
    canary, linear = routing.get("timeBasedCanary") or {}, routing.get("timeBasedLinear") or {}
    if canary:
        return 60 * int(canary.get("canaryInterval") or 0)
    percentage = int(linear.get("linearPercentage") or 0)
    if not percentage:
        return 0
    return 60 * (math.ceil(100 / percentage) - 1) * int(linear.get("linearInterval") or 0)


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True if two revisions are one. What only one of them says (a content, a version or an ETag that CodeDeploy filled
    in) tells nothing. https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RevisionLocation.html"""
    kind = one.get("revisionType")
    if not kind or kind != other.get("revisionType"):
        return False
    left, right = _location(one), _location(other)
    known = left.keys() & right.keys()
    return bool(known) and all(left[name] == right[name] for name in known)


def _location(revision: Mapping[str, Any]) -> dict[str, Any]:
    found: Mapping[str, Any] = next((value for key, value in revision.items() if key != "revisionType" and value), {})
    return {key: value for key, value in found.items() if value is not None and key != "content"}


def newest(deployments: Sequence[Deployment]) -> Deployment | None:
    """The one that says what the group is to run. `deployments`: in any order."""
    whole = (each for each in deployments if each.creator not in _TO_INSTANCES)
    return max(whole, key=lambda each: each.created_at, default=None)


def brought(deployments: Sequence[Deployment]) -> Deployment | None:
    """The newest that CodeDeploy did not make of its own, to roll back or for new instances."""
    return newest([each for each in deployments if each.creator != "codeDeployRollback"])


def named(deployments: Sequence[Deployment], name: str) -> Deployment | None:
    """The newest whose description begins with this word, as the pipeline's begin with the id of our deployment."""
    return newest([each for each in deployments if each.description.partition(" ")[0] == name])


def verdict(ours: Deployment, newer: Sequence[Deployment], wanted: Mapping[str, Any] | None = None) -> Rollout:
    """Is ours live? `newer`: the group's deployments after ours. `wanted`: the revision to go back to, if there is one.

    A group deploys one at a time, so that nothing newer can stand beside ours while it moves.
    """
    counts = {"running": ours.done, "desired": ours.instances, "pending": ours.pending}
    stage = TERMINATION if ours.terminating else ""
    base: dict[str, Any] = {
        "reason": ours.reason,
        "lifecycle_stage": stage,
        "baking": ours.keeping,
        "strategy": ours.strategy,
        **counts,
    }
    if not ours.ended:
        state = RolloutState.PAUSED if ours.pause else RolloutState.MOVING
        return Rollout(state, ours.status, pause=ours.pause, **base)
    last = newest(newer)
    if last and last.is_rollback_of(ours):
        believed = not last.broken and wanted is not None and same(last.revision, wanted)
        base |= {"restoring": True, "restored_by": last.id} if believed else {}
        return Rollout(RolloutState.FAILED, ours.status, **base)
    if last and not same(last.revision, ours.revision):
        return Rollout(RolloutState.OVERTAKEN, ours.status, **base)
    state = RolloutState.FAILED if ours.broken else RolloutState.HEALTHY
    return Rollout(state, ours.status, lapsed=ours.lapsed, **base)
