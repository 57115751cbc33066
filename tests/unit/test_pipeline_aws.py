"""The pipeline's release step against ECS's fake, and against CodeDeploy and S3 as moto has them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto import mock_aws

from fakes.clock import Clock
from fakes.ecs import Ecs
from local.web import WebServer
from tests.unit.aws_shape import Cli
from tests.unit.git_folder import commit

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
NEW = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout-api@sha256:" + "1" * 64
ECS = {
    "ECS_CLUSTER_NAME": "checkout",
    "ECS_SERVICE_NAME": "checkout-api",
    "IMAGE": NEW,
    "DEPLOYMENT_ID": "d-0123456789ab",
}


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import release  # type: ignore[import-not-found, unused-ignore]

    return release


@pytest.fixture
def ecs() -> Iterator[Ecs]:
    clock = Clock(1000)
    yield Ecs(clock)
    clock.close()


@pytest.fixture
def aws(ecs: Ecs) -> Iterator[Cli]:
    web = WebServer(ecs.app)
    yield Cli({"ecs": web.url})
    web.close()


def test_a_release_moves_the_service_to_a_task_definition_with_the_image(release: Any, ecs: Ecs, aws: Cli) -> None:
    made = release.release_ecs.release(ECS, aws)
    assert made["image"] == NEW
    assert ecs.describe()["taskDefinition"] == made["task_definition"]
    found = aws("ecs", "describe-task-definition", "--task-definition", made["task_definition"])["taskDefinition"]
    assert [each["image"] for each in found["containerDefinitions"] if each.get("essential", True)] == [NEW]
    assert found["family"] == "checkout-api"


REPOSITORY = NEW.partition("@")[0]
WEB, WORKER = ({"name": name, "image": f"{REPOSITORY}:v1", "essential": name == "web"} for name in ("web", "worker"))
PROXY = {"name": "proxy", "image": "public.ecr.aws/envoy:v1", "essential": True}
OTHER = {"name": "other", "image": f"{REPOSITORY}-other:v1", "essential": True}


@pytest.mark.parametrize(
    ("containers", "name", "changed"),
    [
        ([WEB, WORKER, PROXY], "", ["web", "worker"]),
        ([WEB, WORKER, PROXY], "web", ["web", "worker"]),
        ([{**WEB, "image": f"{REPOSITORY}@sha256:{'2' * 64}"}, PROXY], "", ["web"]),
        ([PROXY], "", ["proxy"]),
        ([PROXY, WORKER], "proxy", ["proxy", "worker"]),
        ([WEB, OTHER], "", ["web"]),
    ],
)
def test_all_containers_of_the_images_repository_take_it(
    release: Any, containers: list[dict[str, Any]], name: str, changed: list[str]
) -> None:
    definition = {"family": "shop", "containerDefinitions": containers}
    registered: list[dict[str, Any]] = []

    def aws(_service: str, command: str, *words: str) -> dict[str, Any]:
        if command == "describe-task-definition":
            return {"taskDefinition": definition}
        registered.append(json.loads(words[1]))
        return {"taskDefinition": {"taskDefinitionArn": "arn:new"}}

    made = release.release_ecs.task_definition.register("shop:1", ECS | {"ECS_CONTAINER_NAME": name}, aws)
    assert made == ("arn:new", changed)
    assert {each["name"]: each["image"] for each in registered[0]["containerDefinitions"]} == {
        each["name"]: NEW if each["name"] in changed else each["image"] for each in containers
    }


@pytest.mark.parametrize(("containers", "name"), [([PROXY, OTHER], ""), ([WEB, PROXY], "wbe")])
def test_where_no_container_is_the_images_its_name_is_asked_for(
    release: Any, containers: list[dict[str, Any]], name: str
) -> None:
    with pytest.raises(release.Refused, match="Set ECS_CONTAINER_NAME to the container"):
        release.release_ecs.task_definition.containers_of({"containerDefinitions": containers}, NEW, name)


def test_a_task_definitions_tags_come_along_but_for_those_of_aws_and_the_deployment_before(
    release: Any, ecs: Ecs, aws: Cli
) -> None:
    first = release.release_ecs.release(ECS, aws)["task_definition"]
    shown = aws("ecs", "describe-task-definition", "--task-definition", first, "--include", "TAGS")
    tag = {"key": "platform-deploy:deployment", "value": "d-0123456789ab"}
    assert shown["tags"] == [tag]
    own, theirs = {"key": "team", "value": "shop"}, {"key": "aws:cloudformation:stack-name", "value": "x"}
    given = [theirs, tag, own, *({"key": f"k{n}", "value": ""} for n in range(60))]
    answers = {
        "describe-task-definition": {**shown, "tags": given},
        "register-task-definition": {"taskDefinition": {"taskDefinitionArn": "arn:new"}},
    }
    asked: list[Any] = []

    def cli(_service: str, command: str, *words: str) -> Any:
        asked.append(words)
        return answers[command]

    release.release_ecs.task_definition.register(first, ECS | {"DEPLOYMENT_ID": "d-two"}, cli)
    tags = json.loads(asked[1][1])["tags"]
    assert tags[0] == own
    assert tags[-1] == {"key": "platform-deploy:deployment", "value": "d-two"}
    assert (len(tags), theirs in tags, tag in tags) == (50, False, False)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"STRATEGY": "rolling"}, {"strategy": "ROLLING"}),
        ({"STRATEGY": "blue_green", "ECS_BAKE_MINUTES": "5"}, {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}),
        (
            {"STRATEGY": "linear", "ECS_STEP_PERCENT": "12.5", "ECS_STEP_MINUTES": "2", "ECS_BAKE_MINUTES": "0"},
            {
                "strategy": "LINEAR",
                "bakeTimeInMinutes": 0,
                "linearConfiguration": {"stepPercent": 12.5, "stepBakeTimeInMinutes": 2},
            },
        ),
        (
            {"STRATEGY": "canary", "ECS_STEP_PERCENT": "0.1", "ECS_STEP_MINUTES": "1440", "ECS_BAKE_MINUTES": "5"},
            {
                "strategy": "CANARY",
                "bakeTimeInMinutes": 5,
                "canaryConfiguration": {"canaryPercent": 0.1, "canaryBakeTimeInMinutes": 1440},
            },
        ),
    ],
)
def test_a_strategy_reaches_ecs_as_its_own_deployment_configuration(
    release: Any, aws: Cli, settings: dict[str, str], expected: dict[str, Any]
) -> None:
    release.release_ecs.release(ECS | settings, aws)
    (asked,) = [parameters for _, command, parameters in aws.asked if command == "update-service"]
    fields = ("strategy", "bakeTimeInMinutes", "linearConfiguration", "canaryConfiguration")
    assert asked["deploymentConfiguration"] | expected == asked["deploymentConfiguration"]
    assert not set(fields) & set(asked["deploymentConfiguration"]) - set(expected)


def test_pauses_that_are_named_replace_the_services_own_and_leave_its_checks(release: Any, ecs: Ecs, aws: Cli) -> None:
    check = {"hookTargetArn": "arn:aws:lambda:x:1:function:check", "lifecycleStages": ["POST_SCALE_UP"]}
    old = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}
    ecs.configure({"lifecycleHooks": [check, old]})
    release.release_ecs.release({**ECS, "STRATEGY": "blue_green"}, aws)
    assert ecs.service_deployment().configuration["lifecycleHooks"] == [check, old], "where none is named"
    strategy = "canary+PRE_PRODUCTION_TRAFFIC_SHIFT,POST_SCALE_UP"
    release.release_ecs.release({**ECS, "STRATEGY": strategy}, aws)
    made = ecs.service_deployment().configuration
    stages = ["PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_SCALE_UP"]
    assert made["strategy"] == "CANARY"
    assert made["lifecycleHooks"] == [check, {"targetType": "PAUSE", "lifecycleStages": stages}]


def test_what_belongs_to_another_strategy_is_left_behind(release: Any) -> None:
    service = {
        "deploymentConfiguration": {
            "strategy": "CANARY",
            "minimumHealthyPercent": 100,
            "bakeTimeInMinutes": 7,
            "canaryConfiguration": {"canaryPercent": 5.0},
        }
    }
    made = release.release_ecs.deployment_configuration(service, "linear", {})
    assert made == {"strategy": "LINEAR", "minimumHealthyPercent": 100, "bakeTimeInMinutes": 7}
    rolling = release.release_ecs.deployment_configuration(service, "rolling", {})
    assert rolling == {"strategy": "ROLLING", "minimumHealthyPercent": 100}
    kept = release.release_ecs.deployment_configuration(service, "canary", {"ECS_STEP_MINUTES": "3"})
    assert kept["canaryConfiguration"] == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 3}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"STRATEGY": "yolo"}, "is no strategy"),
        ({"STRATEGY": "linear", "ECS_STEP_PERCENT": "2.9"}, "3.0 to 100"),
        ({"STRATEGY": "canary", "ECS_STEP_PERCENT": "0.15"}, "tenths"),
        ({"STRATEGY": "canary", "ECS_STEP_PERCENT": "nan"}, "0.1 to 100"),
        ({"STRATEGY": "canary", "ECS_STEP_MINUTES": "1441"}, "0 to 1440"),
        ({"STRATEGY": "blue_green", "ECS_BAKE_MINUTES": "1h"}, "0 to 1440"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_registered(
    release: Any, aws: Cli, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(release.Refused, match=words):
        release.release_ecs.release(ECS | settings, aws)
    assert {command for _, command, _ in aws.asked} == {"describe-services"}


def test_a_load_balancer_without_a_second_target_group_is_named_as_what_is_missing(release: Any) -> None:
    service = {"loadBalancers": [{"targetGroupArn": "a", "containerName": "app", "containerPort": 80}]}
    with pytest.raises(release.Refused, match="alternateTargetGroupArn"):
        release.release_ecs.deployment_configuration(service, "canary", {})
    assert release.release_ecs.deployment_configuration(service, "rolling", {}) == {"strategy": "ROLLING"}


def test_a_service_under_codedeploy_is_not_updated(release: Any) -> None:
    service = {"status": "ACTIVE", "deploymentController": {"type": "CODE_DEPLOY"}}
    with pytest.raises(release.Refused, match="CODEDEPLOY_APP_NAME"):
        release.release_ecs.release(ECS, lambda *_: {"services": [service]})


FILES = {"appspec.yml": "version: 0.0\nos: linux\n", ".gitattributes": "*.yml export-ignore\n"}


@pytest.fixture(scope="module")
def committed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("committed")
    return folder, commit(folder, FILES)


@pytest.fixture
def deploy_env(committed: tuple[Path, str], tmp_path: Path) -> dict[str, str]:
    source = shutil.copytree(committed[0], tmp_path / "source")
    return {
        "CODEDEPLOY_APP_NAME": "shop",
        "CODEDEPLOY_GROUP_NAME": "prod",
        "SHA": committed[1],
        "DEPLOYMENT_ID": "d-0123456789ab",
        "SOURCE": str(source),
        "RUNNER_TEMP": str(tmp_path),
        "IMAGE": NEW,
    }


def application(aws: Cli, platform: str, **group: Any) -> None:
    client = aws.client("codedeploy")
    client.create_application(applicationName="shop", computePlatform=platform)
    role = "arn:aws:iam::123456789012:role/codedeploy"
    client.create_deployment_group(applicationName="shop", deploymentGroupName="prod", serviceRoleArn=role, **group)


@mock_aws
def test_hosts_get_the_commit_from_s3(release: Any, deploy_env: dict[str, str]) -> None:
    aws = Cli({})
    application(aws, "Server")
    aws.client("s3").create_bucket(Bucket="revisions")
    made = release.release_codedeploy.release(deploy_env | {"CODEDEPLOY_BUCKET": "revisions"}, aws)
    begun = aws.client("codedeploy").get_deployment(deploymentId=made["codedeploy_deployment_id"])
    info = begun["deploymentInfo"]
    place = info["revision"]["s3Location"]
    assert (place["bucket"], place["key"]) == ("revisions", f"shop/{deploy_env['SHA']}.tgz")
    packed = aws.client("s3").get_object(Bucket="revisions", Key=place["key"])["Body"].read()
    listed = subprocess.run(["tar", "-tzf", "-"], input=packed, capture_output=True, check=True).stdout
    assert listed == b".gitattributes\nappspec.yml\n", "whatever export-ignore says"
    assert info["description"] == f"d-0123456789ab {deploy_env['SHA']}"


@mock_aws
def test_a_lambda_gets_the_commits_appspec(release: Any, deploy_env: dict[str, str]) -> None:
    aws = Cli({})
    application(aws, "Lambda")
    made = release.release_codedeploy.release(deploy_env | {"CODEDEPLOY_CONFIG_NAME": "Slowly"}, aws)
    (asked,) = [parameters for _, command, parameters in aws.asked if command == "create-deployment"]
    assert asked["revision"]["appSpecContent"]["content"] == "version: 0.0\nos: linux\n"
    assert asked["deploymentConfigName"] == "Slowly"
    assert made["codedeploy_deployment_id"]


@mock_aws
def test_an_appspec_that_is_a_link_to_what_the_job_holds_is_not_sent(
    release: Any, deploy_env: dict[str, str], tmp_path: Path
) -> None:
    aws = Cli({})
    application(aws, "Lambda")
    held, appspec = tmp_path / "held", Path(deploy_env["SOURCE"]) / "appspec.yml"
    held.write_text("AWS_SECRET_ACCESS_KEY=canary")
    for place in (str(held), "../held", "/proc/self/environ"):
        appspec.unlink()
        appspec.symlink_to(place)
        with pytest.raises(release.release_codedeploy.Refused, match="a link that leads out"):
            release.release_codedeploy.release(deploy_env, aws)
    assert not [command for _, command, _ in aws.asked if command == "create-deployment"]


SERVICE = {
    "status": "ACTIVE",
    "taskDefinition": "family:1",
    "taskSets": [
        {"status": "ACTIVE", "taskDefinition": "family:3"},
        {
            "status": "PRIMARY",
            "taskDefinition": "family:2",
            "loadBalancers": [{"containerName": "app", "containerPort": 8080}],
            "platformVersion": "1.4.0",
            "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 1}],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": ["subnet-1"],
                    "securityGroups": ["sg-1"],
                    "assignPublicIp": "DISABLED",
                }
            },
        },
    ],
}
HOOKS = """version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo: {ContainerName: other, ContainerPort: 1}
        PlatformVersion: LATEST
