"""Every status of ECS's service deployments, as botocore's model lists them: deploying, putting back, and before it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest

from chatops import aws
from chatops.domain.errors import ServiceRefused
from chatops.domain.target import Target
from chatops.platforms.ecs_service import Service
from chatops.platforms.ecs_verdict import restored, rollout
from chatops.platforms.rollout import RolloutState
from chatops.steps import ecs as step
from chatops.steps import restore
from chatops.steps import restored as restored_step
from chatops.steps import rollout as rollout_step
from fakes.clock import Clock
from fakes.ecs import Ecs
from fakes.faults import Fault
from tests.contract.conftest import served
from tests.unit.steps import call
from tests.unit.test_verdict import BEFORE, OURS, THEIRS, brought, service

ALL = botocore.session.get_session().get_service_model("ecs").shape_for("ServiceDeploymentStatus").enum
M, H, F, O = RolloutState.MOVING, RolloutState.HEALTHY, RolloutState.FAILED, RolloutState.OVERTAKEN  # noqa: E741

# deploying: ours is the newest. taken back: what we put back is. before: the one that we put back from is, and
# PRIMARY is still its (`M` waits for ECS to turn it round; `O`: it goes on, so somebody began it anew). How `restore`
# begins while that one is PRIMARY.
STATUSES: dict[str, tuple[RolloutState, RolloutState, RolloutState, str]] = {
    "PENDING": (M, M, O, "stop_service_deployment"),
    "IN_PROGRESS": (M, M, O, "stop_service_deployment"),
    "STOP_REQUESTED": (M, M, M, "update_service"),
    "STOPPED": (F, M, M, "update_service"),
    "SUCCESSFUL": (H, M, O, "update_service"),
    "ROLLBACK_REQUESTED": (F, F, M, "ecs_rollback"),
    "ROLLBACK_IN_PROGRESS": (F, F, M, "ecs_rollback"),
    "ROLLBACK_SUCCESSFUL": (F, F, M, "update_service"),
    "ROLLBACK_FAILED": (F, F, F, "update_service"),
}


def test_these_are_all_of_them() -> None:
    """Another one is decided about here before anything else."""
    assert set(STATUSES) == set(ALL)
    assert len(ALL) == 9


@pytest.mark.parametrize("status", STATUSES)
def test_deploying(status: str) -> None:
    older = brought("SUCCESSFUL", BEFORE, at=1)
    assert rollout(service(), [older, brought(status)], OURS).state is STATUSES[status][0]


@pytest.mark.parametrize("status", STATUSES)
def test_putting_back_by_a_deployment_of_our_own(status: str) -> None:
    """Not there yet: PRIMARY has been taken from it where ECS rolls it back."""
    live = OURS if status.startswith("ROLLBACK") else BEFORE
    both = [brought("SUCCESSFUL", OURS), brought(status, BEFORE, at=20)]
    assert restored(service(live, "IN_PROGRESS"), both, BEFORE, "update_service").state is STATUSES[status][1]


@pytest.mark.parametrize("status", STATUSES)
def test_putting_back_by_turning_round_what_is_under_way(status: str) -> None:
    assert restored(service(OURS, "IN_PROGRESS"), [brought(status)], BEFORE).state is STATUSES[status][2]


HOWS = ("", "update_service", "ecs_rollback", "stop_service_deployment", "unchanged")
LIVE = (OURS, BEFORE, THEIRS)


@pytest.mark.parametrize("status", [*STATUSES, "A_TENTH"])
def test_whatever_the_list_says_it_is_back_only_when_the_service_says_so(status: str) -> None:
    for live, state, running, newest, how in itertools.product(
        LIVE, ("IN_PROGRESS", "FAILED", "COMPLETED"), (3, 4), LIVE, HOWS
    ):
        found = restored(service(live, state, running=running), [brought(status, newest)], BEFORE, how).state
        # autoscaling raises what is desired: where ECS has said that it is done, the counts say nothing
        done = status == ("SUCCESSFUL" if newest == BEFORE else "ROLLBACK_SUCCESSFUL")
        back = (live, state) == (BEFORE, "COMPLETED") and (running == 4 or done)
        assert (found is H) == back, (status, live, state, running, newest, how)


@pytest.mark.parametrize("status", [*STATUSES, "A_TENTH"])
def test_whatever_the_service_says_it_is_live_only_when_its_deployment_succeeded(status: str) -> None:
    for live, state, newest in itertools.product(LIVE, ("IN_PROGRESS", "FAILED", "COMPLETED"), LIVE):
        found = rollout(service(live, state), [brought(status), brought("SUCCESSFUL", newest, at=20)], OURS).state
        again = live == newest == OURS  # ours was brought once more, and that succeeded
        assert (found is H) == (again or (status == "SUCCESSFUL" and live == newest == OURS)), (status, live, newest)


# -- how it is put back ------------------------------------------------------------------------------------------


@pytest.fixture
def ecs(environment: pytest.MonkeyPatch) -> Iterator[Ecs]:
    """The fake, asked by the product through boto3; nobody else has settled the deployment."""
    fake = Ecs(Clock(speed=0.01))  # it must not move on by itself while a slow machine looks
    with served(fake.app) as url:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        client = boto3.client("ecs", endpoint_url=url, **keys)
        environment.setattr(aws, "client", lambda *_, **__: client)
        environment.setattr(restore, "table", lambda: None)
        environment.setattr(restore.results, "keep", lambda *_: None)
        environment.setattr(restore, "assert_ours", lambda *_: {})
        environment.setattr(restore, "leave", lambda *_: None)
        environment.setattr(restore.stages, "revoke", lambda *_: None)
        kind = Target("dev", "acme/shop", "dev_deploy", cluster="checkout", service="checkout-api")
        environment.setattr(restore, "targets", lambda: {"dev": kind})
        yield fake
        client.close()


def put_back(wanted: str) -> dict[str, Any]:
    plan = {"target": "dev", "previous": {"task_definition": wanted}}
    return call(restore.run, {"deployment_id": "d-1", "state": {"plan": plan}})


@pytest.mark.parametrize("status", STATUSES)
def test_how_it_is_put_back(ecs: Ecs, status: str) -> None:
    """Where ECS turns its own deployment round, that is left alone; everywhere else something is begun."""
    wanted = ecs.describe()["taskDefinition"]
    bad = ecs.register_task_definition("registry/app:v9", deployment="d-1")
    ecs.update_service(bad)
    one = ecs.service_deployment()
    one.status = status  # PRIMARY stays: only the status is another
    before = len(ecs.calls)
    how = put_back(wanted)["how"]
    assert how == STATUSES[status][3]
    began = [c.operation for c in ecs.calls[before:] if c.operation in ("UpdateService", "StopServiceDeployment")]
    expected = {"update_service": ["UpdateService"], "stop_service_deployment": ["StopServiceDeployment"]}
    assert began == expected.get(how, [])


def test_a_rollout_that_ends_while_it_should_be_stopped_is_put_back_by_an_update(ecs: Ecs) -> None:
    """StopServiceDeployment refuses: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html"""
    wanted = ecs.describe()["taskDefinition"]
    ecs.update_service(ecs.register_task_definition("registry/app:v9", deployment="d-1"))
    ecs.faults.append(Fault("StopServiceDeployment", status=400, code="ConflictException"))
    assert put_back(wanted)["how"] == "update_service"
    assert ecs.running_image().endswith("v1.0.0")


@pytest.mark.parametrize("missing", ["service", "cluster"])
def test_a_missing_service_or_cluster_is_named(ecs: Ecs, missing: str) -> None:
    wanted = ecs.describe()["taskDefinition"]
    ecs.remove_service()
    if missing == "cluster":
        ecs.remove_cluster()
    with pytest.raises(ServiceRefused, match="ECS has no service checkout-api in cluster checkout"):
        put_back(wanted)


def test_a_task_definition_that_is_gone_puts_nothing_back(ecs: Ecs) -> None:
    wanted = ecs.describe()["taskDefinition"]
    ecs.update_service(ecs.register_task_definition("registry/app:v9", deployment="d-1"))
    ecs.deregister_task_definition(wanted)
    before = len(ecs.calls)
    with pytest.raises(ServiceRefused, match="is gone"):
        put_back(wanted)
    assert "UpdateService" not in [call.operation for call in ecs.calls[before:]]


def test_the_step_hands_on_how_it_was_begun(ecs: Ecs, environment: pytest.MonkeyPatch) -> None:
    """Our update is PRIMARY and not listed yet; the one before it could not be rolled back."""
    wanted = ecs.describe()["taskDefinition"]
    ecs.update_service(ecs.register_task_definition("registry/app:v9", deployment="d-1"))
    listed = [brought("ROLLBACK_FAILED", "td:v9")]
    environment.setattr(Service, "deployments", lambda _: listed)
    begun = put_back(wanted)
    environment.setattr(restored_step, "targets", restore.targets)
    environment.setattr(restored_step, "table", lambda: None)
    environment.setattr(rollout_step, "table", lambda: None)
    environment.setattr(rollout_step.messages, "may_progress", lambda *_: False)
    environment.setattr(rollout_step.wakeups, "counter", lambda *_: 0)
    plan = {"target": "dev", "previous": {"task_definition": wanted}}
    event = {"mode": "restored", "deployment_id": "d-1", "state": {"plan": plan, "rollback": begun}}
    assert (begun["how"], call(step.run, event)["state"]) == ("update_service", "moving")
