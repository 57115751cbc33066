"""What is live on ECS: what its rollouts have completed, never what they only move to."""

from __future__ import annotations

from typing import Any

import pytest

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Refusal
from chatops.domain.plan import Plan
from chatops.domain.release import Release
from chatops.domain.results import RolloutResult
from chatops.domain.target import Target
from chatops.platforms.ecs import Ecs
from chatops.platforms.ecs_service import Service
from chatops.platforms.ecs_verdict import ServiceDeployment, completed, restored
from tests.unit.test_service_statuses import ALL
from tests.unit.test_verdict import BEFORE, OURS, THEIRS, brought, service

TARGET = Target("dev", "acme/shop", "dev_deploy", cluster="checkout", service="checkout-api")
OLD = {"status": "ACTIVE", "taskDefinition": BEFORE, "rolloutState": "COMPLETED"}


def complete(*given: Any) -> str:
    found = completed(*given)
    return found.task_definition if found else ""


@pytest.mark.parametrize("status", ALL)
def test_while_a_rollout_of_any_status_is_primary_the_one_that_completed_before_it_is_live(status: str) -> None:
    listed = [brought(status, restored_task_definition=BEFORE), brought("SUCCESSFUL", BEFORE, at=1)]
    assert complete(service(OURS, "IN_PROGRESS"), listed) == (OURS if status == "SUCCESSFUL" else BEFORE)


@pytest.mark.parametrize("state", ["IN_PROGRESS", "FAILED"])
def test_without_service_deployments_the_group_beside_primary_that_completed_is_live(state: str) -> None:
    assert complete(service(OURS, state, OLD), []) == BEFORE
    assert complete(service(OURS, "COMPLETED", OLD), []) == OURS
    assert complete(service(OURS, state), []) == ""


def test_a_list_that_lags_behind_a_primary_that_completed_says_nothing() -> None:
    assert complete(service(OURS), [brought("IN_PROGRESS"), brought("SUCCESSFUL", BEFORE, at=1)]) == OURS


def test_a_rollback_returns_to_what_its_revision_names_not_to_what_it_came_from() -> None:
    listed = [
        brought("ROLLBACK_SUCCESSFUL", source_task_definition=THEIRS, restored_task_definition=BEFORE),
        brought("STOPPED", THEIRS, at=5),
    ]
    assert complete(service(OURS, "IN_PROGRESS"), listed) == BEFORE


V1 = Release("v1", "1" * 40, "app@sha256:1", BEFORE, "", "d-1", "2026-01-01T00:00:00.000Z")
MOVING = (service(OURS, "IN_PROGRESS"), [brought("IN_PROGRESS")])


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`ecs(service, deployments)`: the platform, which sees these."""

    def made(found: dict[str, Any], listed: list[ServiceDeployment]) -> Ecs:
        monkeypatch.setattr(Service, "describe", lambda _: found)
        monkeypatch.setattr(Service, "deployments", lambda _: listed)
        monkeypatch.setattr(Service, "image", lambda _, task_definition: f"shop:{task_definition[3:]}")
        return Ecs(TARGET)

    return made


def test_where_nothing_is_complete_the_ledgers_newest_release_is_live(ecs: Any) -> None:
    assert ecs(*MOVING).live([V1]) == V1


def test_what_nobody_has_found_healthy_is_live_only_where_the_ledger_is_empty(ecs: Any) -> None:
    assert ecs(*MOVING).live([]) == Release("v3", image="shop:v3", task_definition=OURS)
    assert ecs({"deployments": []}, []).live([]) is None


def test_what_somebody_brought_beside_the_bot_is_live_once_it_is_complete(ecs: Any) -> None:
    listed = [brought("SUCCESSFUL", ended_at=1_760_000_000.0)]
    found = ecs(service(OURS, "FAILED"), listed).live([V1])
    assert (found.version, found.verified_at) == ("v3", clock.iso(1_760_000_000.0))


def test_on_a_service_that_ecs_is_deleting_nothing_is_begun(ecs: Any) -> None:
    """DeleteService leaves it DRAINING, where it can still be described but not updated."""
    with pytest.raises(Refusal) as refused:
        ecs({**service(OURS, "COMPLETED"), "status": "DRAINING"}, []).live([V1])
    assert refused.value.text == (
        "ECS is deleting the service checkout-api of cluster checkout (DRAINING). Nothing was started. "
        "Check the cluster and service of *dev*."
    )


# -- back there, when ECS has returned elsewhere ------------------------------------------------------------------


def deployment() -> Deployment:
    """Its rollout broke, and ECS is restoring."""
    rollout = RolloutResult("failed", done=True, restoring=True)
    return Deployment("d-2", plan=Plan(previous=V1), rollout=rollout, planned=True)


def test_where_the_breaker_has_returned_to_what_became_complete_meanwhile_the_release_is_put_back(ecs: Any) -> None:
    broke = [brought("ROLLBACK_SUCCESSFUL", OURS, restored_task_definition=THEIRS)]
    for listed in (broke, []):
        found = restored(service(THEIRS), listed, BEFORE)
        assert ecs({}, []).restores_again(deployment(), found), listed
        back = restored(service(BEFORE), listed, BEFORE)
        assert not ecs({}, []).restores_again(deployment(), back)


@pytest.mark.parametrize("status", sorted(set(ALL) - {"ROLLBACK_SUCCESSFUL"}))
def test_while_it_is_on_its_way_it_is_left_alone(status: str, ecs: Any) -> None:
    found = restored(service(THEIRS, "IN_PROGRESS"), [brought(status)], BEFORE)
    assert not ecs({}, []).restores_again(deployment(), found)
