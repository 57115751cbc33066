"""Is the stack complete, and are its state machine, table and secrets there?"""

from __future__ import annotations

from collections.abc import Iterator

from chatops.aws import error_code
from doctor.aws_answers import asking
from doctor.installation import AGAIN, Installation, Stack
from doctor.result import Result, State, failed, ok, warning

OUTPUTS = ("SlackRequestUrl", "StateMachineArn", "TableName", "SlackSecretArn", "GithubSecretArn")
LINK = "https://console.aws.amazon.com/cloudformation/home"
_PARTS = {
    "state machine": ("StateMachineArn", "states:DescribeStateMachine", "No command starts anything."),
    "table": ("TableName", "dynamodb:DescribeTable", "Every step of a deployment fails."),
    "Slack secret": ("SlackSecretArn", "secretsmanager:DescribeSecret", "Nothing that comes from Slack is accepted."),
    "GitHub secret": ("GithubSecretArn", "secretsmanager:DescribeSecret", "No run can be started."),
}


def look(installation: Installation, _: str) -> Iterator[Result]:
    """By its status and outputs, DescribeStateMachine, DescribeTable and DescribeSecret."""
    stack = installation.deployed
    problems = [*_status(stack), *_parts(installation, stack)]
    yield from problems
    if not any(result.state is State.FAILED for result in problems):
        yield ok(f"{stack.name} is {stack.status}; its state machine, table and secrets are there.")


def _status(stack: Stack) -> Iterator[Result]:
    if missing := [name for name in OUTPUTS if not stack.outputs.get(name)]:
        yield failed(
            f"The stack {stack.name} lacks the outputs {', '.join(missing)}.",
            "It is another stack than this bot's, or was never made completely.",
            f"Look whether the name is right. {AGAIN}",
            LINK,
        )
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        return
    text = f"The stack {stack.name} is {stack.status}."
    todo = f"The stack's events in the console name the first resource that failed. Mend that. {AGAIN}"
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        yield warning(text, "The last change did not go through: what runs is the version before it.", todo, LINK)
    elif stack.status.endswith("_IN_PROGRESS"):
        yield warning(text, "What is found here may change in a minute.", "Run this again when it is done.", LINK)
    else:
        yield failed(text, "Parts of the bot are missing or old.", todo, LINK)


def _parts(installation: Installation, stack: Stack) -> Iterator[Result]:
    for what, (output, action, causes) in _PARTS.items():
        if name := stack.outputs.get(output, ""):
            yield from _there(installation, what, name, action, causes)


def _there(installation: Installation, what: str, name: str, action: str, causes: str) -> Iterator[Result]:
    from botocore.exceptions import ClientError

    try:
        with asking(action):
            status = _ASKED[what](installation, name)
    except ClientError as error:
        status = f"not there ({error_code(error)})"
    if status != "ACTIVE":
        yield failed(
            f"The {what} {name} is {status}.",
            causes,
            f"{AGAIN} If it was deleted by hand, CloudFormation does not notice: make it under its own name again, or "
            "make a new stack.",
            LINK,
        )


def _machine(installation: Installation, arn: str) -> str:
    return str(installation.aws.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["status"])


def _table(installation: Installation, name: str) -> str:
    found = installation.aws.client("dynamodb").describe_table(TableName=name)
    return str(found["Table"]["TableStatus"])


def _secret(installation: Installation, arn: str) -> str:
    found = installation.aws.client("secretsmanager").describe_secret(SecretId=arn)
    return "marked for deletion" if found.get("DeletedDate") else "ACTIVE"


_ASKED = {"state machine": _machine, "table": _table, "Slack secret": _secret, "GitHub secret": _secret}
