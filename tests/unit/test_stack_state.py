"""What a failed deployment leaves behind, and why it failed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber

from scripts import stack_state
from scripts.stack_state import Stack
from tests.unit.deploy_clone import STACK


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ("", "", "There is still no stack platform-deploy: nothing was made."),
        ("", "REVIEW_IN_PROGRESS", "There is still no stack platform-deploy: nothing was made."),
        ("", "ROLLBACK_COMPLETE", "Delete it (aws cloudformation delete-stack"),
        ("UPDATE_COMPLETE", "UPDATE_COMPLETE", "was not touched and runs as before"),
        ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "(UPDATE_ROLLBACK_COMPLETE): what ran before runs on"),
        ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "what ran before runs on"),
        ("UPDATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "Wait until it has ended"),
        ("UPDATE_COMPLETE", "UPDATE_FAILED", "Some of the stack platform-deploy is from before"),
        ("CREATE_COMPLETE", "UPDATE_COMPLETE", "has finished the deployment of platform-deploy all the same"),
    ],
)
def test_a_failure_says_what_runs_now_and_what_to_do(before: str, after: str, left: str) -> None:
    touched = "not touched" not in left
    first, then = (Stack(STACK, "eu-west-1", before), Stack(STACK, "eu-west-1", after, revision=("2",) * touched))
    said = stack_state.left_by_failure(first, then)
    assert left in said
    assert said.endswith((".", "again."))


def event(resource: str, status: str, reason: str = "", *, stack: bool = False) -> dict[str, Any]:
    arn = "arn:aws:cloudformation:eu-west-1:123456789012:stack/platform-deploy/1"
    physical = {"PhysicalResourceId": arn if stack else "x"}
    reasons = {"ResourceStatusReason": reason} if reason else {}
    common = {"StackId": arn, "StackName": STACK, "EventId": f"{resource}{status}", "Timestamp": 0}
    return {**common, **physical, "LogicalResourceId": resource, "ResourceStatus": status, **reasons}


def test_the_first_failure_of_the_last_operation_is_the_cause() -> None:
    """botocore checks what we ask and what the fake answers against CloudFormation's own description."""
    events = [
        event(STACK, "UPDATE_ROLLBACK_COMPLETE", stack=True),
        event("Table", "UPDATE_FAILED", "Resource update cancelled"),
        event("SlackFunction", "UPDATE_FAILED", "later"),
        event("PlanFunction", "UPDATE_FAILED", "Unzipped size\nmust be smaller"),
        event(STACK, "UPDATE_IN_PROGRESS", "User Initiated", stack=True),
        event("Secret", "CREATE_FAILED", "of last month"),
    ]
    client = get_session().create_client("cloudformation", region_name="eu-west-1")
    with Stubber(client) as stub:
        stub.add_response("describe_stack_events", {"StackEvents": events[:2], "NextToken": "2"}, {"StackName": STACK})
        stub.add_response("describe_stack_events", {"StackEvents": events[2:]}, {"StackName": STACK, "NextToken": "2"})
        assert stack_state.cause(client, STACK) == "PlanFunction: Unzipped size\nmust be smaller"
        stub.add_client_error("describe_stack_events", "AccessDenied")
        assert stack_state.cause(client, STACK) == ""
