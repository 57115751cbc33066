"""Services of other accounts, roles and CodeDeploy, as AWS would answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doctor.checks import CHECKS
from doctor.clients import Aws
from doctor.installation import Installation, Stack
from doctor.result import Result, State
from doctor.runner import Check, examine
from tests.doctor.stubs import Answers, Stubbed
from tests.doctor.test_deployed import PARAMETERS, STORED

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::210987654321:role/chatops-deploy"
TARGETS = f"""targets:
  prod:
    repository: acme/checkout-api
    ecs: {{cluster: checkout, service: checkout-api}}
    region: ap-northeast-2
    role_arn: {ROLE}
  batch:
    repository: acme/batch
    codedeploy: {{application: batch, group: live}}
"""
DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api:7"
SERVICE = {
    "serviceName": "checkout-api",
    "status": "ACTIVE",
    "desiredCount": 2,
    "runningCount": 2,
    "taskDefinition": DEFINITION,
    "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    "deployments": [],
}


def ecs(**definition: str) -> Answers:
    found = {"taskDefinitionArn": DEFINITION, "status": "ACTIVE", **definition}
    return {
        "describe_clusters": {"clusters": [{"clusterName": "checkout", "status": "ACTIVE"}]},
        "describe_services": {"services": [SERVICE]},
        "describe_task_definition": {"taskDefinition": found},
    }


def look(aws: Stubbed, name: str, env: dict[str, str], subject: str, stack: Stack | None = None) -> list[Result]:
    """What one check says of one target."""
    found = Installation(env={"AWS_REGION": "us-east-1", **env}, secrets=STORED, aws=aws, stack=stack, only=subject)
    chosen = [Check(one.name, one.scope, one.look) for one in CHECKS if one.name == name]
    return [finding.result for finding in examine(found, chosen)]


@pytest.fixture
def several(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "targets.yaml").write_text(TARGETS)
    return {"CHATOPS_TARGETS_FILE": str(tmp_path / "targets.yaml")}


ONE = {
    "GITHUB_ID": "acme",
    "GITHUB_REPO": "checkout-api",
    "ECS_CLUSTER_NAME": "checkout",
    "ECS_SERVICE_NAME": "checkout-api",
}


@pytest.mark.parametrize(
    ("key", "parameter"), [("executionRoleArn", "EcsTaskExecutionRoleName"), ("taskRoleArn", "EcsTaskRoleName")]
)
def test_a_role_that_the_stack_may_not_pass_on_is_found(key: str, parameter: str) -> None:
    stack = Stack("platform-deploy", "CREATE_COMPLETE", {}, PARAMETERS)
    mine = Stubbed({"ecs": ecs(**{key: "arn:aws:iam::123456789012:role/path/checkout"})})
    wrong, *_ = look(mine, "ECS service", ONE, "dev", stack)
    assert wrong.state is State.FAILED
    assert f"the {key} path/checkout; the stack's {parameter} is ecsTaskExecutionRole" in wrong.found
    usual = Stubbed({"ecs": ecs(**{key: "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"})})
    assert [one.state for one in look(usual, "ECS service", ONE, "dev", stack)] == [State.OK]


def test_a_hooks_role_is_named_where_a_strategy_is_sent_with_it(tmp_path: Path) -> None:
    hook = {
        "hookTargetArn": "arn:aws:lambda:us-east-1:123456789012:function:smoke",
        "lifecycleStages": ["POST_SCALE_UP"],
    }
    hooked = {**hook, "roleArn": "arn:aws:iam::123456789012:role/service-role/ecs-hooks"}
    answers = ecs()
    configuration = {**SERVICE["deploymentConfiguration"], "lifecycleHooks": [hooked]}
    answers["describe_services"] = {"services": [{**SERVICE, "deploymentConfiguration": configuration}]}

    def told(more: str) -> list[Result]:
        service = "ecs: {cluster: checkout, service: checkout-api}"
        targets = f"targets:\n  prod:\n    repository: a/b\n    {service}\n{more}"
        (tmp_path / "targets.yaml").write_text(targets)
        return look(
            Stubbed({"ecs": answers}), "ECS service", {"CHATOPS_TARGETS_FILE": str(tmp_path / "targets.yaml")}, "prod"
        )

    named, *_ = told("    strategy: blue_green\n")
    assert named.state is State.SKIPPED
    assert "EcsHookRoleName=service-role/ecs-hooks" in named.todo
    assert [one.state for one in told("")] == [State.OK]


def test_another_accounts_service_is_asked_in_its_region_and_role(several: dict[str, str]) -> None:
    aws = Stubbed({"ecs": ecs(executionRoleArn="arn:aws:iam::210987654321:role/other")})
    stack = Stack("platform-deploy", "CREATE_COMPLETE", {}, PARAMETERS)
    assert [one.state for one in look(aws, "ECS service", several, "prod", stack)] == [State.OK]
    assert aws.asked == [("ecs", "ap-northeast-2", ROLE)]


def test_a_role_that_you_may_not_assume_is_left_out_with_what_the_bot_needs(several: dict[str, str]) -> None:
    """The bot's functions are other callers than this one: it is no proof."""

    class Denied(Stubbed):
        def client(self, service: str, region: str = "", role_arn: str = "") -> Any:
            if service == "sts":
                return super().client(service, region, role_arn)
            return Aws.client(self, service, region, role_arn)

    (told,) = look(Denied({"sts": {"assume_role": {"code": "AccessDenied"}}}), "ECS service", several, "prod")
    assert told.state is State.SKIPPED
    assert f"you may not assume {ROLE}" in told.found
    assert "trust policy" in told.todo


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        ({"deploymentGroupInfo": {"computePlatform": "Server"}}, State.OK, "batch/live is there (Server)"),
        ({"code": "ApplicationDoesNotExistException"}, State.FAILED, "knows no application batch"),
        ({"code": "DeploymentGroupDoesNotExistException"}, State.FAILED, "batch has no group live"),
        ({"code": "InvalidApplicationNameException"}, State.FAILED, "InvalidApplicationNameException"),
        ({"code": "AccessDeniedException"}, State.SKIPPED, "you may not call codedeploy:GetDeploymentGroup"),
    ],
)
def test_codedeploys_application_and_group_are_looked_up(
    several: dict[str, str], answer: dict[str, Any], state: State, says: str
) -> None:
    (told,) = look(Stubbed({"codedeploy": {"get_deployment_group": answer}}), "CodeDeploy", several, "batch")
    assert told.state is state
    assert says in told.found
    (other,) = look(Stubbed({}), "ECS service", several, "batch")
    assert other.state is State.SKIPPED


def test_a_targets_region_must_exist(several: dict[str, str]) -> None:
    path = Path(several["CHATOPS_TARGETS_FILE"])
    path.write_text(TARGETS.replace("ap-northeast-2", "ap-nowhere-9"))
    (wrong,) = look(Stubbed({}), "region", several, "prod")
    assert "no region 'ap-nowhere-9' (prod's region in targets.yaml)" in wrong.found
