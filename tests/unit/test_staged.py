"""What ECS and CodeDeploy say of pauses and of time taken on purpose, in the words of botocore's models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from chatops.domain.results import PauseResult
from chatops.platforms import codedeploy_verdict, ecs_pauses
from chatops.platforms.codedeploy_verdict import ready
from chatops.platforms.ecs_pauses import PAUSE_STAGES, baking, lapsed, pause
from chatops.platforms.ecs_verdict import restored, rollout
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from fakes.ecs import staged as standin
from tests.contract.conftest import mismatches
from tests.unit.test_verdict import BEFORE, OURS, brought, service

ECS = botocore.session.get_session().get_service_model("ecs")
DEPLOY = botocore.session.get_session().get_service_model("codedeploy")
ARN = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/shop/api/x1"
EXPIRES = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOOK: dict[str, Any] = {
    "hookId": "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw",
    "targetType": "PAUSE",
    "status": "AWAITING_ACTION",
    "timeoutAction": "ROLLBACK",
}


def deployment(*hooks: dict[str, Any], status: str = "IN_PROGRESS") -> dict[str, Any]:
    made = {"serviceDeploymentArn": ARN, "status": status, "lifecycleHookDetails": list(hooks)}
    assert mismatches(ECS.shape_for("ServiceDeployment"), made) == []
    return made


def test_a_pause_is_a_pause_hook_that_awaits_an_action() -> None:
    found = pause({**deployment(HOOK), "lifecycleHookDetails": [{**HOOK, "expiresAt": EXPIRES}]})
    assert found == Pause(HOOK["hookId"], ARN, EXPIRES.timestamp(), "ROLLBACK")
    assert pause(deployment(HOOK)) == Pause(HOOK["hookId"], ARN)


@pytest.mark.parametrize("status", ECS.shape_for("DeploymentLifecycleHookStatus").enum)
@pytest.mark.parametrize("kind", ECS.shape_for("DeploymentLifecycleHookTargetType").enum)
def test_nothing_else_is(status: str, kind: str) -> None:
    found = pause(deployment({**HOOK, "status": status, "targetType": kind}))
    assert (found is not None) == ((kind, status) == ("PAUSE", "AWAITING_ACTION"))


@pytest.mark.parametrize("status", ECS.shape_for("ServiceDeploymentStatus").enum)
def test_a_deployment_that_is_not_in_progress_cannot_be_continued(status: str) -> None:
    assert (pause(deployment(HOOK, status=status)) is not None) == (status == "IN_PROGRESS")


def test_of_two_hooks_at_a_stage_the_one_that_waits_is_the_pause() -> None:
    """Both hooks must complete: a Lambda's, and the first of two pauses that somebody has continued."""
    done, at_work = {**HOOK, "hookId": "one", "status": "SUCCEEDED"}, {**HOOK, "targetType": "AWS_LAMBDA"}
    assert (pause(deployment(done, at_work, HOOK)) or Pause("", "")).id == HOOK["hookId"]
    assert pause(deployment(done, at_work)) is None
    assert pause(deployment()) is None


def test_each_pause_has_a_mark_of_its_own() -> None:
    marks = {Pause(hook, of).mark for hook in ("a", "b") for of in ("x", "y")}
    assert len(marks) == 4
    assert all(len(mark) == 12 and int(mark, 16) >= 0 for mark in marks)
    assert Pause("a", "x", 1.0).mark == Pause("a", "x", 2.0, "CONTINUE").mark


def test_taken_back_because_nobody_came() -> None:
    late = {**HOOK, "status": "TIMED_OUT"}
    assert lapsed(deployment(late, status="ROLLBACK_IN_PROGRESS"))
    assert not lapsed(deployment({**late, "timeoutAction": "CONTINUE"}))
    assert not lapsed(deployment(HOOK))
    assert not lapsed(deployment({**late, "targetType": "AWS_LAMBDA"})), "a check that took too long is a failure"


def test_where_a_target_may_ask_for_a_pause_is_where_ecs_allows_one() -> None:
    stages = set(ECS.shape_for("DeploymentLifecycleHookStage").enum)
    assert set(PAUSE_STAGES) == stages - standin.NO_PAUSE
    documented = ECS.shape_for("DeploymentLifecycleHook").members["lifecycleStages"].documentation
    assert "hooks cannot be configured at" in documented
    assert all(stage in documented for stage in standin.NO_PAUSE)


def test_the_request_is_one_that_the_model_knows() -> None:
    wanted = ECS.operation_model("ContinueServiceDeployment").input_shape
    assert mismatches(wanted, {"serviceDeploymentArn": ARN, "hookId": "h", "action": "CONTINUE"}) == []
    assert set(wanted.required_members) == {"serviceDeploymentArn", "hookId"}


