"""The settings of the local run: what the environment says, else what the template's parameters are here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PARAMETERS = {
    "GithubId": ("GITHUB_ID", "acme"),
    "GithubRepo": ("GITHUB_REPO", "checkout-api"),
    "GithubAppId": ("GITHUB_APP_ID", ""),
    "GithubDeployments": ("GITHUB_DEPLOYMENTS", "false"),
    "EcsClusterName": ("ECS_CLUSTER_NAME", "checkout"),
    "EcsServiceName": ("ECS_SERVICE_NAME", "checkout-api"),
    "CodeDeployAppName": ("CODEDEPLOY_APP_NAME", ""),
    "CodeDeployGroupName": ("CODEDEPLOY_GROUP_NAME", ""),
    "SlackChannelId": ("SLACK_CHANNEL_ID", "C0DEPLOY1"),
    "SlackApprovers": ("SLACK_APPROVERS", "U0LEE0001,U0KIM0001"),
    "DeployApprovalRequired": ("DEPLOY_APPROVAL_REQUIRED", ""),
    "RollbackApprovalRequired": ("ROLLBACK_APPROVAL_REQUIRED", "false"),
    "Language": ("CHATOPS_LANG", "en"),
    "GifBaseUrl": ("GIF_BASE_URL", ""),
    "GifDeploying": ("GIF_DEPLOYING", ""),
    "GifDeploySuccess": ("GIF_DEPLOY_SUCCESS", ""),
    "GifDeployFail": ("GIF_DEPLOY_FAIL", ""),
    "LogLevel": ("LOG_LEVEL", "INFO"),
}
"""The template's parameters: the environment variable that may set each, and its value here."""

SEAMS = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_ECS",
    "AWS_ENDPOINT_URL_CODEDEPLOY",
    "AWS_ENDPOINT_URL_STS",
    "CHATOPS_GITHUB_API_URL",
    "CHATOPS_OIDC_ISSUER",
    "SLACK_API_URL",
)
"""External services that are used where the environment sets them."""

NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""Lambda has none either."""


def value(parameter: str, given: Mapping[str, str] | None = None) -> str:
    """A parameter's value; `given` are variables that count before the environment's."""
    variable, default = PARAMETERS[parameter]
    # an empty variable counts as unset, one that was handed in is meant
    return (given or {}).get(variable, os.environ.get(variable, "").strip() or default)


def variables(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The parameters as the functions' variables."""
    return {variable: value(name, given) for name, (variable, _) in PARAMETERS.items()}


def ignore_aws_files() -> None:
    """For this process: everything is on this machine, so a profile that is missing, or a configuration that cannot be
    read or names another endpoint, must not matter."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        os.environ.pop(name, None)
    os.environ |= NO_AWS_FILES


def targets_path() -> Path:
    """The file that the environment names, else the local run's own."""
    named = os.environ.get("CHATOPS_TARGETS_FILE", "").strip()
    return Path(named) if named else ROOT / "local" / "targets.yaml"
