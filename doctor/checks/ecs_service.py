"""Is the target's service there, does it run, and can the bot roll it out and back?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatops.domain.target import Target
from doctor.aws_answers import asking
from doctor.installation import Installation
from doctor.result import Result, State, failed, ok, skipped, warning

LINK = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html"
Json = Mapping[str, Any]


def look(installation: Installation, name: str) -> Iterator[Result]:
    """By DescribeClusters, DescribeServices and DescribeTaskDefinition."""
    target = installation.targets[name]
    if target.kind != "ecs":
        yield skipped("The target is not on ECS.")
        return
    client = installation.aws.client("ecs", target.region, target.role_arn)
    where = f"in {target.region or installation.settings.region}"
    with asking("ecs:DescribeClusters", role=target.role_arn):
        clusters = client.describe_clusters(clusters=[target.cluster])["clusters"]
    if not clusters or clusters[0]["status"] != "ACTIVE":
        yield _no_cluster(target, where, clusters)
        return
    with asking("ecs:DescribeServices", role=target.role_arn):
        services = client.describe_services(cluster=target.cluster, services=[target.service])["services"]
    if not services or services[0]["status"] != "ACTIVE":
        yield _no_service(target, where, services)
        return
    problems = [*_deploys(target, services[0]), *_runs(target, services[0])]
    problems += [*_task_definition(installation, target, client, services[0]), *_hooks(target, services[0])]
    yield from problems
    if not any(result.state is State.FAILED for result in problems):
        count = f"{services[0]['runningCount']} of {services[0]['desiredCount']} tasks"
        yield ok(f"{target.service} in {target.cluster} is there; {count} run.")


def _no_cluster(target: Target, where: str, found: list[Json]) -> Result:
    return failed(
        f"ECS knows no active cluster {target.cluster} {where}" + (f" ({found[0]['status']})." if found else "."),
        "Each deployment of the target ends in Refused: its service cannot be described.",
        "Set ECS_CLUSTER_NAME (or the target's ecs.cluster, region and role_arn in targets.yaml) to the name that the "
        "console shows under Amazon ECS, Clusters; look whether it is this account and region.",
        "https://console.aws.amazon.com/ecs/v2/clusters",
    )


def _no_service(target: Target, where: str, found: list[Json]) -> Result:
    return failed(
        f"ECS knows no active service {target.service} in the cluster {target.cluster} {where}"
        + (f" ({found[0]['status']})." if found else "."),
        "Each deployment of the target ends in Refused: its service cannot be described.",
        "Set ECS_SERVICE_NAME (or the target's ecs.service in targets.yaml) to a service of that cluster, or create "
        "it: the bot deploys to services, it makes none.",
        "https://console.aws.amazon.com/ecs/v2/clusters",
    )


def _deploys(target: Target, service: Json) -> Iterator[Result]:
    controller = (service.get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        way = (
            "Describe the target by codedeploy: {application, group} in targets.yaml (CODEDEPLOY_APP_NAME and "
            "CODEDEPLOY_GROUP_NAME), without ecs."
            if controller == "CODE_DEPLOY"
            else "Make the service anew with ECS's own controller, or describe the target without ecs."
        )
        yield failed(
            f"{target.service}'s deployments belong to {controller}, not to ECS.",
            "ECS refuses UpdateService: neither the pipeline nor a rollback can change the service.",
            way,
        )
        return
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    if not breaker.get("enable"):
        yield failed(
            f"{target.service}'s deployment circuit breaker is off.",
            f"A version that does not come up is tried for ever: the bot notices after {target.timing.rollout} s only "
            "(timing.rollout), and puts the last version back then.",
            f"aws ecs update-service --cluster {target.cluster} --service {target.service} --deployment-configuration "
            "deploymentCircuitBreaker={enable=true,rollback=true}",
            LINK,
        )
    elif not breaker.get("rollback"):
        yield warning(
            f"{target.service}'s deployment circuit breaker stops a bad version and does not put the last one back.",
            "The bot puts it back itself, some seconds later; until then fewer tasks run.",
            "Switch rollback on beside enable.",
            LINK,
        )


def _runs(target: Target, service: Json) -> Iterator[Result]:
    if not service["desiredCount"]:
        yield failed(
            f"{target.service} is set to run no task (desired count 0).",
            "A rollout of nothing always succeeds: a broken version would count as healthy.",
            f"aws ecs update-service --cluster {target.cluster} --service {target.service} --desired-count 1",
        )
    elif service["runningCount"] < service["desiredCount"] and len(service.get("deployments", [])) < 2:
        yield warning(
            f"{target.service} runs {service['runningCount']} of {service['desiredCount']} tasks.",
            "What is live now is not healthy: a rollback to it would not be either.",
            "The service's events in the console say why tasks do not start.",
        )


def _task_definition(installation: Installation, target: Target, client: Any, service: Json) -> Iterator[Result]:
    from botocore.exceptions import ClientError

    arn = str(service["taskDefinition"])
    short = arn.rpartition("/")[2]
    try:
        with asking("ecs:DescribeTaskDefinition", role=target.role_arn):
            found = client.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    except ClientError:
        found = {"status": "DELETED"}
    if found.get("status", "ACTIVE") != "ACTIVE":
        yield failed(
            f"The task definition {short} that {target.service} runs is {found['status'].lower()}.",
            "What is live now cannot be put back after a bad deployment: ECS takes active task definitions only.",
            "Deploy once, which registers a new one, and do not deregister what the last deployments ran.",
        )
        return
    yield from _roles(installation, target, found)


def _roles(installation: Installation, target: Target, found: Json) -> Iterator[Result]:
    """Only the stack's own policy passes roles on, and only for targets in its account."""
    parameters = installation.stack.parameters if installation.stack else {}
    if target.role_arn:
        return
    for key, parameter in (("executionRoleArn", "EcsTaskExecutionRoleName"), ("taskRoleArn", "EcsTaskRoleName")):
        role, known = str(found.get(key, "")).partition(":role/")[2], parameters.get(parameter, "")
        if role and known and role != known:
            yield failed(
                f"{target.service}'s task definition has the {key} {role}; the stack's {parameter} is {known}.",
                "A rollback is refused: the bot may not pass that role on (iam:PassRole), and the bad version stays.",
                f"Deploy the stack again with {parameter}={role}.",
            )


def _hooks(target: Target, service: Json) -> Iterator[Result]:
    """A strategy is sent with the service's hooks; whether the pipeline may pass their roles is not seen from here."""
    hooks = (service.get("deploymentConfiguration") or {}).get("lifecycleHooks") or []
    roles = sorted({str(hook["roleArn"]).partition(":role/")[2] for hook in hooks if hook.get("roleArn")})
    if target.strategy and roles:
        yield skipped(
            f"{target.service} has lifecycle hooks, which ECS calls as {', '.join(roles)}; whether the pipeline may "
            "pass that on was not looked at.",
            f"templates/pipeline-role.yaml lets it with EcsHookRoleName={roles[0]} (several: the beginning of their "
            "names and a star).",
        )
