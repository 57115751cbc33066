"""A stack as CloudFormation describes it: whether it can be deployed to, and what runs after a failed deployment.

The statuses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatops.aws import error_code

_NEVER_EXECUTED = "REVIEW_IN_PROGRESS"
_MUST_BE_DELETED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
_AGAIN = "then run make deploy again."


@dataclass(frozen=True)
class Stack:
    """A stack, or the lack of one (no status)."""

    name: str
    region: str
    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Without the values of NoEcho parameters, which read ****."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    revision: tuple[str, ...] = ()
    """Changes with each deployment that was carried out."""

    @property
    def new(self) -> bool:
        """Whether nothing was ever deployed to it (a change set that nobody executed makes an empty stack)."""
        return self.status in ("", _NEVER_EXECUTED)

    @property
    def deletion(self) -> str:
        """The commands that remove it."""
        which = f"--stack-name {self.name} --region {self.region}"
        return f"aws cloudformation delete-stack {which} && aws cloudformation wait stack-delete-complete {which}"


def describe(cloudformation: Any, name: str) -> Stack:
    """The stack as it is now. Raises ClientError and BotoCoreError where AWS does not say."""
    region = str(cloudformation.meta.region_name)
    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error_code(error) != "ValidationError" or "does not exist" not in str(error):
            raise
        return Stack(name, region)
    if found["StackStatus"] == _NEVER_EXECUTED:
        return Stack(name, region, _NEVER_EXECUTED)
    return Stack(
        name,
        region,
        status=str(found["StackStatus"]),
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        outputs={each["OutputKey"]: str(each["OutputValue"]) for each in found.get("Outputs", [])},
        revision=tuple(str(found.get(key)) for key in ("CreationTime", "LastUpdatedTime")),
    )


def obstacle(stack: Stack) -> str:
    """Why the stack cannot be deployed to as it stands, what of it runs, and what to do; empty where it can."""
    name, status = stack.name, stack.status
    which = f"--stack-name {name} --region {stack.region}"
    if stack.new:
        return ""
    if status.endswith("_IN_PROGRESS"):
        return (
            f"CloudFormation is changing the stack {name} right now ({status}), and does one change at a time. Wait "
            f"until it has ended (aws cloudformation describe-stacks {which}), {_AGAIN}"
        )
    if status in _MUST_BE_DELETED:
        return (
            f"The stack {name} was not completely made, or not completely deleted ({status}): do not count on anything "
            f"of it. CloudFormation does not update it any more. Delete it ({stack.deletion}), {_AGAIN}"
        )
    if status.endswith("_FAILED") and status != "UPDATE_FAILED":
        return (
            f"CloudFormation could not put the stack {name} back ({status}): some of it is from before, some is new. "
            f"Read its events (aws cloudformation describe-stack-events {which}), remove what they complain of, let it "
            f"go on (aws cloudformation continue-update-rollback {which}), {_AGAIN}"
        )
    return ""


def not_ours(stack: Stack, parameters: Iterable[str], outputs: Iterable[str]) -> str:
    """What is wrong with a stack that has none of these: it was made from another template. Empty where it has one."""
    if stack.new or set(parameters) & stack.parameters.keys() or set(outputs) & stack.outputs.keys():
        return ""
    return (
        f"The stack {stack.name} in {stack.region} was made from another template; a deployment would replace all that "
        "it holds. Give yours another name: make deploy STACK=..."
    )


def left_by_failure(before: Stack, after: Stack) -> str:
    """What runs after a deployment that failed, and what to do."""
    if after.new:
        return f"There is still no stack {after.name}: nothing was made. Remove the cause, {_AGAIN}"
    if after.revision == before.revision and after.status == before.status:
        return f"The stack {after.name} was not touched and runs as before. Remove the cause, {_AGAIN}"
    if problem := obstacle(after):
        return problem
    if "ROLLBACK" in after.status:
        return (
            f"CloudFormation has put the stack {after.name} back ({after.status}): what ran before runs on. Remove the "
            f"cause, {_AGAIN}"
        )
    if after.status.endswith("_COMPLETE"):
        return f"CloudFormation has finished the deployment of {after.name} all the same ({after.status}): it runs."
    return f"Some of the stack {after.name} is from before, some is new ({after.status}). Remove the cause, {_AGAIN}"


def cause(cloudformation: Any, name: str) -> str:
    """The first failure of the stack's last operation, `resource: reason`; empty where AWS does not say."""
    first = ""
    try:
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
            for event in page["StackEvents"]:  # the newest first
                status, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
                if event.get("PhysicalResourceId") == event["StackId"]:
                    if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                        return first
                elif status.endswith("_FAILED") and "cancelled" not in reason:
                    first = f"{event['LogicalResourceId']}: {reason}"
    except (ClientError, BotoCoreError):
        return first
    return first
