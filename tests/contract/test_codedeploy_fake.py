"""What the CodeDeploy fake answers to boto3, and how it fails; every answer is held against botocore's model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from fakes.codedeploy import CodeDeploy, Course, operations
from fakes.codedeploy.model import STATUSES
from fakes.codedeploy.server import FAILURES, revision_of
from fakes.faults import Fault
from tests.contract.conftest import Time, mismatches, served

GROUP = {"applicationName": "batch", "deploymentGroupName": "live"}


@dataclass
class Api:
    """boto3's client, the fake behind it, and the fake's time."""

    client: Any
    fake: CodeDeploy
    time: Time

    def deploy(self, version: str = "v2", **more: Any) -> str:
        revision = revision_of(self.fake.deployer.group("batch", "live"), version)
        return str(self.client.create_deployment(**GROUP, revision=revision, **more)["deploymentId"])

    def info(self, deployment_id: str, seconds: float = 0) -> dict[str, Any]:
        """The deployment, so many seconds later; alone and in a batch it looks the same."""
        self.time.at += seconds
        found = self.client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        assert self.client.batch_get_deployments(deploymentIds=[deployment_id])["deploymentsInfo"] == [found]
        return dict(found)

    def group(self) -> dict[str, Any]:
        return dict(self.client.get_deployment_group(**GROUP)["deploymentGroupInfo"])

    def ids(self, **more: Any) -> set[str]:
        return set(self.client.list_deployments(**GROUP, **more)["deployments"])


@pytest.fixture
def api() -> Iterator[Api]:
    time = Time()
    fake = CodeDeploy(time)
    fake.add_group("batch", "live")
    with served(fake.app) as url:
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
        config = botocore.config.Config(retries={"total_max_attempts": 1})
        client = boto3.client("codedeploy", endpoint_url=url, config=config, **keys)

        def check(http_response: Any, model: Any, **_: Any) -> None:
            if http_response.status_code == 200 and model.output_shape:
                assert mismatches(model.output_shape, json.loads(http_response.content)) == []

        client.meta.events.register("after-call.codedeploy", check)
        yield Api(client, fake, time)
        client.close()


def code(error: pytest.ExceptionInfo[botocore.exceptions.ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_its_statuses_and_errors_are_botocores(api: Api) -> None:
    model = api.client.meta.service_model
    assert set(model.shape_for("DeploymentStatus").enum) == STATUSES
    for name in operations.OPERATIONS:
        assert name in model.operation_names


def test_a_deployment_goes_from_status_to_status_and_becomes_the_last_good_one(api: Api) -> None:
    first = api.group()["lastSuccessfulDeployment"]["deploymentId"]
    made = api.deploy(description="d-1 abc")
    seen = [api.info(made, seconds)["status"] for seconds in (0, 0.2, 1, 2, 3)]
    assert seen == ["Created", "Queued", "InProgress", "InProgress", "Succeeded"]
    assert api.info(made)["deploymentOverview"]["Succeeded"] == 4
    assert (api.info(made)["description"], api.info(made)["creator"]) == ("d-1 abc", "user")
    group = api.group()
    assert group["lastSuccessfulDeployment"]["deploymentId"] == made != first
    assert group["lastAttemptedDeployment"]["deploymentId"] == made


def test_a_failure_leaves_the_last_good_one_and_says_why(api: Api) -> None:
    api.fake.deployer.courses = [Course(outcome="fails")]
    made = api.deploy()
    assert api.info(made, 5)["status"] == "Failed"
    assert api.info(made)["errorInformation"]["code"] == "HEALTH_CONSTRAINTS"
    assert api.group()["lastSuccessfulDeployment"]["deploymentId"] != made
    assert api.group()["lastAttemptedDeployment"]["status"] == "Failed"
    assert "rollbackInfo" not in api.info(made, 60)


def test_its_own_rollback_is_a_newer_deployment_of_the_last_good_revision(api: Api) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html"""
    group = api.fake.add_group("batch", "live")
    group.auto_rollback = FAILURES
    (first,) = api.ids()
    api.fake.deployer.courses = [Course(outcome="fails")]
    made = api.deploy()
    assert "rollbackInfo" not in api.info(made, 4)  # it follows a moment later
    back = api.info(made, 1)["rollbackInfo"]["rollbackDeploymentId"]
    info = api.info(back, 10)
    assert info["creator"] == "codeDeployRollback"
    assert info["rollbackInfo"]["rollbackTriggeringDeploymentId"] == made
    assert info["revision"] == api.info(first)["revision"]
    assert info["status"] == "Succeeded"
    assert api.info(made)["status"] == "Failed"
    assert api.group()["lastSuccessfulDeployment"]["deploymentId"] == back


