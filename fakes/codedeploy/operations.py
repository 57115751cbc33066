"""The operations, each a function from a request's JSON to the answer's.

Requests and answers: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable

from fakes.codedeploy import describe
from fakes.codedeploy.deployer import Deployer
from fakes.codedeploy.errors import CodeDeployError, application_missing, deployment_ended, refused
from fakes.codedeploy.model import STATUSES, Deployment, Json

Operation = Callable[[Deployer, Json], Json]
PAGE = 100
BATCH = 25


def get_application(state: Deployer, request: Json) -> Json:
    name = _needed(request, "applicationName", "ApplicationNameRequiredException")
    platform = next((each.platform for (known, _), each in state.groups.items() if known == name), None)
    if platform is None:
        raise application_missing(name)
    return {"application": {"applicationName": name, "linkedToGitHub": False, "computePlatform": platform}}


def get_deployment_group(state: Deployer, request: Json) -> Json:
    application = _needed(request, "applicationName", "ApplicationNameRequiredException")
    name = _needed(request, "deploymentGroupName", "DeploymentGroupNameRequiredException")
    return {"deploymentGroupInfo": describe.group(state.group(application, name))}


def get_deployment_config(state: Deployer, request: Json) -> Json:
    name = _needed(request, "deploymentConfigName", "DeploymentConfigNameRequiredException")
    if name not in state.configs:
        raise refused("DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}")
    return {"deploymentConfigInfo": {"deploymentConfigName": name, "trafficRoutingConfig": state.configs[name]}}


def get_application_revision(state: Deployer, request: Json) -> Json:
    """The revision with the content that deployments do not show."""
    application = _needed(request, "applicationName", "ApplicationNameRequiredException")
    wanted = describe.without_content(request.get("revision") or {})
    for (known, _), group in state.groups.items():
        for each in group.deployments:
            if known == application and describe.without_content(each.revision) == wanted:
                info = {"firstUsedTime": each.created_at, "deploymentGroups": [group.name]}
                return {"applicationName": application, "revision": each.revision, "revisionInfo": info}
    raise refused("RevisionDoesNotExistException", "The revision could not be found")


def create_deployment(state: Deployer, request: Json) -> Json:
    application = _needed(request, "applicationName", "ApplicationNameRequiredException")
    name = _needed(request, "deploymentGroupName", "DeploymentGroupNameRequiredException")
    group = state.group(application, name)
    configured = request.get("autoRollbackConfiguration") or {}
    events = frozenset(configured.get("events", []) if configured.get("enabled") else []) or group.auto_rollback
    made = state.begin(
        group,
        _revision(request),
        state.clock.now(),
        description=str(request.get("description", "")),
        config=str(request.get("deploymentConfigName", "")),
        auto_rollback=events,
        file_exists=str(request.get("fileExistsBehavior", "DISALLOW")),
        ignores_stop=bool(request.get("ignoreApplicationStopFailures", False)),
    )
    return {"deploymentId": made.id}


def _revision(request: Json) -> Json:
    """Raises RevisionRequiredException, InvalidRevisionException.

    Whether an AppSpec's hash alone is enough for CodeDeploy to find its content again is written nowhere: not here.
    """
    given: Json = request.get("revision") or {}
    kind = given.get("revisionType")
    if not kind:
        raise refused("RevisionRequiredException", "RevisionLocation must be specified")
    member = {"S3": "s3Location", "GitHub": "gitHubLocation", "AppSpecContent": "appSpecContent"}.get(kind, "")
    location = given.get(member)
    if not location:
        raise refused("InvalidRevisionException", f"A revision of type {kind} must have its {member}")
    if kind != "AppSpecContent":
        return given
    content = location.get("content")
    if not content or location.get("sha256", describe.sha256(content)) != describe.sha256(content):
        raise refused("InvalidRevisionException", "AppSpecContent must have the content that its sha256 is of")
    return {"revisionType": kind, member: {"content": content, "sha256": describe.sha256(content)}}


def get_deployment(state: Deployer, request: Json) -> Json:
    wanted = _needed(request, "deploymentId", "DeploymentIdRequiredException")
    return {"deploymentInfo": describe.deployment(state.deployment(wanted))}


def batch_get_deployments(state: Deployer, request: Json) -> Json:
    wanted = list(_needed(request, "deploymentIds", "DeploymentIdRequiredException"))
    if len(wanted) > BATCH:
        raise refused("BatchLimitExceededException", f"The maximum number of deployments is {BATCH}")
    known = {each.id: each for group in state.groups.values() for each in group.deployments}
    return {"deploymentsInfo": [describe.deployment(known[each]) for each in wanted if each in known]}


def list_deployment_targets(state: Deployer, request: Json) -> Json:
    it = _started(state, request)
    return {"targetIds": [describe.target_id(it.group)] if it.group.platform != "Server" else []}


def batch_get_deployment_targets(state: Deployer, request: Json) -> Json:
    it = _started(state, request)
    if list(_needed(request, "targetIds", "DeploymentTargetIdRequiredException")) != [describe.target_id(it.group)]:
        raise refused("DeploymentTargetDoesNotExistException", "The target is not the deployment's")
    return {"deploymentTargets": [describe.target(it)]}


def _started(state: Deployer, request: Json) -> Deployment:
    it = state.deployment(_needed(request, "deploymentId", "DeploymentIdRequiredException"))
    if it.started_at is None:
        raise refused("DeploymentNotStartedException", f"The deployment {it.id} has not started")
    return it


def list_deployments(state: Deployer, request: Json) -> Json:
    """In no order that means anything: CodeDeploy promises none."""
    application, name = request.get("applicationName"), request.get("deploymentGroupName")
    if application and not name:
        raise refused("DeploymentGroupNameRequiredException", "Deployment Group name is missing")
    if name and not application:
        raise refused("ApplicationNameRequiredException", "Application name is missing")
    groups = [state.group(application, str(name))] if application else list(state.groups.values())
    statuses = set(request.get("includeOnlyStatuses") or STATUSES)
    if statuses - STATUSES:
        raise refused("InvalidDeploymentStatusException", "The deployment status is invalid")
    span = request.get("createTimeRange") or {}
    start, end = span.get("start") or float("-inf"), span.get("end") or float("inf")
    if start > end:
        raise refused("InvalidTimeRangeException", "The start of the time range is after its end")
    found = sorted(
        each.id
        for group in groups
        for each in group.deployments
        if each.status in statuses and start <= each.created_at <= end
    )
    try:
        at = int(request.get("nextToken") or 0)
    except ValueError:
        raise refused("InvalidNextTokenException", "The next token is invalid") from None
    more = {"nextToken": str(at + PAGE)} if at + PAGE < len(found) else {}
    return {"deployments": found[at : at + PAGE], **more}


def stop_deployment(state: Deployer, request: Json) -> Json:
    it = state.deployment(_needed(request, "deploymentId", "DeploymentIdRequiredException"))
    if it.ended:
        raise deployment_ended(it.id)
    if not it.stopping:
        state.stop(it, request.get("autoRollbackEnabled"))
    return {"status": "Pending", "statusMessage": "The stop operation is pending."}


def continue_deployment(state: Deployer, request: Json) -> Json:
    it = state.deployment(_needed(request, "deploymentId", "DeploymentIdRequiredException"))
    if it.ended:
        raise deployment_ended(it.id)
    waits = "READY_WAIT" if it.status == "Ready" else "TERMINATION_WAIT" if it.terminating else ""
    if request.get("deploymentWaitType", "READY_WAIT") != waits:
        raise refused("DeploymentIsNotInReadyStateException", f"The deployment {it.id} does not wait for that")
    state.go_on(it)
    return {}


OPERATIONS: dict[str, Operation] = {
    "GetApplication": get_application,
    "GetDeploymentGroup": get_deployment_group,
    "GetDeploymentConfig": get_deployment_config,
    "GetApplicationRevision": get_application_revision,
    "CreateDeployment": create_deployment,
    "GetDeployment": get_deployment,
    "BatchGetDeployments": batch_get_deployments,
    "ListDeployments": list_deployments,
    "ListDeploymentTargets": list_deployment_targets,
    "BatchGetDeploymentTargets": batch_get_deployment_targets,
    "StopDeployment": stop_deployment,
    "ContinueDeployment": continue_deployment,
}


def perform(state: Deployer, name: str, request: Json) -> Json:
    """Catch up with the clock, then do one operation. Raises CodeDeployError."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise CodeDeployError("UnknownOperationException", "")
    state.timeline.advance()
    return operation(state, request)


def _needed(request: Json, key: str, code: str) -> str:
    if not request.get(key):
        raise refused(code, f"{key} is missing")
    value: str = request[key]
    return value
