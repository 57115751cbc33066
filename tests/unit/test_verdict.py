"""What a service's answers mean for our deployment."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.platforms.ecs_verdict import ServiceDeployment, restored, rollout
from chatops.platforms.rollout import RolloutState

OURS, BEFORE, THEIRS = "td:v3", "td:v2", "td:v9"
IMAGE = "registry/app@sha256:" + "3" * 64


def service(
    task_definition: str = OURS, state: str = "COMPLETED", *others: dict[str, Any], running: int = 4, pending: int = 0
) -> dict[str, Any]:
    """A service of four tasks; `others`: its deployments besides PRIMARY."""
    main = {"status": "PRIMARY", "taskDefinition": task_definition, "rolloutState": state}
    return {
        "taskDefinition": task_definition,
        "runningCount": running,
        "desiredCount": 4,
        "pendingCount": pending,
        "deployments": [main, *others],
        "events": [{"message": f"event {n}" * 100} for n in range(5)],
    }


def brought(status: str, task_definition: str = OURS, at: float = 10, **more: Any) -> ServiceDeployment:
    return ServiceDeployment(f"arn:{at}", status, at, task_definition, **more)


def seen(*args: Any) -> tuple[str, bool]:
    found = rollout(*args)
    return str(found.state), found.restoring


# -- service deployments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state", "restoring"),
    [
        ("PENDING", "moving", False),
        ("IN_PROGRESS", "moving", False),
        ("STOP_REQUESTED", "moving", False),
        ("SUCCESSFUL", "healthy", False),
        ("STOPPED", "failed", False),
        ("ROLLBACK_REQUESTED", "failed", True),
        ("ROLLBACK_IN_PROGRESS", "failed", True),
        ("ROLLBACK_SUCCESSFUL", "failed", True),
        ("ROLLBACK_FAILED", "failed", False),
        ("SOMETHING_NEW", "failed", False),
    ],
)
def test_each_status_of_our_service_deployment_means_one_thing(status: str, state: str, restoring: bool) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html"""
    older = brought("SUCCESSFUL", BEFORE, at=1)
    assert seen(service(), [older, brought(status)], OURS) == (state, restoring)


def test_success_is_not_believed_while_the_service_moves_to_another_version() -> None:
    assert seen(service(THEIRS, "IN_PROGRESS"), [brought("SUCCESSFUL")], OURS) == ("overtaken", False)


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "STOPPED", "SUCCESSFUL"])
def test_a_newer_deployment_of_another_version_has_overtaken_ours(status: str) -> None:
    both = [brought("IN_PROGRESS", THEIRS, at=20), brought(status)]
    assert seen(service(THEIRS, "IN_PROGRESS"), both, OURS) == ("overtaken", False)


def test_a_newer_deployment_of_the_same_version_is_ours_again() -> None:
    both = [brought("STOPPED"), brought("IN_PROGRESS", at=20)]
    assert seen(service(OURS, "IN_PROGRESS"), both, OURS) == ("moving", False)


def test_an_older_deployment_of_another_version_overtakes_nobody() -> None:
    assert seen(service(), [brought("SUCCESSFUL", THEIRS, at=1), brought("SUCCESSFUL")], OURS) == ("healthy", False)


def test_a_circuit_breaker_is_a_failure_and_is_called_one_even_when_it_has_put_everything_right() -> None:
    found = rollout(
        service(BEFORE),
        [brought("ROLLBACK_SUCCESSFUL", reason="Service deployment rolled back because the circuit breaker tripped.")],
        OURS,
    )
    assert (found.state, found.restoring, found.task_definition) == (RolloutState.FAILED, True, BEFORE)
    assert "circuit breaker" in found.reason


def test_without_a_task_definition_our_deployment_is_known_by_its_image() -> None:
    ours = brought("SUCCESSFUL", digests=frozenset({"sha256:" + "3" * 64}))
    other = brought("SUCCESSFUL", BEFORE, at=1, digests=frozenset({"sha256:" + "2" * 64}))
    assert seen(service(), [other, ours], "", IMAGE) == ("healthy", False)
    assert seen(service(), [ours], "td:other", IMAGE) == ("overtaken", False), "a task definition says more"


def test_an_image_that_no_deployment_carries_yet_may_still_come() -> None:
    other = brought("SUCCESSFUL", BEFORE, digests=frozenset({"sha256:" + "2" * 64}))
    assert seen(service(BEFORE), [other], "", IMAGE) == ("moving", False)
    assert seen(service(BEFORE), [other], "", "registry/app:latest") == ("moving", False)


def test_counts_and_the_last_three_events_come_along() -> None:
    found = rollout(service(running=3, pending=1), [brought("IN_PROGRESS", lifecycle_stage="BAKE_TIME")], OURS)
    assert (found.running, found.desired, found.pending, found.lifecycle_stage) == (3, 4, 1, "BAKE_TIME")
    assert len(found.events) == 3
    assert all(len(event) == 300 for event in found.events)


# -- services without service deployments --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (service(), "healthy"),
        (service(state=""), "healthy"),
        (service(state="IN_PROGRESS"), "moving"),
        (service(running=3), "moving"),
        (service(running=5), "moving"),
        (service(pending=1), "moving"),
        (service(state="FAILED"), "failed"),
        (service(THEIRS), "overtaken"),
    ],
)
def test_without_service_deployments_primary_is_asked(found: dict[str, Any], state: str) -> None:
    assert seen(found, [], OURS) == (state, False)


