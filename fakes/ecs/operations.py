"""The operations, each a function from a request's JSON to the answer's.

Requests and answers: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable

from fakes.ecs import describe, names, staged
from fakes.ecs.errors import EcsError, client_error, conflict, invalid
from fakes.ecs.model import Json
from fakes.ecs.state import State

Operation = Callable[[State, Json, bool], Json]
"""State, request, and whether services have service deployments."""


def describe_services(state: State, request: Json, service_deployments: bool) -> Json:
    cluster = state.cluster(request.get("cluster"))
    wanted = _list(request, "services", 10)
    found, failures = [], []
    for name in wanted:
        service = state.services.get((cluster, names.last(name)))
        if service is None:
            arn = name if name.startswith("arn:") else names.arn("service", f"{cluster}/{name}", state.place)
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(describe.service(service, service_deployments))
    return {"services": found, "failures": failures}


def describe_clusters(state: State, request: Json, _: bool) -> Json:
    found, failures = [], []
    for name in request.get("clusters") or ["default"]:
        short = names.last(name)
        if short not in state.clusters:
            failures.append({"arn": names.arn("cluster", short, state.place), "reason": "MISSING"})
            continue
        services = [one for one in state.services.values() if one.cluster == short]
        groups = [group for one in services for group in one.tasks]
        found.append(
            {
                "clusterArn": names.arn("cluster", short, state.place),
                "clusterName": short,
                "status": "ACTIVE",
                "registeredContainerInstancesCount": 0,
                "runningTasksCount": sum(len(group.running) for group in groups),
                "pendingTasksCount": sum(len(group.pending) for group in groups),
                "activeServicesCount": sum(one.status == "ACTIVE" for one in services),
                "statistics": [],
                "tags": [],
                "settings": [{"name": "containerInsights", "value": "disabled"}],
                "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "defaultCapacityProviderStrategy": [],
            }
        )
    return {"clusters": found, "failures": failures}


def describe_task_definition(state: State, request: Json, _: bool) -> Json:
    definition = state.definition(str(request.get("taskDefinition", "")))
    if definition is None:
        raise client_error("Unable to describe task definition.")
    tags = definition.tags if "TAGS" in request.get("include", ()) else []
    return {"taskDefinition": describe.task_definition(definition), "tags": tags}


def register_task_definition(state: State, request: Json, _: bool) -> Json:
    family, containers = request.get("family"), request.get("containerDefinitions")
    if not family or not containers:
        raise client_error("Container list cannot be empty." if family else "Family cannot be empty.")
    for container in containers:
        if not container.get("image"):
            raise client_error("Container.image should not be null or empty.")
    tags = request.get("tags", [])
    if any(tag["key"].lower().startswith("aws:") for tag in tags):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")
    body = {key: value for key, value in request.items() if key not in ("family", "tags")}
    definition = state.register(family, body)
    definition.tags = tags
    return {"taskDefinition": describe.task_definition(definition), "tags": tags}


def update_service(state: State, request: Json, service_deployments: bool) -> Json:
    """A rollout begins when the task definition changes or a new deployment is forced, and only then."""
    service = state.service(request.get("cluster"), request["service"])
    current = service.primary.revision.task_definition
    name = request.get("taskDefinition")
    definition = state.definition(name) if name else current
    if definition is None:
        raise client_error("TaskDefinition not found.")
    if definition is not current and service.controller != "ECS":
        raise invalid(
            f"Unable to update task definition on services with a {service.controller} deployment controller."
        )
    if error := staged.refusal(request.get("deploymentConfiguration") or {}):
        raise error
    if "desiredCount" in request:
        service.desired = int(request["desiredCount"])
    if "deploymentConfiguration" in request:
        service.configuration = {**service.configuration, **request["deploymentConfiguration"]}
    if definition is not current or request.get("forceNewDeployment"):
        state.deploy(service, definition)
    return {"service": describe.service(service, service_deployments)}


def list_service_deployments(state: State, request: Json, service_deployments: bool) -> Json:
    service = state.service(request.get("cluster"), request["service"])
    if not service_deployments:
        return {"serviceDeployments": []}
    wanted = set(request.get("status") or [])
    created = request.get("createdAt") or {}
    after, before = created.get("after", float("-inf")), created.get("before", float("inf"))
    found = [
        describe.brief(service, one)
        for one in service.deployments
        if (not wanted or one.status in wanted) and after <= one.created_at <= before
    ]
    return _page("serviceDeployments", found, request, 20)


def describe_service_deployments(state: State, request: Json, _: bool) -> Json:
    found, failures = [], []
    known = {one.arn: (service, one) for service, one in state.deployments()}
    for arn in _list(request, "serviceDeploymentArns", 20):
        if arn in known:
            found.append(describe.deployment(*known[arn]))
        else:
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"serviceDeployments": found, "failures": failures}


def describe_service_revisions(state: State, request: Json, _: bool) -> Json:
    found, failures = [], []
    known = {one.target.revision.arn: (service, one.target.revision) for service, one in state.deployments()}
    for arn in _list(request, "serviceRevisionArns", 20):
        if arn in known:
            found.append(describe.revision(*known[arn]))
        else:
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"serviceRevisions": found, "failures": failures}


def stop_service_deployment(state: State, request: Json, _: bool) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html"""
    service, deployment = state.deployment(request["serviceDeploymentArn"])
    stop_type = request.get("stopType", "ROLLBACK")
    if stop_type not in ("ROLLBACK", "ABORT"):
        raise invalid(f"Invalid stopType: {stop_type}")
    if not deployment.ongoing:
        raise conflict(f"The service deployment is in status {deployment.status} and can not be stopped.")
    if deployment.status in ("PENDING", "IN_PROGRESS"):
        at = state.clock.now()
        if stop_type == "ROLLBACK":
            state.deployer.request_rollback(service, deployment, at)
        else:
            state.deployer.abort(service, deployment, at)
    return {"serviceDeploymentArn": deployment.arn}


