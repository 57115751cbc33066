"""Blue/green, linear and canary deployments of the ECS fake, and their pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes.ecs import Rollout

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


BEFORE_EACH_STEP = "PRE_PRODUCTION_TRAFFIC_SHIFT"


@pytest.mark.parametrize(
    ("configuration", "weights"),
    [
        ({"strategy": "BLUE_GREEN"}, [0, 100]),
        ({"strategy": "CANARY"}, [0, 5, 100]),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.5}}, [0, 0.5, 100]),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 30.0}}, [0, 30, 60, 90, 100]),
        ({"strategy": "LINEAR"}, [*range(0, 101, 10)]),
    ],
    ids=["blue/green", "canary", "half a percent", "uneven steps", "linear"],
)
def test_the_traffic_moves_step_by_step_and_every_step_may_be_paused_before(
    api: EcsApi, configuration: dict[str, Any], weights: list[float]
) -> None:
    hook = {"targetType": "PAUSE", "lifecycleStages": [BEFORE_EACH_STEP]}
    api.ecs.configure({**configuration, "lifecycleHooks": [hook]})
    api.deploy()
    seen = []
    for number in range(len(weights) - 1):
        api.time.at += 20
        paused = api.newest()
        seen.append(paused["targetServiceRevision"]["requestedProductionTrafficWeight"])
        assert sum(r["requestedProductionTrafficWeight"] for r in paused["sourceServiceRevisions"]) == 100 - seen[-1]
        assert len(paused["lifecycleHookDetails"]) == number + 1, "each step is a pause of its own"
        hook_id = paused["lifecycleHookDetails"][-1]["hookId"]
        api.client.continue_service_deployment(serviceDeploymentArn=paused["serviceDeploymentArn"], hookId=hook_id)
    api.time.at += 20
    done = api.newest()
    assert [*seen, done["targetServiceRevision"]["requestedProductionTrafficWeight"]] == weights
    assert (done["status"], {d["status"] for d in done["lifecycleHookDetails"]}) == ("SUCCESSFUL", {"SUCCEEDED"})


def test_a_pause_has_the_models_default_timeout_and_an_id_as_ecs_makes_them(api: EcsApi) -> None:
    """Default: 1440 (24 hours), ROLLBACK."""
    api.ecs.configure(
        {
            "strategy": "BLUE_GREEN",
            "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}],
        }
    )
    api.deploy()
    api.time.at += 2
    ((details,), began) = (api.newest()["lifecycleHookDetails"], api.time.at)
    assert details["hookId"].startswith("ecs-pause-")
    assert len(details["hookId"]) == 53
    assert (details["targetType"], details["timeoutAction"]) == ("PAUSE", "ROLLBACK")
    assert details["expiresAt"].timestamp() == pytest.approx(began + 86_400, abs=2)


@pytest.mark.parametrize("action", ["ROLLBACK", "CONTINUE"])
def test_a_pause_that_nobody_ends_ends_as_its_hook_says(api: EcsApi, action: str) -> None:
    timeout = {"timeoutInMinutes": 1, "action": action}
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": timeout}
    api.ecs.configure({"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]})
    api.deploy()
    api.time.at += 59
    assert api.newest()["status"] == "IN_PROGRESS"
    api.time.at += 20
    ended = api.newest()
    assert ended["lifecycleHookDetails"][0]["status"] == "TIMED_OUT"
    assert ended["status"] == ("ROLLBACK_SUCCESSFUL" if action == "ROLLBACK" else "SUCCESSFUL")


@pytest.mark.parametrize(
    "hook",
    [
        {"targetType": "PAUSE", "lifecycleStages": ["TEST_TRAFFIC_SHIFT"]},
        {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT"]},
        {"targetType": "PAUSE", "lifecycleStages": []},
        {"targetType": "PAUSE"},
        {"lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 20_161}},
    ],
)
def test_hooks_that_ecs_does_not_take_are_refused_and_change_nothing(api: EcsApi, hook: dict[str, Any]) -> None:
    before = api.service()["deploymentConfiguration"]
    with pytest.raises(api.client.exceptions.InvalidParameterException):
        api.client.update_service(**SERVICE, deploymentConfiguration={"lifecycleHooks": [hook]})
    assert api.service()["deploymentConfiguration"] == before


def test_whoever_continues_what_is_not_there_is_told(api: EcsApi) -> None:
    api.deploy()
    arn = api.newest()["serviceDeploymentArn"]
    with pytest.raises(api.client.exceptions.InvalidParameterException):
        api.client.continue_service_deployment(serviceDeploymentArn=arn, hookId="ecs-pause-none")
    with pytest.raises(api.client.exceptions.ServiceDeploymentNotFoundException):
        api.client.continue_service_deployment(serviceDeploymentArn=f"{arn}x", hookId="ecs-pause-none")


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
