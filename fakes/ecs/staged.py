"""Blue/green, linear and canary: the new tasks beside the old ones, then the traffic, stage by stage."""

from __future__ import annotations

import math

from fakes.ecs import names, tasks
from fakes.ecs.deployer import CIRCUIT_BREAKER, Deployer
from fakes.ecs.errors import EcsError, invalid
from fakes.ecs.model import Hook, Json, Service, ServiceDeployment

BEFORE = (
    ("PRE_SCALE_UP", 0.10),
    ("SCALE_UP", 0.15),
    ("POST_SCALE_UP", 0.45),
    ("TEST_TRAFFIC_SHIFT", 0.50),
    ("POST_TEST_TRAFFIC_SHIFT", 0.55),
)
SHIFTING = (0.65, 0.75)
AFTER = (("POST_PRODUCTION_TRAFFIC_SHIFT", 0.75), ("BAKE_TIME", 0.80), ("CLEAN_UP", 0.95))
"""The lifecycle stages and when each begins, as a share of the rollout; the production traffic moves in between.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""
PRE_SHIFT, SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"
"""The first is where hooks stand before each step of the traffic; no deployment's own `lifecycleStage` names it."""
NO_PAUSE = frozenset({"TEST_TRAFFIC_SHIFT", SHIFT})
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html"""
TIMEOUT_MINUTES = 1440


def refusal(configuration: Json) -> EcsError | None:
    """What ECS would not take of a deployment configuration's hooks."""
    for hook in configuration.get("lifecycleHooks") or []:
        pause, stages = hook.get("targetType") == "PAUSE", hook.get("lifecycleStages") or []
        if not stages:
            return invalid("lifecycleStages is required for a lifecycle hook.")
        if pause and NO_PAUSE & set(stages):
            return invalid(f"PAUSE hooks cannot be configured at {' or '.join(sorted(NO_PAUSE))}.")
        minutes = hook.get("timeoutConfiguration", {}).get("timeoutInMinutes", TIMEOUT_MINUTES)
        if not 1 <= minutes <= 20_160:
            return invalid("timeoutInMinutes must be between 1 and 20160.")
    return None


def weights(configuration: Json) -> list[float]:
    """The percentages of the production traffic, step by step."""
    strategy = configuration.get("strategy")
    if strategy == "CANARY":
        first = float(configuration.get("canaryConfiguration", {}).get("canaryPercent", 5.0))
        return [first, 100.0] if first < 100 else [100.0]
    if strategy == "LINEAR":
        step = float(configuration.get("linearConfiguration", {}).get("stepPercent", 10.0))
        return [min(step * n, 100.0) for n in range(1, math.ceil(100 / step) + 1)]
    return [100.0]


def plan(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> None:
    """Put the stages of this rollout on the timeline; a PAUSE hook holds all that comes after its stage."""
    seconds, owner = deployment.rollout.seconds, deployment.arn

    def at_stage(share: float, stage: str) -> None:
        deployer.timeline.after(seconds * share, owner, lambda at: _enter(deployer, service, deployment, stage, at))

    def shift(share: float, weight: float) -> None:
        deployer.timeline.after(seconds * share, owner, lambda at: _pause(deployer, service, deployment, PRE_SHIFT, at))

        def move(at: float) -> None:
            deployment.production_weight = weight
            _enter(deployer, service, deployment, SHIFT, at)

        deployer.timeline.after(seconds * share, owner, move)

    deployer.timeline.after(seconds * 0.05, owner, lambda at: deployer.started(service, deployment, at))
    for stage, share in BEFORE:
        at_stage(share, stage)
    steps, (first, last) = weights(deployment.configuration), SHIFTING
    for number, weight in enumerate(steps):
        shift(first + (last - first) * number / len(steps), weight)
    for stage, share in AFTER:
        at_stage(share, stage)
    deployer.timeline.after(seconds, owner, lambda at: deployer.complete(service, deployment, at))


def _enter(deployer: Deployer, service: Service, deployment: ServiceDeployment, stage: str, at: float) -> None:
    target, outcome = deployment.target, deployment.rollout.outcome
    deployment.lifecycle_stage = stage
    deployment.updated_at = at
    if stage == "SCALE_UP":
        tasks.launch(service, target, service.desired, at)
    elif stage == "POST_SCALE_UP":
        if outcome == "stuck":
            deployer.timeline.drop(deployment.arn)
        elif outcome != "healthy":
            tasks.fail_one(service, target, at)
            deployer.roll_back(service, deployment, CIRCUIT_BREAKER, at)
        else:
            tasks.up(target, at)
    elif stage == "CLEAN_UP":
        tasks.stop(service, tasks.others(service, target), service.desired, at)
    _pause(deployer, service, deployment, stage, at)


def _pause(deployer: Deployer, service: Service, deployment: ServiceDeployment, stage: str, at: float) -> None:
    if deployment.status != "IN_PROGRESS":
        return
    for hook in deployment.configuration.get("lifecycleHooks", []):
        if hook.get("targetType") != "PAUSE" or stage not in hook.get("lifecycleStages", []):
            continue
        timeout = hook.get("timeoutConfiguration", {})
        seconds = timeout.get("timeoutInMinutes", TIMEOUT_MINUTES) * 60.0
        expires_at = deployer.timeline.over_at(at, seconds)
        paused = Hook(names.hook_id(), "AWAITING_ACTION", timeout.get("action", "ROLLBACK"), expires_at)
        deployment.hooks.append(paused)
        deployer.timeline.hold(deployment.arn)

        def expire(due: float, paused: Hook = paused) -> None:
            _leave(deployer, service, deployment, paused, "TIMED_OUT", paused.timeout_action, due)

        deployer.timeline.after(seconds, deployment.arn + "#hook", expire)
        return


def proceed(
    deployer: Deployer, service: Service, deployment: ServiceDeployment, hook_id: str, action: str, at: float
) -> EcsError | None:
    """What ContinueServiceDeployment does with a paused hook. The error, if there is nothing to continue."""
    for hook in deployment.hooks:
        if hook.id == hook_id and hook.status == "AWAITING_ACTION" and deployment.status == "IN_PROGRESS":
            _leave(deployer, service, deployment, hook, "SUCCEEDED", action, at)
            return None
    return invalid("The lifecycle hook is not awaiting an action.")


def _leave(
    deployer: Deployer, service: Service, deployment: ServiceDeployment, hook: Hook, status: str, action: str, at: float
) -> None:
    if hook.status != "AWAITING_ACTION" or deployment.status != "IN_PROGRESS":
        return
    hook.status = status
    deployer.timeline.drop(deployment.arn + "#hook")
    if action == "ROLLBACK":
        deployer.request_rollback(service, deployment, at)
    else:
        deployer.timeline.resume(deployment.arn)
