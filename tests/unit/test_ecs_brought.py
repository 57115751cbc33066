"""What began since a pipeline without our steps was asked for."""

from __future__ import annotations

import pytest

from chatops import clock
from chatops.platforms import ecs_verdict
from chatops.platforms.ecs_verdict import ServiceDeployment

SINCE = 1_760_000_000.0


def brought(task_definition: str, at: float) -> ServiceDeployment:
    return ServiceDeployment(f"arn:{at}", "SUCCESSFUL", at, task_definition)


@pytest.mark.parametrize(
    ("times", "found"),
    [((-60,), ""), ((-60, 5), "td:5"), ((5, 9, -60), "td:9"), ((0,), "td:0"), ((-0.5,), "")],
)
def test_the_newest_service_deployment_since_then_is_the_runs(times: tuple[float, ...], found: str) -> None:
    listed = [brought(f"td:{off}", SINCE + off) for off in times]
    assert ecs_verdict.brought({}, listed, SINCE) == found


@pytest.mark.parametrize(("off", "found"), [(-1, ""), (0, "td:2"), (30, "td:2")])
def test_a_service_without_service_deployments_is_asked_for_its_primary(off: float, found: str) -> None:
    primary = {"status": "PRIMARY", "taskDefinition": "td:2", "createdAt": clock.at(SINCE + off)}
    draining = {"status": "ACTIVE", "taskDefinition": "td:1", "createdAt": clock.at(SINCE - 3600)}
    assert ecs_verdict.brought({"deployments": [draining, primary]}, [], SINCE) == found
    assert ecs_verdict.brought({"deployments": []}, [], SINCE) == ""
    undated = {"status": "PRIMARY", "taskDefinition": "td:2"}
    assert ecs_verdict.brought({"deployments": [undated]}, [], 0.5) == "", "nobody knows when it began"
    assert ecs_verdict.brought({"deployments": [{"status": "PRIMARY"}]}, [], 0) == ""
