"""Each status that AWS lists has a text for people: a new one in botocore's models is noticed here."""

from __future__ import annotations

import botocore.session
import pytest

from chatops.messages import statuses
from chatops.platforms.codedeploy_verdict import TERMINATION

NOT_FROM_OUTSIDE = {"RUNNING", "SUCCEEDED", "PENDING_REDRIVE"}
"""Of an execution: it goes on, told itself how it ended, or is a map's child."""


def listed(service: str, *shapes: str) -> set[str]:
    model = botocore.session.get_session().get_service_model(service)
    return {value for shape in shapes for value in model.shape_for(shape).enum}


@pytest.mark.parametrize(
    ("known", "values"),
    [
        (
            set(statuses.ROLLOUTS),
            listed("ecs", "ServiceDeploymentStatus", "DeploymentRolloutState")
            | listed("codedeploy", "DeploymentStatus"),
        ),
        (
            set(statuses.PLACES) - {"Ready", TERMINATION},
            listed("ecs", "ServiceDeploymentLifecycleStage", "DeploymentLifecycleHookStage"),
        ),
        (set(statuses.STRATEGIES), listed("ecs", "DeploymentStrategy")),
        (set(statuses.EXECUTIONS) - {"GONE"}, listed("stepfunctions", "ExecutionStatus") - NOT_FROM_OUTSIDE),
    ],
    ids=["rollouts", "places", "strategies", "executions"],
)
def test_each_status_that_aws_lists_has_a_text_and_no_other_has(known: set[str], values: set[str]) -> None:
    assert known == values
