"""CodeDeploy's own errors, by the names that boto3 raises them under."""

from __future__ import annotations

from fakes.aws_json import AwsError


class CodeDeployError(AwsError):
    """Names: https://docs.aws.amazon.com/codedeploy/latest/APIReference/CommonErrors.html and each operation's page."""


def application_missing(name: str) -> CodeDeployError:
    return CodeDeployError("ApplicationDoesNotExistException", f"No application found for name: {name}")


def group_missing(name: str) -> CodeDeployError:
    text = f"No Deployment Group found for name: {name}"
    return CodeDeployError("DeploymentGroupDoesNotExistException", text)


def deployment_missing(deployment_id: str) -> CodeDeployError:
    text = f"The deployment {deployment_id} could not be found"
    return CodeDeployError("DeploymentDoesNotExistException", text)


def deployment_ended(deployment_id: str) -> CodeDeployError:
    return CodeDeployError(
        "DeploymentAlreadyCompletedException", f"The deployment {deployment_id} is already completed."
    )


def group_busy(group: str, deployment_id: str) -> CodeDeployError:
    """A group deploys one at a time."""
    text = f"The Deployment Group '{group}' already has an active Deployment '{deployment_id}'"
    return CodeDeployError("DeploymentLimitExceededException", text)


def refused(code: str, message: str) -> CodeDeployError:
    return CodeDeployError(code, message)