def test_a_group_deploys_one_at_a_time(api: Api) -> None:
    made = api.deploy()
    with pytest.raises(api.client.exceptions.DeploymentLimitExceededException, match=made):
        api.deploy()
    api.info(made, 10)
    assert api.deploy() != made


@pytest.mark.parametrize(("asked", "rolled_back"), [(True, True), (False, False), (None, True)])
def test_a_stop_takes_a_moment_and_rolls_back_where_that_is_asked_for(
    api: Api, asked: bool | None, rolled_back: bool
) -> None:
    api.fake.add_group("batch", "live").auto_rollback = frozenset({"DEPLOYMENT_STOP_ON_REQUEST"})
    api.fake.deployer.course = Course(outcome="stuck", stopping=5)
    made = api.deploy()
    api.info(made, 1)
    more = {} if asked is None else {"autoRollbackEnabled": asked}
    assert api.client.stop_deployment(deploymentId=made, **more)["status"] == "Pending"
    assert api.info(made, 4)["status"] == "InProgress"
    assert api.client.stop_deployment(deploymentId=made)["status"] == "Pending"
    assert api.info(made, 2)["status"] == "Stopped"
    assert api.info(made)["errorInformation"]["code"] == "MANUAL_STOP"
    assert ("rollbackInfo" in api.info(made, 1)) == rolled_back
    with pytest.raises(api.client.exceptions.DeploymentAlreadyCompletedException):
        api.client.stop_deployment(deploymentId=made)


@pytest.mark.parametrize("waits", ["READY_WAIT", "TERMINATION_WAIT"])
def test_blue_green_waits_to_be_continued(api: Api, waits: Any) -> None:
    api.fake.deployer.courses = [Course(waits=waits)]
    made = api.deploy()
    found = api.info(made, 100)
    ready = waits == "READY_WAIT"
    assert (found["status"], found["instanceTerminationWaitTimeStarted"]) == (
        "Ready" if ready else "InProgress",
        not ready,
    )
    other = "TERMINATION_WAIT" if ready else "READY_WAIT"
    with pytest.raises(api.client.exceptions.DeploymentIsNotInReadyStateException):
        api.client.continue_deployment(deploymentId=made, deploymentWaitType=other)
    api.client.continue_deployment(deploymentId=made, deploymentWaitType=waits)
    assert api.info(made, 5)["status"] == "Succeeded"


def test_blue_green_that_nobody_reroutes_is_stopped(api: Api) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentReadyOption.html"""
    api.fake.deployer.courses = [Course(waits="READY_WAIT", ready_minutes=5)]
    made = api.deploy()
    option = api.info(made, 299)["blueGreenDeploymentConfiguration"]["deploymentReadyOption"]
    assert option == {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 5}
    assert api.info(made)["status"] == "Ready"
    assert api.info(made, 10)["status"] == "Stopped"
    with pytest.raises(api.client.exceptions.DeploymentAlreadyCompletedException):
        api.client.continue_deployment(deploymentId=made)


def test_an_appspecs_content_is_shown_by_the_applications_revision_alone(api: Api) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    api.fake.add_group("web", "blue", "ECS")
    place = {"applicationName": "web", "deploymentGroupName": "blue"}
    (first,) = api.client.list_deployments(**place)["deployments"]
    shown = api.info(first)["revision"]
    assert set(shown["appSpecContent"]) == {"sha256"}
    with pytest.raises(api.client.exceptions.InvalidRevisionException):
        api.client.create_deployment(**place, revision=shown)
    whole = api.client.get_application_revision(applicationName="web", revision=shown)["revision"]
    again = api.client.create_deployment(**place, revision=whole)["deploymentId"]
    assert api.info(again)["revision"] == shown
    assert api.client.get_application(applicationName="web")["application"]["computePlatform"] == "ECS"


@pytest.mark.parametrize("platform", ["ECS", "Lambda"])
def test_a_service_or_function_shows_its_lifecycle_events_and_traffic(api: Api, platform: str) -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentTarget.html"""
    api.fake.add_group("batch", "live").platform = platform
    made = api.deploy()
    with pytest.raises(api.client.exceptions.DeploymentNotStartedException):
        api.client.list_deployment_targets(deploymentId=made)
    seen = []
    for seconds in (1, 3):
        api.time.at += seconds
        ids = api.client.list_deployment_targets(deploymentId=made)["targetIds"]
        asked = api.client.batch_get_deployment_targets(deploymentId=made, targetIds=ids)
        (target,) = asked["deploymentTargets"]
        it = target["ecsTarget" if platform == "ECS" else "lambdaTarget"]
        (now,) = (e["lifecycleEventName"] for e in it["lifecycleEvents"] if e["status"] == "InProgress")
        seen.append((now, [each["trafficWeight"] for each in it.get("taskSetsInfo", [])]))
    weights = [[100.0, 0.0], [50.0, 50.0]] if platform == "ECS" else [[], []]
    assert seen == [("Install", weights[0]), ("AllowTraffic", weights[1])]
    with pytest.raises(api.client.exceptions.DeploymentTargetDoesNotExistException):
        api.client.batch_get_deployment_targets(deploymentId=made, targetIds=["another"])