# -- time on purpose -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configuration", "minutes"),
    [
        ({}, 0),
        ({"strategy": "ROLLING", "bakeTimeInMinutes": 9}, 0),
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}, 5),
        ({"strategy": "CANARY"}, 10),
        ({"strategy": "CANARY", "bakeTimeInMinutes": 5, "canaryConfiguration": {"canaryBakeTimeInMinutes": 0}}, 5),
        ({"strategy": "LINEAR"}, 54),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 50.0, "stepBakeTimeInMinutes": 20}}, 20),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 30.0, "stepBakeTimeInMinutes": 1}}, 3),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 100.0}}, 0),
    ],
)
def test_how_long_a_strategy_takes_on_purpose(configuration: dict[str, Any], minutes: int) -> None:
    assert mismatches(ECS.shape_for("DeploymentConfiguration"), configuration) == []
    assert baking(configuration) == minutes * 60


def test_the_defaults_are_the_models() -> None:
    linear, canary = (ECS.shape_for(f"{name}Configuration").members for name in ("Linear", "Canary"))
    assert f"default value is {ecs_pauses._LINEAR_PERCENT}" in linear["stepPercent"].documentation
    assert f"default value is {ecs_pauses._LINEAR_MINUTES}" in linear["stepBakeTimeInMinutes"].documentation
    assert f"default value is {ecs_pauses._CANARY_MINUTES}" in canary["canaryBakeTimeInMinutes"].documentation


# -- verdicts ------------------------------------------------------------------------------------------------------


def test_paused_is_a_state_beside_moving() -> None:
    at = Pause("hook", ARN)
    ours = brought("IN_PROGRESS", pause=at, strategy="CANARY", traffic=10.0, baking=600, lifecycle_stage="BAKE_TIME")
    found = rollout(service(), [ours], OURS)
    assert (found.state, found.pause, found.strategy, found.traffic) == (RolloutState.PAUSED, at, "CANARY", 10.0)
    assert found.result().pause == at.result()
    assert rollout(service(), [brought("IN_PROGRESS")], OURS).result().pause is None


def test_a_newer_deployment_overtakes_a_paused_one() -> None:
    ours = brought("IN_PROGRESS", pause=Pause("hook", ARN))
    newer = brought("PENDING", "arn:other", at=99)
    assert rollout(service(), [ours, newer], OURS).state is RolloutState.OVERTAKEN


def test_putting_back_may_be_paused_too() -> None:
    back = brought("IN_PROGRESS", BEFORE, at=20, pause=Pause("hook", ARN), baking=60)
    found = restored(service(BEFORE, "IN_PROGRESS"), [brought("SUCCESSFUL"), back], BEFORE, "update_service")
    assert (found.state, found.baking) == (RolloutState.PAUSED, 60)


# -- CodeDeploy ----------------------------------------------------------------------------------------------------


def info(status: str = "Ready", action: str = "STOP_DEPLOYMENT", **more: Any) -> dict[str, Any]:
    option = {"actionOnTimeout": action, "waitTimeInMinutes": 60}
    blue_green = {"deploymentReadyOption": option}
    made = {"deploymentId": "d-1", "status": status, "blueGreenDeploymentConfiguration": blue_green, **more}
    assert mismatches(DEPLOY.shape_for("DeploymentInfo"), made) == []
    return made


@pytest.mark.parametrize("status", DEPLOY.shape_for("DeploymentStatus").enum)
def test_codedeploy_waits_for_people_only_before_it_moves_the_traffic(status: str) -> None:
    assert (ready(info(status)) is not None) == (status == "Ready")
    found = codedeploy_verdict.verdict(codedeploy_verdict.read(info(status)), [])
    assert (found.state is RolloutState.PAUSED) == (status == "Ready")
    assert found.lapsed == (status == "Stopped")


def test_what_goes_on_by_itself_waits_for_nobody() -> None:
    assert ready(info(action="CONTINUE_DEPLOYMENT")) is None
    assert ready(info(instanceTerminationWaitTimeStarted=True)) is None, "the traffic has moved already"
    assert ready({"deploymentId": "d-1", "status": "Ready"}) is None
    assert ready(info()) == Pause("READY_WAIT", "d-1")
    assert "READY_WAIT" in DEPLOY.shape_for("DeploymentWaitType").enum


@pytest.mark.parametrize("code", ["", *DEPLOY.shape_for("ErrorCode").enum])
def test_stopped_by_nobody_is_the_end_of_its_wait(code: str) -> None:
    error = {"errorInformation": {"code": code, "message": "x"}} if code else {}
    assert codedeploy_verdict.ready_too_long(info("Stopped", **error)) == (code in ("", "TIMEOUT"))
    assert not codedeploy_verdict.ready_too_long(info("Failed", **error))
    assert not codedeploy_verdict.ready_too_long(info("Stopped", "CONTINUE_DEPLOYMENT", **error))


def test_a_result_has_all_of_a_rollout() -> None:
    """Messages show the result alone."""
    pause = Pause("hook", ARN, 1_760_000_000.0, "CONTINUE")
    assert pause.result() == PauseResult("hook", ARN, 1_760_000_000.0, "CONTINUE", pause.mark)
    found = Rollout(RolloutState.PAUSED, "x", running=1, pause=pause, restored_by="d-2")
    shown = {name: getattr(found.result(), name) for name in vars(found)}
    assert shown == {**vars(found), "pause": pause.result()}
