"""What the ECS fake answers to boto3, and how it fails; every answer is held against botocore's model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.exceptions
import pytest

from fakes.ecs import Rollout
from fakes.ecs.names import digest
from fakes.ecs.server import FIRST_IMAGE
from fakes.faults import Fault

if TYPE_CHECKING:
    from tests.contract.conftest import EcsApi

SERVICE = {"cluster": "checkout", "service": "checkout-api"}


def code(error: pytest.ExceptionInfo[botocore.exceptions.ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_service_already_runs_v1_and_is_steady(api: EcsApi) -> None:
    now = api.service()
    assert (now["status"], now["desiredCount"], now["runningCount"], now["pendingCount"]) == (
        "ACTIVE",
        4,
        4,
        0,
    )
    assert now["taskDefinition"].endswith("task-definition/checkout-api:1")
    assert [(one["status"], one["rolloutState"]) for one in now["deployments"]] == [("PRIMARY", "COMPLETED")]
    assert now["events"][0]["message"] == "(service checkout-api) has reached a steady state."
    definition = api.client.describe_task_definition(taskDefinition="checkout-api")["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"] == FIRST_IMAGE


def test_a_revision_names_its_task_definition_and_the_digest_of_its_image(api: EcsApi) -> None:
    revision = api.newest()["targetServiceRevision"]["arn"]
    found = api.client.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"][0]
    assert found["taskDefinition"].endswith("checkout-api:1")
    assert found["containerImages"][0]["imageDigest"] == digest(FIRST_IMAGE)
    assert digest("registry/app@sha256:abc") == "sha256:abc"


def test_a_service_without_service_deployments_still_tells_by_its_deployments(api: EcsApi) -> None:
    api.ecs.service_deployments = False
    api.deploy()
    assert api.client.list_service_deployments(**SERVICE)["serviceDeployments"] == []
    assert "currentServiceDeployment" not in api.service()
    api.time.at += 6
    assert api.service()["deployments"][0]["rolloutState"] == "COMPLETED"


def test_what_is_missing_is_named_as_ecs_names_it(api: EcsApi) -> None:
    answer = api.client.describe_services(cluster="checkout", services=["nothing", "checkout-api"])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    assert len(answer["services"]) == 1
    with pytest.raises(api.client.exceptions.ClusterNotFoundException):
        api.client.describe_services(cluster="nowhere", services=["checkout-api"])
    with pytest.raises(api.client.exceptions.ServiceNotFoundException):
        api.client.update_service(cluster="checkout", service="nothing", taskDefinition="checkout-api:1")
    with pytest.raises(api.client.exceptions.ServiceNotFoundException):
        api.client.list_service_deployments(cluster="checkout", service="nothing")
    with pytest.raises(api.client.exceptions.ServiceDeploymentNotFoundException):
        api.client.stop_service_deployment(
            serviceDeploymentArn="arn:aws:ecs:us-east-1:123456789012:service-deployment/x"
        )
    for call in (
        lambda: api.client.describe_task_definition(taskDefinition="nothing:1"),
        lambda: api.client.update_service(**SERVICE, taskDefinition="checkout-api:99"),
    ):
        with pytest.raises(api.client.exceptions.ClientException):
            call()
    for failures in (
        api.client.describe_service_deployments(serviceDeploymentArns=["x"])["failures"],
        api.client.describe_service_revisions(serviceRevisionArns=["x"])["failures"],
        api.client.describe_clusters(clusters=["nowhere"])["failures"],
    ):
        assert [failure["reason"] for failure in failures] == ["MISSING"]
    api.ecs.remove_service()
    assert api.client.describe_services(cluster="checkout", services=["checkout-api"])["services"] == []
    api.ecs.remove_cluster()
    with pytest.raises(api.client.exceptions.ClusterNotFoundException):
        api.service()


def test_a_rollback_target_that_is_gone_is_refused(api: EcsApi) -> None:
    arn = api.ecs.register_task_definition("registry/app:v9")
    api.ecs.deregister_task_definition(arn)
    assert api.client.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    with pytest.raises(api.client.exceptions.ClientException, match="inactive"):
        api.client.update_service(**SERVICE, taskDefinition=arn)


def test_tasks_and_clusters(api: EcsApi) -> None:
    tasks = api.client.list_tasks(cluster="checkout", serviceName="checkout-api", maxResults=3)
    assert len(tasks["taskArns"]) == 3
    rest = api.client.list_tasks(cluster="checkout", serviceName="checkout-api", nextToken=tasks["nextToken"])
    assert len(rest["taskArns"]) == 1
    assert "nextToken" not in rest
    (cluster,) = api.client.describe_clusters(clusters=["checkout"])["clusters"]
    assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (4, 1)


def test_service_deployments_come_newest_first_in_pages(api: EcsApi) -> None:
    for version in ("v2", "v3"):
        api.deploy(version)
        api.time.at += 10
    first = api.client.list_service_deployments(**SERVICE, maxResults=2)
    rest = api.client.list_service_deployments(**SERVICE, maxResults=2, nextToken=first["nextToken"])
    created = [one["createdAt"] for one in first["serviceDeployments"] + rest["serviceDeployments"]]
    assert created == sorted(created, reverse=True)
    assert len(created) == 3
    later = api.client.list_service_deployments(**SERVICE, createdAt={"after": created[0]})
    assert len(later["serviceDeployments"]) == 1


def test_the_pipelines_helpers_do_what_the_api_does(api: EcsApi) -> None:
    arn = api.ecs.register_task_definition("registry/app@sha256:abc")
    deployment = api.ecs.update_service(arn)
    assert api.newest()["serviceDeploymentArn"] == deployment
    assert api.ecs.running_image() == "registry/app@sha256:abc"
    assert api.ecs.describe()["serviceName"] == "checkout-api"


def test_down_and_faults(api: EcsApi) -> None:
    api.ecs.down = True
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.service()
    assert code(error) == "ServerException"
    api.ecs.down = False
    api.ecs.faults.append(Fault("UpdateService", 400, "ThrottlingException", "Rate exceeded"))
    api.service()
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.client.update_service(**SERVICE, forceNewDeployment=True)
    assert code(error) == "ThrottlingException"
    api.client.update_service(**SERVICE, forceNewDeployment=True)
    assert [call.error for call in api.ecs.calls if call.operation == "UpdateService"] == [
        "ThrottlingException",
        "",
    ]


def test_a_lost_reply_has_done_the_work(api: EcsApi) -> None:
    before = api.newest()["serviceDeploymentArn"]
    api.ecs.faults.append(Fault("UpdateService", lose_reply=True))
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        api.client.update_service(**SERVICE, forceNewDeployment=True)
    assert api.newest()["serviceDeploymentArn"] != before


def test_an_operation_that_is_not_here_says_so(api: EcsApi) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.client.list_clusters()
    assert code(error) == "UnknownOperationException"


def test_reset_begins_anew(api: EcsApi) -> None:
    api.deploy()
    api.ecs.rollout = Rollout(outcome="stuck")
    api.ecs.reset()
    assert api.ecs.rollout == Rollout()
    assert api.ecs.calls == []
    assert api.service()["taskDefinition"].endswith("checkout-api:1")
    assert api.newest()["status"] == "SUCCESSFUL"