def test_a_configuration_says_how_it_moves_the_traffic(api: Api) -> None:
    linear = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 3}}
    api.fake.deployer.configs["Slowly"] = linear
    found = api.client.get_deployment_config(deploymentConfigName="Slowly")["deploymentConfigInfo"]
    assert found["trafficRoutingConfig"] == linear
    with pytest.raises(api.client.exceptions.DeploymentConfigDoesNotExistException):
        api.client.get_deployment_config(deploymentConfigName="Nothing")


def test_deployments_are_listed_by_status_and_time_in_pages(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "PAGE", 2)
    begun = api.time.at
    for _ in range(4):
        api.deploy()
        api.time.at += 10
    api.fake.deployer.courses = [Course(outcome="stuck")]
    last = api.deploy()
    found: list[str] = []
    pages = api.client.get_paginator("list_deployments").paginate(**GROUP)
    for page in pages:
        assert len(page["deployments"]) <= 2
        found += page["deployments"]
    assert len(found) == len(set(found)) == 6
    assert api.ids(includeOnlyStatuses=["Created"]) == {last}
    assert api.ids(createTimeRange={"start": api.time.at}) == {last}
    assert len(api.ids(createTimeRange={"end": begun - 1})) == 1
    with pytest.raises(api.client.exceptions.InvalidTimeRangeException):
        api.ids(createTimeRange={"start": begun, "end": begun - 1})


def test_what_is_missing_is_named_as_codedeploy_names_it(api: Api) -> None:
    client, revision = api.client, {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k"}}
    nowhere = {"applicationName": "nothing", "deploymentGroupName": "live"}
    no_group = {"applicationName": "batch", "deploymentGroupName": "nothing"}
    for place, wanted in ((nowhere, "ApplicationDoesNotExist"), (no_group, "DeploymentGroupDoesNotExist")):
        for call in (
            lambda place=place: client.get_deployment_group(**place),
            lambda place=place: client.list_deployments(**place),
            lambda place=place: client.create_deployment(**place, revision=revision),
        ):
            with pytest.raises(botocore.exceptions.ClientError) as error:
                call()
            assert code(error) == f"{wanted}Exception"
    for call, wanted in (
        (lambda: client.get_application(applicationName="nothing"), "ApplicationDoesNotExist"),
        (lambda: client.get_deployment(deploymentId="d-NOTHING00"), "DeploymentDoesNotExist"),
        (lambda: client.stop_deployment(deploymentId="d-NOTHING00"), "DeploymentDoesNotExist"),
        (lambda: client.create_deployment(**GROUP), "RevisionRequired"),
        (lambda: client.create_deployment(**GROUP, revision={"revisionType": "S3"}), "InvalidRevision"),
        (lambda: client.get_application_revision(applicationName="batch", revision=revision), "RevisionDoesNotExist"),
        (lambda: client.list_deployments(applicationName="batch"), "DeploymentGroupNameRequired"),
        (lambda: client.list_deployments(**GROUP, includeOnlyStatuses=["Over"]), "InvalidDeploymentStatus"),
        (lambda: client.list_deployments(**GROUP, nextToken="x"), "InvalidNextToken"),
        (lambda: client.batch_get_deployments(deploymentIds=["d"] * 26), "BatchLimitExceeded"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            call()
        assert code(error) == f"{wanted}Exception"
        assert hasattr(client.exceptions, f"{wanted}Exception")


def test_down_faults_and_what_is_not_here(api: Api) -> None:
    api.fake.down = True
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.group()
    assert code(error) == "InternalFailure"
    api.fake.down = False
    api.fake.faults.append(Fault("CreateDeployment", lose_reply=True))
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        api.deploy()
    assert len(api.ids()) == 2
    with pytest.raises(botocore.exceptions.ClientError) as error:
        api.client.list_applications()
    assert code(error) == "UnknownOperationException"


def test_the_pipelines_helpers_do_what_the_api_does(api: Api) -> None:
    made = api.fake.deploy("batch", "live", "v7", "d-1 abc")
    assert api.info(made, 10)["description"] == "d-1 abc"
    assert api.fake.running("batch", "live") == "v7"
    assert [each.id for each in api.fake.deployments("batch", "live")][-1] == made
