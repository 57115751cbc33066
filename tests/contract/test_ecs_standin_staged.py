"""Blue/green, linear and canary deployments of the ECS stand-in, and their pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.ecs import Rollout

if TYPE_CHECKING:
    from tests.contract.conftest import EcsApi

SERVICE = {"cluster": "checkout", "service": "checkout-api"}


def test_blue_green_pauses_at_a_hook_until_continued(api: EcsApi) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
    api.ecs.configure({"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]})
    arn = api.deploy()
    api.time.at += 100
    paused = api.newest()
    assert (paused["status"], paused["lifecycleStage"]) == ("IN_PROGRESS", "POST_TEST_TRAFFIC_SHIFT")
    assert api.service()["runningCount"] == 8
    (details,) = paused["lifecycleHookDetails"]
    assert details["status"] == "AWAITING_ACTION"
    wanted = {"serviceDeploymentArn": paused["serviceDeploymentArn"], "hookId": details["hookId"]}
    api.client.continue_service_deployment(**wanted)
    with pytest.raises(api.client.exceptions.InvalidParameterException):
        api.client.continue_service_deployment(**wanted)
    api.time.at += 1
    assert api.newest()["lifecycleStage"] == "PRODUCTION_TRAFFIC_SHIFT"
    api.time.at += 5
    done = api.newest()
    assert (done["status"], done["targetServiceRevision"]["requestedProductionTrafficWeight"]) == (
        "SUCCESSFUL",
        100,
    )
    assert (api.service()["taskDefinition"], api.service()["runningCount"]) == (arn, 4)


@pytest.mark.parametrize("by", ["action", "timeout"])
def test_a_paused_deployment_rolls_back(api: EcsApi, by: str) -> None:
    hook: dict[str, Any] = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    if by == "timeout":
        hook["timeoutConfiguration"] = {"timeoutInMinutes": 5, "action": "ROLLBACK"}
    api.ecs.configure({"strategy": "CANARY", "lifecycleHooks": [hook]})
    api.deploy()
    api.time.at += 10
    paused = api.newest()
    if by == "action":
        hook_id = paused["lifecycleHookDetails"][0]["hookId"]
        arn = paused["serviceDeploymentArn"]
        api.client.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook_id, action="ROLLBACK")
    api.time.at += 310
    assert api.newest()["status"] == "ROLLBACK_SUCCESSFUL"
    assert api.service()["taskDefinition"].endswith("checkout-api:1")


@pytest.mark.parametrize("outcome", ["circuit_breaker", "rollback_failed", "stuck"])
def test_other_outcomes_of_a_staged_rollout(api: EcsApi, outcome: Any) -> None:
    api.ecs.configure({"strategy": "LINEAR"})
    api.ecs.next_rollout = Rollout(outcome=outcome)
    api.deploy()
    api.time.at += 100
    ends = {
        "circuit_breaker": "ROLLBACK_SUCCESSFUL",
        "rollback_failed": "ROLLBACK_FAILED",
        "stuck": "IN_PROGRESS",
    }
    assert api.newest()["status"] == ends[outcome]
