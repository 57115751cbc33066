"""The rolling update: two batches, old tasks leaving as new ones come up."""

from __future__ import annotations

from fakes.ecs import tasks
from fakes.ecs.deployer import NO_CAPACITY, Deployer
from fakes.ecs.model import Service, ServiceDeployment
from fakes.timeline import Action


def plan(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> None:
    """Put the steps of this rollout on the timeline, as shares of its length."""
    outcome = deployment.rollout.outcome
    if outcome == "healthy":
        steps = _healthy(deployer, service, deployment)
    elif outcome == "stuck":
        steps = _stuck(deployer, service, deployment)
    else:
        steps = _failing(deployer, service, deployment)
    for share, action in steps:
        deployer.timeline.after(deployment.rollout.seconds * share, deployment.arn, action)


def _healthy(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> list[tuple[float, Action]]:
    target = deployment.target
    half = -(-service.desired // 2)

    def launch_half(at: float) -> None:
        tasks.launch(service, target, half, at)

    def swap(at: float) -> None:
        tasks.up(target, at)
        surplus = tasks.running(service) - service.desired
        tasks.stop(service, tasks.others(service, target), surplus, at)

    def launch_rest(at: float) -> None:
        tasks.launch(service, target, service.desired - len(target.running), at)

    return [
        (0.05, lambda at: deployer.started(service, deployment, at)),
        (0.10, launch_half),
        (0.40, swap),
        (0.50, launch_rest),
        (0.80, swap),
        (1.00, lambda at: deployer.complete(service, deployment, at)),
    ]


def _stuck(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> list[tuple[float, Action]]:
    return [
        (0.05, lambda at: deployer.started(service, deployment, at)),
        (0.10, lambda at: tasks.launch(service, deployment.target, -(-service.desired // 2), at)),
        (1.00, lambda at: tasks.note(service, at, NO_CAPACITY)),
    ]


def _failing(deployer: Deployer, service: Service, deployment: ServiceDeployment) -> list[tuple[float, Action]]:
    """Tasks fail one after the other until the breaker has counted its threshold.

    Without a breaker ECS goes on for ever; here it stops counting there, which looks the same from outside.
    """
    target = deployment.target
    half = -(-service.desired // 2)
    breaker = service.configuration.get("deploymentCircuitBreaker", {}).get("enable", False)

    def launch(at: float) -> None:
        tasks.launch(service, target, half, at)
        if deployment.rollout.outcome == "rollback_failed":
            # The service is degraded before the breaker trips, so that a failed rollback leaves a mark.
            tasks.stop(service, tasks.others(service, target), half, at)

    def fail(at: float) -> None:
        tasks.fail_one(service, target, at)
        if target.failed < service.threshold:
            tasks.launch(service, target, 1, at)
        elif breaker:
            deployer.trip(service, deployment, at)

    steps: list[tuple[float, Action]] = [(0.05, lambda at: deployer.started(service, deployment, at)), (0.10, launch)]
    return steps + [(0.10 + 0.50 * n / service.threshold, fail) for n in range(1, service.threshold + 1)]
