"""Do ECS's and CodeDeploy's events, and GitHub's webhook, wake deployments? Without them each goes on when it looks."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chatops.aws import error_code
from chatops.settings.secrets import GITHUB_WEBHOOK_SECRET
from doctor.aws_answers import asking
from doctor.installation import AGAIN, Installation, Stack
from doctor.result import Result, ok, skipped, warning

RULES = {"ECS": "WakeFunctionEcsRollout", "CodeDeploy": "WakeFunctionCodeDeployRollout"}
"""By SAM's name for the rule: the function's and the event's in template.yaml, one after the other."""
LATER = "A deployment goes on when it looks, up to a minute after its rollout has ended."


def look(installation: Installation, _: str) -> Iterator[Result]:
    """By DescribeRule, the stack's parameter TargetAccountIds and GetSecretValue; all of it only costs time."""
    stack = installation.deployed
    problems = [*_webhook(installation, stack)]
    if not installation.local:  # which sends events itself
        problems += [*_rules(installation, stack), *_accounts(installation, stack)]
    yield from problems
    if not problems:
        yield ok("Events of ECS and CodeDeploy wake deployments, and GitHub's webhook has a secret.")
    if not installation.local and (far := [one.name for one in installation.targets.values() if one.role_arn]):
        yield skipped(
            f"Whether events of {', '.join(far)} are sent to the stack, only their account and region can say.",
            "templates/target-role.yaml sends them where its EventBusArn is the stack's output of that name.",
        )


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


def _rules(installation: Installation, stack: Stack) -> Iterator[Result]:
    from botocore.exceptions import ClientError

    for service, name in RULES.items():
        try:
            with asking("events:DescribeRule"):
                state = _state(installation, stack, name)
        except ClientError as error:
            state = f"not there ({error_code(error)})"
        if not state.startswith("ENABLED"):
            yield warning(
                f"The rule for {service}'s events ({name}) is {state}.",
                LATER,
                f"aws events enable-rule, if somebody has disabled it. {AGAIN}",
            )


def _state(installation: Installation, stack: Stack, name: str) -> str:
    resource = installation.aws.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=name
    )["StackResourceDetail"]
    return str(installation.aws.client("events").describe_rule(Name=resource["PhysicalResourceId"])["State"])


def _accounts(installation: Installation, stack: Stack) -> Iterator[Result]:
    own = _account(installation.settings.state_machine_arn)
    admitted = {own, "", *stack.parameters.get("TargetAccountIds", "").split(",")}
    for target in installation.targets.values():
        if (theirs := _account(target.role_arn)) not in admitted:
            yield warning(
                f"The stack takes no events from the account {theirs} of {target.name}.",
                LATER,
                f"make deploy TargetAccountIds={','.join(sorted({*admitted, theirs} - {own, ''}))}",
            )


def _webhook(installation: Installation, stack: Stack) -> Iterator[Result]:
    from botocore.exceptions import ClientError

    arn = stack.outputs.get("WebhookSecretArn", "")
    trouble = "is not an output of the stack"
    if arn:
        try:
            with asking("secretsmanager:GetSecretValue"):
                text = installation.aws.client("secretsmanager").get_secret_value(SecretId=arn).get("SecretString", "")
            trouble = "" if _filled(text) else f"{arn} holds no {GITHUB_WEBHOOK_SECRET}"
        except ClientError as error:
            trouble = f"{arn} cannot be read ({error_code(error)})"
    if trouble:
        yield warning(
            f"The secret of GitHub's webhook {trouble}.",
            "Its deliveries are refused: the end of a run that reports nothing is seen when the bot looks.",
            f"{AGAIN} If its value was overwritten, put a JSON object with {GITHUB_WEBHOOK_SECRET} there, and the "
            "same value into the webhook's settings.",
        )


def _filled(text: str) -> bool:
    try:
        stored = json.loads(text)
    except ValueError:
        return False
    return isinstance(stored, dict) and bool(str(stored.get(GITHUB_WEBHOOK_SECRET) or "").strip())