Hooks:
  - AfterAllowTestTraffic: arn:aws:lambda:eu-west-1:123456789012:function:check
"""


@pytest.mark.parametrize("appspec", ["", HOOKS, json.dumps(yaml.safe_load(HOOKS))])
@mock_aws
def test_an_ecs_service_gets_an_appspec_with_the_new_task_definition(
    release: Any, deploy_env: dict[str, str], appspec: str
) -> None:
    """What CodeDeploy deployed last is the primary task set's, not what the service was made with; it drops what the
    AppSpec doesn't name."""
    found = Path(deploy_env["SOURCE"]) / "appspec.yml"
    found.write_text(appspec)
    if not appspec:
        found.unlink()
    real = Cli({})
    application(real, "ECS", ecsServices=[{"serviceName": "checkout-api", "clusterName": "checkout"}])
    old = {"name": "app", "image": "old", "essential": True}
    asked_for: list[str] = []

    def aws(*words: str) -> dict[str, Any]:
        if words[0] != "ecs":
            return real(*words)
        asked_for.extend(words)
        return {
            "describe-services": {"services": [SERVICE]},
            "describe-task-definition": {"taskDefinition": {"family": "family", "containerDefinitions": [old]}},
            "register-task-definition": {"taskDefinition": {"taskDefinitionArn": "arn:new"}},
        }[words[1]]

    made = release.release_codedeploy.release(deploy_env | {"STRATEGY": "canary"}, aws)
    assert made["task_definition"] == "arn:new"
    assert "family:2" in asked_for
    (asked,) = [parameters for _, command, parameters in real.asked if command == "create-deployment"]
    sent = json.loads(asked["revision"]["appSpecContent"]["content"])
    (resource,) = sent["Resources"]
    assert resource["TargetService"]["Properties"] == {
        "TaskDefinition": "arn:new",
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
        "PlatformVersion": "LATEST" if appspec else "1.4.0",
        "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT", "Weight": 3, "Base": 1}],
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"], "AssignPublicIp": "DISABLED"}
        },
    }
    hook = {"AfterAllowTestTraffic": "arn:aws:lambda:eu-west-1:123456789012:function:check"}
    assert sent.get("Hooks") == ([hook] if appspec else None)
    assert asked["deploymentConfigName"] == "CodeDeployDefault.ECSCanary10Percent5Minutes"


