"""The one place that talks to CodeDeploy."""

from __future__ import annotations

from typing import Any

from chatops import aws, clock
from chatops.ecs import staged
from chatops.ecs.staged import Pause
from chatops.ecs.verdict import Rollout, codedeploy
from chatops.errors import ServiceRefused
from chatops.targets import Target


def _client(target: Target) -> Any:
    return aws.client("codedeploy", region=target.region, role_arn=target.role_arn)


def check(target: Target, deployment_id: str) -> Rollout:
    """The deployment's own status. Raises ServiceRefused if CodeDeploy knows no such deployment."""
    client = _client(target)
    try:
        info = client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    except client.exceptions.ClientError as error:
        if aws.is_transient(error):
            raise
        raise ServiceRefused(f"CodeDeploy knows no deployment {deployment_id} ({aws.error_code(error)}).") from None
    said = str(info.get("errorInformation", {}).get("message", ""))
    return codedeploy(str(info["status"]), said, staged.ready({"deploymentId": deployment_id, **info}))


def proceed(target: Target, pause: Pause) -> bool:
    """ContinueDeployment: move the traffic; False where it does not wait for that any more.

    Raises ServiceRefused where CodeDeploy does not let us.
    """
    client = _client(target)
    try:
        client.continue_deployment(deploymentId=pause.of, deploymentWaitType=pause.id)
    except client.exceptions.ClientError as error:
        if aws.is_transient(error):
            raise
        if check(target, pause.of).pause:
            raise ServiceRefused(
                f"CodeDeploy did not let the deployment go on ({aws.error_code(error)}). It needs "
                f"codedeploy:ContinueDeployment; by hand: aws deploy continue-deployment --deployment-id {pause.of} "
                f"--deployment-wait-type {pause.id}"
            ) from None
        return False
    return True


def latest(target: Target) -> str:
    """The newest successful deployment of the group, or nothing."""
    found = _client(target).list_deployments(
        applicationName=target.codedeploy_application,
        deploymentGroupName=target.codedeploy_group,
        includeOnlyStatuses=["Succeeded"],
    )["deployments"]
    return str(found[0]) if found else ""


def since(target: Target, at: float) -> str:
    """The newest deployment of the group that was created since then (epoch seconds), or nothing."""
    client, group = _client(target), target.codedeploy_group
    listed = client.get_paginator("list_deployments").paginate(
        applicationName=target.codedeploy_application,
        deploymentGroupName=group,
        createTimeRange={"start": clock.at(at)},
    )
    made = [client.get_deployment(deploymentId=d)["deploymentInfo"] for page in listed for d in page["deployments"]]
    newest = max(made, key=lambda info: info["createTime"], default=None)
    return str(newest["deploymentId"]) if newest else ""


def stop(target: Target, deployment_id: str) -> None:
    """Stop a deployment that is under way; one that has ended needs no stop."""
    client = _client(target)
    try:
        client.stop_deployment(deploymentId=deployment_id, autoRollbackEnabled=False)
    except client.exceptions.ClientError as error:
        if aws.is_transient(error) or aws.error_code(error) == "AccessDeniedException":
            raise


def redeploy(target: Target, good_deployment_id: str, description: str) -> str:
    """Deploy the revision of an earlier, good deployment again; the new deployment's id.

    `description` names our deployment, so that a second call finds what the first one began.
    """
    client = _client(target)
    group = {"applicationName": target.codedeploy_application, "deploymentGroupName": target.codedeploy_group}
    begun = client.list_deployments(**group, includeOnlyStatuses=["Created", "Queued", "InProgress", "Baking", "Ready"])
    for known in begun["deployments"]:
        info = client.get_deployment(deploymentId=known)["deploymentInfo"]
        if info.get("description") == description:
            return str(known)
    revision = client.get_deployment(deploymentId=good_deployment_id)["deploymentInfo"]["revision"]
    return str(client.create_deployment(**group, revision=revision, description=description)["deploymentId"])
