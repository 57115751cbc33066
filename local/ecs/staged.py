"""Blue/green, linear and canary: the new tasks beside the old ones, then the traffic, stage by stage."""

from __future__ import annotations

from local.ecs import names, tasks
from local.ecs.deployer import CIRCUIT_BREAKER, Deployer
from local.ecs.errors import EcsError, invalid
from local.ecs.model import Hook, Service, ServiceDeployment

STAGES = (
    ("PRE_SCALE_UP", 0.10),
    ("SCALE_UP", 0.15),
    ("POST_SCALE_UP", 0.45),
    ("TEST_TRAFFIC_SHIFT", 0.50),
    ("POST_TEST_TRAFFIC_SHIFT", 0.55),
    ("PRODUCTION_TRAFFIC_SHIFT", 0.65),
    ("POST_PRODUCTION_TRAFFIC_SHIFT", 0.75),
    ("BAKE_TIME", 0.80),
    ("CLEAN_UP", 0.95),
)
"""The lifecycle stages and when each begins, as a share of the rollout.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""


def plan(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> None:
    """Put the stages of this rollout on the timeline; a PAUSE hook holds all that comes after its stage."""
    seconds = deployment.rollout.seconds
    deployer.timeline.after(seconds * 0.05, deployment.arn, lambda at: deployer.started(deployment, at))
    for stage, share in STAGES:

        def enter(at: float, stage: str = stage) -> None:
            _enter(deployer, service, deployment, stage, at)

        deployer.timeline.after(seconds * share, deployment.arn, enter)
    deployer.timeline.after(seconds, deployment.arn, lambda at: deployer.complete(service, deployment, at))


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
    elif stage == "PRODUCTION_TRAFFIC_SHIFT":
        deployment.production_weight = 100.0
    elif stage == "CLEAN_UP":
        tasks.stop(service, tasks.others(service, target), service.desired, at)
    if deployment.status == "IN_PROGRESS":
        _pause(deployer, service, deployment, stage, at)


def _pause(deployer: Deployer, service: Service, deployment: ServiceDeployment, stage: str, at: float) -> None:
    for hook in deployment.configuration.get("lifecycleHooks", []):
        if hook.get("targetType") != "PAUSE" or stage not in hook.get("lifecycleStages", []):
            continue
        timeout = hook.get("timeoutConfiguration", {})
        paused = Hook(names.deployment_id(), "AWAITING_ACTION", timeout.get("action", "ROLLBACK"))
        deployment.hooks.append(paused)
        deployer.timeline.hold(deployment.arn)
        if "timeoutInMinutes" in timeout:
            seconds = timeout["timeoutInMinutes"] * 60.0
            paused.expires_at = at + seconds

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
    deployer: Deployer,
    service: Service,
    deployment: ServiceDeployment,
    hook: Hook,
    status: str,
    action: str,
    at: float,
) -> None:
    if hook.status != "AWAITING_ACTION" or deployment.status != "IN_PROGRESS":
        return
    hook.status = status
    deployer.timeline.drop(deployment.arn + "#hook")
    if action == "ROLLBACK":
        deployer.request_rollback(service, deployment, at)
    else:
        deployer.timeline.resume(deployment.arn)
