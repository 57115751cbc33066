"""Is every variable set, and does it hold what it should? All of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chatops.settings import secrets
from chatops.settings.secrets import WHAT
from doctor import secret_forms
from doctor.installation import Installation
from doctor.result import Result, failed, ok

README = "docs/configuration.md"
PARAMETERS = {
    "GITHUB_ID": "GithubId",
    "GITHUB_REPO": "GithubRepo",
    "GITHUB_APP_ID": "GithubAppId",
    "GITHUB_DEPLOYMENTS": "GithubDeployments",
    "ECS_CLUSTER_NAME": "EcsClusterName",
    "ECS_SERVICE_NAME": "EcsServiceName",
    "CODEDEPLOY_APP_NAME": "CodeDeployAppName",
    "CODEDEPLOY_GROUP_NAME": "CodeDeployGroupName",
    "SLACK_CHANNEL_ID": "SlackChannelId",
    "SLACK_APPROVERS": "SlackApprovers",
    "DEPLOY_APPROVAL_REQUIRED": "DeployApprovalRequired",
    "ROLLBACK_APPROVAL_REQUIRED": "RollbackApprovalRequired",
    "CHATOPS_LANG": "Language",
    "GIF_BASE_URL": "GifBaseUrl",
    "GIF_DEPLOYING": "GifDeploying",
    "GIF_DEPLOY_SUCCESS": "GifDeploySuccess",
    "GIF_DEPLOY_FAIL": "GifDeployFail",
}
"""Variables that are parameters of the stack (template.yaml, Globals)."""

SECRETS = {secrets.SLACK: "SlackSecretArn", secrets.GITHUB: "GithubSecretArn"}
"""Variables that are outputs of the stack: its two secrets."""

_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,20}")
_CAUSES = {
    secrets.SLACK_SIGNING_SECRET: "Every request of Slack's is answered 401; a command shows dispatch_failed.",
    secrets.SLACK_BOT_TOKEN: "No message can be posted, so nobody is asked and nobody is told.",
    secrets.GITHUB_TOKEN: "No run can be started; each deployment ends in Refused.",
    secrets.GITHUB_APP_KEY: "The GitHub App cannot sign, so no run can be started.",
    "SLACK_CHANNEL_ID": "What has no channel of its own (executions started in the console) is told nowhere.",
}
_USUAL = "Functions that read their settings fail with InvalidConfiguration."


def look(installation: Installation, _: str) -> Iterator[Result]:
    """One failure for each variable and secret that is missing or malformed; else how many targets there are."""
    problems = [
        failed(problem.text, _CAUSES.get(problem.name, _USUAL), _where(installation, problem.name), README)
        for problem in installation.read.problems
    ]
    problems += [*_channel(installation), *_secrets(installation), *_app_token(installation)]
    yield from problems
    if not problems:
        count = len(installation.targets)
        names = ", ".join(installation.targets)
        yield ok(f"{count} target{'s' if count != 1 else ''} ({names}), from {_source(installation)}.")


def _source(installation: Installation) -> str:
    file = installation.read.file
    return f"{installation.source} and {file}" if file else installation.source


def _channel(installation: Installation) -> Iterator[Result]:
    channel = installation.settings.channel
    if channel and not _CHANNEL.fullmatch(channel):
        yield failed(
            f"SLACK_CHANNEL_ID is {channel!r}; it should hold a channel's id (C…), not its name.",
            _CAUSES["SLACK_CHANNEL_ID"],
            "In Slack open the channel's details: the id stands at the bottom of About. "
            + _where(installation, "SLACK_CHANNEL_ID"),
            README,
        )


def _secrets(installation: Installation) -> Iterator[Result]:
    if trouble := installation.secrets_trouble:
        yield failed(
            f"The secrets cannot be looked at: {trouble}.",
            "If the functions cannot read them either, nothing that comes from Slack is accepted, and no run starts.",
            "Run this with the right secretsmanager:GetSecretValue. If a secret's text is the trouble, put it there "
            "anew, as one JSON object: aws secretsmanager put-secret-value --secret-id … --secret-string …",
            README,
        )
        return
    key = secrets.GITHUB_APP_KEY if installation.settings.github_app_id else secrets.GITHUB_TOKEN
    for name in (secrets.SLACK_SIGNING_SECRET, secrets.SLACK_BOT_TOKEN, key):
        value = installation.secrets.get(name, "").strip()
        if text := secret_forms.problem(name, value):
            yield failed(text, _CAUSES[name], _where(installation, name), README)


def _app_token(installation: Installation) -> Iterator[Result]:
    """Only for `make run` with a real workspace, so it may be missing; Slack is not asked about it."""
    value = installation.env.get("SLACK_APP_TOKEN", "").strip()
    if value and not value.startswith("xapp-"):
        yield failed(
            "SLACK_APP_TOKEN holds something else; it should hold an app-level token (xapp-…) with connections:write.",
            "make run cannot open Socket Mode.",
            "In the app's settings: Basic Information, App-Level Tokens. Or leave it unset.",
            README,
        )


def _where(installation: Installation, name: str) -> str:
    if installation.stack is None or installation.local:
        return f"Set {name} in the environment." if name != "targets.yaml" else "Mend the file where the sentence says."
    if name in WHAT:
        output = SECRETS[secrets.STORED_IN[name]]
        arn = installation.stack.outputs.get(output, f"<output {output}>")
        return f"make secret STACK={installation.stack.name} asks for it, and puts it into {arn}."
    if name in PARAMETERS:
        return f"Deploy the stack again with the parameter {PARAMETERS[name]}."
    return "Mend the file where the sentence says, build and deploy the stack again."