def test_without_service_deployments_a_circuit_breaker_is_still_a_failure() -> None:
    """PRIMARY is the release before then, and ours stands beside it as FAILED.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    ours = {
        "status": "ACTIVE",
        "taskDefinition": OURS,
        "rolloutState": "FAILED",
        "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start.",
    }
    found = rollout(service(BEFORE, "IN_PROGRESS", ours), [], OURS)
    assert (found.state, found.restoring) == (RolloutState.FAILED, True)
    assert "circuit breaker" in found.reason


def test_a_service_that_another_controller_deploys_is_judged_by_its_task_definition() -> None:
    bare = {**service(), "deployments": []}
    assert seen(bare, [], OURS) == ("healthy", False)
    assert seen(bare, [], BEFORE) == ("overtaken", False)


# -- putting back --------------------------------------------------------------------------------------------


def state_of(*args: Any) -> str:
    return str(restored(*args).state)


def test_the_release_before_is_back_when_it_alone_runs_and_is_settled() -> None:
    assert state_of(service(BEFORE), [brought("ROLLBACK_SUCCESSFUL")], BEFORE) == "healthy"
    assert state_of(service(BEFORE), [brought("SUCCESSFUL", BEFORE, at=20), brought("STOPPED")], BEFORE) == "healthy"
    assert state_of(service(BEFORE), [], BEFORE) == "healthy"


@pytest.mark.parametrize(
    "found",
    [
        service(BEFORE, "IN_PROGRESS"),
        service(BEFORE, running=3),
        service(BEFORE, "COMPLETED", {"status": "ACTIVE", "taskDefinition": OURS}),
    ],
)
def test_it_is_not_confirmed_while_anything_still_moves_or_runs_beside_it(found: dict[str, Any]) -> None:
    assert state_of(found, [brought("IN_PROGRESS", BEFORE, at=20)], BEFORE) == "moving"
    assert state_of(found, [], BEFORE) == "moving"


@pytest.mark.parametrize("running", [0, 3, 5])
@pytest.mark.parametrize("newest", [brought("ROLLBACK_SUCCESSFUL"), brought("SUCCESSFUL", BEFORE, at=20)])
def test_a_rollback_that_ecs_calls_done_is_done_while_autoscaling_moves_the_counts(
    newest: ServiceDeployment, running: int
) -> None:
    """https://github.com/fabfuel/ecs-deploy/issues/174"""
    assert state_of(service(BEFORE, running=running), [newest], BEFORE) == "healthy"
    assert state_of(service(BEFORE, "IN_PROGRESS", running=running), [newest], BEFORE) == "moving"


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "STOP_REQUESTED", "STOPPED"])
def test_a_deployment_on_its_way_back_overtakes_nobody(status: str) -> None:
    assert state_of(service(OURS, "IN_PROGRESS"), [brought(status)], BEFORE) == "moving"


def test_a_rollback_that_failed_is_named() -> None:
    assert state_of(service(OURS, "IN_PROGRESS"), [brought("ROLLBACK_FAILED")], BEFORE) == "failed"
    assert state_of(service(BEFORE, "FAILED"), [], BEFORE) == "failed"


@pytest.mark.parametrize("how", ["", "ecs_rollback", "stop_service_deployment", "unchanged"])
def test_a_rollback_of_ecs_that_failed_is_final_where_we_have_begun_none_after_it(how: str) -> None:
    assert state_of(service(BEFORE, "IN_PROGRESS"), [brought("ROLLBACK_FAILED")], BEFORE, how) == "failed"


def test_a_failed_rollback_says_nothing_about_our_update_that_is_not_listed_yet() -> None:
    """UpdateService has made ours PRIMARY; what the list says of the deployment before ours is not about ours."""
    listed = [brought("ROLLBACK_FAILED")]
    assert state_of(service(BEFORE, "IN_PROGRESS"), listed, BEFORE, "update_service") == "moving"
    assert state_of(service(BEFORE), listed, BEFORE, "update_service") == "healthy"
    assert state_of(service(BEFORE, "FAILED"), listed, BEFORE, "update_service") == "failed"
    assert state_of(service(THEIRS, "IN_PROGRESS"), listed, BEFORE, "update_service") == "failed"


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"])
def test_a_restoring_deployment_that_the_circuit_breaker_takes_back_has_failed(status: str) -> None:
    ours = [brought("SUCCESSFUL", OURS), brought(status, BEFORE, at=20)]
    assert state_of(service(OURS, "IN_PROGRESS"), ours, BEFORE, "update_service") == "failed"


def test_a_rollback_of_the_same_release_from_earlier_says_nothing_about_our_update_that_is_not_listed_yet() -> None:
    """The list still ends with an earlier attempt at the release that we bring back; PRIMARY is ours already."""
    earlier = [brought("SUCCESSFUL", OURS), brought("ROLLBACK_SUCCESSFUL", BEFORE, at=20)]
    assert state_of(service(BEFORE, "IN_PROGRESS"), earlier, BEFORE, "update_service") == "moving"


def test_somebody_elses_deployment_overtakes_a_rollback() -> None:
    assert state_of(service(THEIRS, "IN_PROGRESS"), [brought("IN_PROGRESS", THEIRS, at=20)], BEFORE) == "overtaken"


def test_a_list_that_does_not_know_our_update_yet_is_no_sign_of_another() -> None:
    """UpdateService has made ours PRIMARY; the list of service deployments may follow a moment later."""
    assert state_of(service(BEFORE, "IN_PROGRESS"), [brought("SUCCESSFUL", OURS)], BEFORE) == "moving"