@pytest.mark.parametrize("text", ["Resources: [", "- a list", "Resources: [x]", "Resources: 7", "\x00", ""])
def test_an_appspec_that_cannot_be_read_is_refused_by_name(release: Any, deploy_env: dict[str, str], text: str) -> None:
    (Path(deploy_env["SOURCE"]) / "appspec.yml").write_text(text)
    with pytest.raises(release.Refused, match=r"appspec\.yml cannot be read as the AppSpec of an ECS service"):
        release.release_codedeploy._own(deploy_env)


@mock_aws
def test_what_codedeploy_lacks_is_said(release: Any, deploy_env: dict[str, str]) -> None:
    aws = Cli({})
    application(aws, "Server")
    with pytest.raises(release.Refused, match="CODEDEPLOY_BUCKET"):
        release.release_codedeploy.release(deploy_env, aws)
    with pytest.raises(release.Refused, match="CODEDEPLOY_CONFIG_NAME"):
        release.release_codedeploy.release(deploy_env | {"CODEDEPLOY_BUCKET": "b", "STRATEGY": "canary"}, aws)
    (Path(deploy_env["SOURCE"]) / "appspec.yml").unlink()
    with pytest.raises(release.Refused, match=r"needs an appspec\.yml"):
        release.release_codedeploy.release(deploy_env | {"CODEDEPLOY_BUCKET": "b"}, aws)
