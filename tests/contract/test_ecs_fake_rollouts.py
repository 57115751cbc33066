"""Rolling updates of the ECS fake: all nine statuses of a service deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.ecs import Rollout

if TYPE_CHECKING:
    from tests.contract.conftest import EcsApi

SERVICE = {"cluster": "checkout", "service": "checkout-api"}


def test_a_healthy_rollout_goes_from_pending_to_successful(api: EcsApi) -> None:
    arn = api.deploy()
    seen = []
    for _ in range(13):
        state = api.newest()
        seen.append((state["status"], api.service()["pendingCount"]))
        api.time.at += 0.5
    assert [status for status, _ in seen][:1] == ["PENDING"]
    assert ("IN_PROGRESS", 2) in seen
    assert seen[-1] == ("SUCCESSFUL", 0)
    now, done = api.service(), api.newest()
    assert now["taskDefinition"] == arn
    assert [one["taskDefinition"] for one in now["deployments"]] == [arn]
    assert done["startedAt"] <= done["finishedAt"]
    assert done["deploymentCircuitBreaker"] == {
        "status": "MONITORING_COMPLETE",
        "failureCount": 0,
        "threshold": 3,
    }
    assert done["targetServiceRevision"]["runningTaskCount"] == 4


def test_during_a_rollout_the_new_deployment_is_primary_and_the_old_one_active(api: EcsApi) -> None:
    api.deploy()
    api.time.at += 3
    states = [
        (one["status"], one["rolloutState"], one["runningCount"], one["desiredCount"])
        for one in api.service()["deployments"]
    ]
    assert states == [("PRIMARY", "IN_PROGRESS", 2, 4), ("ACTIVE", "COMPLETED", 2, 2)]
    assert api.service()["runningCount"] == 4


def test_the_clocks_speed_makes_rollouts_shorter(api: EcsApi) -> None:
    api.time.speed = 10
    api.deploy()
    api.time.at += 0.61
    assert api.newest()["status"] == "SUCCESSFUL"


def test_however_rarely_one_looks_events_carry_their_own_times(api: EcsApi) -> None:
    api.deploy()
    began = api.time.at
    api.time.at += 1000
    done = api.newest()
    assert done["finishedAt"].timestamp() == pytest.approx(began + 6)
    assert api.service()["events"][0]["createdAt"].timestamp() == pytest.approx(began + 6)


def test_the_circuit_breaker_restores_what_ran_before(api: EcsApi) -> None:
    before = api.service()["deployments"][0]
    api.ecs.next_rollout = Rollout(seconds=10, outcome="circuit_breaker")
    api.deploy()
    api.time.at += 6.1
    during = api.newest()
    assert during["status"] == "ROLLBACK_IN_PROGRESS"
    assert during["statusReason"] == during["rollback"]["reason"]
    assert during["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}
    primary, failed = api.service()["deployments"]
    assert (primary["id"], primary["taskDefinition"]) == (before["id"], before["taskDefinition"])
    assert primary["rolloutStateReason"] == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {before['id']}."
    )
    assert (failed["rolloutState"], failed["failedTasks"]) == ("FAILED", 3)
    api.time.at += 4
    assert api.newest()["status"] == "ROLLBACK_SUCCESSFUL"
    now = api.service()
    assert [one["rolloutState"] for one in now["deployments"]] == ["COMPLETED"]
    assert now["taskDefinition"] == before["taskDefinition"]
    messages = [event["message"] for event in now["events"]]
    assert f"(service checkout-api) rolling back to deployment {before['id']}." in messages
    assert any(text.endswith("deployment failed: tasks failed to start.") for text in messages)


def test_a_rollback_can_fail_and_leaves_the_service_short_of_tasks(api: EcsApi) -> None:
    api.ecs.next_rollout = Rollout(outcome="rollback_failed")
    api.deploy()
    api.time.at += 60
    assert api.newest()["status"] == "ROLLBACK_FAILED"
    now = api.service()
    assert now["runningCount"] == 2
    assert now["deployments"][0]["rolloutState"] == "FAILED"


def test_a_breaker_without_rollback_stops_where_it_stands(api: EcsApi) -> None:
    api.ecs.configure({"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    api.ecs.next_rollout = Rollout(outcome="circuit_breaker")
    api.deploy()
    api.time.at += 60
    assert api.newest()["status"] == "STOPPED"
    assert "stoppedAt" in api.newest()
    assert api.service()["deployments"][0]["rolloutState"] == "FAILED"


def test_a_stuck_rollout_stays_in_progress(api: EcsApi) -> None:
    api.ecs.rollout = Rollout(outcome="stuck")
    api.deploy()
    api.time.at += 10_000
    assert api.newest()["status"] == "IN_PROGRESS"
    assert api.service()["pendingCount"] == 2
    assert "unable to place a task" in api.service()["events"][0]["message"]


def test_next_rollout_counts_once(api: EcsApi) -> None:
    api.ecs.next_rollout = Rollout(outcome="stuck")
    api.deploy("v2")
    api.deploy("v3")
    api.time.at += 10
    assert api.newest()["status"] == "SUCCESSFUL"


def test_a_newer_deployment_overtakes_ours(api: EcsApi) -> None:
    api.deploy("v2")
    api.time.at += 3
    theirs = api.deploy("v3")
    ours = api.client.list_service_deployments(**SERVICE)["serviceDeployments"][1]
    assert ours["status"] == "STOP_REQUESTED"
    assert len(api.newest()["sourceServiceRevisions"]) == 2
    api.time.at += 1
    found = api.client.list_service_deployments(**SERVICE, status=["STOPPED"])["serviceDeployments"]
    assert [one["serviceDeploymentArn"] for one in found] == [ours["serviceDeploymentArn"]]
    api.time.at += 6
    assert [one["taskDefinition"] for one in api.service()["deployments"]] == [theirs]
    assert api.service()["runningCount"] == 4


def test_stopping_rolls_back(api: EcsApi) -> None:
    before = api.service()["taskDefinition"]
    api.deploy()
    api.time.at += 3
    arn = api.newest()["serviceDeploymentArn"]
    seen = []
    api.client.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    for _ in range(8):
        seen.append(api.newest()["status"])
        api.time.at += 0.5
    assert list(dict.fromkeys(seen)) == ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]
    assert (api.service()["taskDefinition"], api.service()["runningCount"]) == (before, 4)


def test_stopping_twice_is_the_same_as_once(api: EcsApi) -> None:
    api.deploy()
    api.time.at += 1
    arn = api.newest()["serviceDeploymentArn"]
    for _ in range(2):
        assert api.client.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn
    api.time.at += 10
    assert api.newest()["status"] == "ROLLBACK_SUCCESSFUL"
    with pytest.raises(api.client.exceptions.ConflictException):
        api.client.stop_service_deployment(serviceDeploymentArn=arn)


def test_aborting_leaves_what_runs(api: EcsApi) -> None:
    api.deploy()
    api.time.at += 3
    arn = api.newest()["serviceDeploymentArn"]
    api.client.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    assert api.newest()["status"] == "STOP_REQUESTED"
    api.time.at += 100
    assert api.newest()["status"] == "STOPPED"
    assert [one["runningCount"] for one in api.service()["deployments"]] == [2, 2]


def test_the_same_task_definition_again_is_no_rollout_unless_forced(api: EcsApi) -> None:
    before = api.newest()["serviceDeploymentArn"]
    api.client.update_service(**SERVICE, taskDefinition="checkout-api:1")
    assert api.newest()["serviceDeploymentArn"] == before
    api.client.update_service(**SERVICE, forceNewDeployment=True)
    assert api.newest()["serviceDeploymentArn"] != before