def continue_service_deployment(state: State, request: Json, _: bool) -> Json:
    service, deployment = state.deployment(request["serviceDeploymentArn"])
    action = request.get("action", "CONTINUE")
    error = staged.proceed(state.deployer, service, deployment, request.get("hookId", ""), action, state.clock.now())
    if error is not None:
        raise error
    return {"serviceDeploymentArn": deployment.arn}


def list_tasks(state: State, request: Json, _: bool) -> Json:
    cluster = state.cluster(request.get("cluster"))
    if request.get("serviceName"):
        services = [state.service(cluster, request["serviceName"])]
    else:
        services = [one for one in state.services.values() if one.cluster == cluster]
    if request.get("desiredStatus", "RUNNING") != "RUNNING":
        return {"taskArns": []}
    family = request.get("family")
    found = [
        names.arn("task", f"{cluster}/{task}", state.place)
        for service in services
        for group in service.tasks
        if family in (None, group.revision.task_definition.family)
        for task in group.running + group.pending
    ]
    return _page("taskArns", found, request, 100)


def describe_tasks(state: State, request: Json, _: bool) -> Json:
    cluster = state.cluster(request.get("cluster"))
    wanted = _list(request, "tasks", 100)
    known = {
        names.arn("task", f"{cluster}/{task}", state.place): describe.task(service, group, task, state.place)
        for service in state.services.values()
        if service.cluster == cluster
        for group in service.tasks
        for task in group.running + group.pending
    }
    missing = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
    return {"tasks": [known[arn] for arn in wanted if arn in known], "failures": missing}


OPERATIONS: dict[str, Operation] = {
    "DescribeServices": describe_services,
    "DescribeClusters": describe_clusters,
    "DescribeTaskDefinition": describe_task_definition,
    "RegisterTaskDefinition": register_task_definition,
    "UpdateService": update_service,
    "ListServiceDeployments": list_service_deployments,
    "DescribeServiceDeployments": describe_service_deployments,
    "DescribeServiceRevisions": describe_service_revisions,
    "StopServiceDeployment": stop_service_deployment,
    "ContinueServiceDeployment": continue_service_deployment,
    "ListTasks": list_tasks,
    "DescribeTasks": describe_tasks,
}


def perform(state: State, name: str, request: Json, service_deployments: bool) -> Json:
    """Catch up with the clock, then do one operation. Raises EcsError."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise EcsError("UnknownOperationException", "")
    state.timeline.advance()
    try:
        return operation(state, request, service_deployments)
    except KeyError as missing:
        raise invalid(f"{missing.args[0]} is required.") from missing


def _list(request: Json, key: str, limit: int) -> list[str]:
    wanted = list(request.get(key) or [])
    if not wanted or len(wanted) > limit:
        raise invalid(f"{key} must name between 1 and {limit}.")
    return wanted


def _page(key: str, found: list[Json] | list[str], request: Json, default: int) -> Json:
    try:
        start = int(request.get("nextToken") or 0)
    except ValueError:
        raise invalid("Invalid token.") from None
    end = start + int(request.get("maxResults") or default)
    page: Json = {key: found[start:end]}
    if end < len(found):
        page["nextToken"] = str(end)
    return page
