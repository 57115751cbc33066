"""Is the target's CodeDeploy application there, and its deployment group?"""

from __future__ import annotations

from collections.abc import Iterator

from chatops.aws import error_code
from doctor.aws_answers import asking
from doctor.installation import Installation
from doctor.result import Result, failed, ok, skipped

LINK = "https://console.aws.amazon.com/codesuite/codedeploy/applications"
_CAUSES = "Each deployment and each rollback of the target ends in Refused."


def look(installation: Installation, name: str) -> Iterator[Result]:
    """By GetDeploymentGroup."""
    from botocore.exceptions import ClientError

    target = installation.targets[name]
    if target.kind != "codedeploy":
        yield skipped("The target is not CodeDeploy's.")
        return
    application, group = target.codedeploy_application, target.codedeploy_group
    client = installation.aws.client("codedeploy", target.region, target.role_arn)
    try:
        with asking("codedeploy:GetDeploymentGroup", role=target.role_arn):
            found = client.get_deployment_group(applicationName=application, deploymentGroupName=group)
    except ClientError as error:
        code = error_code(error)
        missing = {
            "ApplicationDoesNotExistException": f"CodeDeploy knows no application {application}.",
            "DeploymentGroupDoesNotExistException": f"CodeDeploy's application {application} has no group {group}.",
        }
        yield failed(
            missing.get(code, f"CodeDeploy refuses to show {application}/{group} ({code})."),
            _CAUSES,
            "Set CODEDEPLOY_APP_NAME and CODEDEPLOY_GROUP_NAME (or the target's codedeploy in targets.yaml) to what "
            "the console shows; look whether it is this account and region.",
            LINK,
        )
        return
    kind = found["deploymentGroupInfo"].get("computePlatform", "Server")
    yield ok(f"{application}/{group} is there ({kind}).")
