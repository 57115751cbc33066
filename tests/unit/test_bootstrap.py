"""templates/bootstrap.yaml: who may deploy, with what, and where what the stack may do ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.stack_parameters import variable_of
from tests.unit.iam import allowed
from tests.unit.resolved_template import ROOT, STACK, Resolved

ACCOUNT, REGION = "123456789012", "eu-west-1"
FILE = "templates/bootstrap.yaml"
GIVEN = {"Repository": "acme/platform"}
BOOTSTRAP = Resolved(GIVEN, FILE)
ROLES = BOOTSTRAP.resources("AWS::IAM::Role")
(BOUNDARY,) = BOOTSTRAP.resources("AWS::IAM::ManagedPolicy").values()


def granted(role: str) -> list[dict[str, Any]]:
    """The statements that the bootstrap gives to one of its roles."""
    (policy,) = [p for p in BOOTSTRAP.resources("AWS::IAM::RolePolicy").values() if p["RoleName"] == f"<{role}>"]
    return list(policy["PolicyDocument"]["Statement"])


def arn(service: str, rest: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def test_only_the_environment_of_the_repository_may_deploy() -> None:
    (statement,) = ROLES["PipelineRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Federated": "<OidcProvider>"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    key = "token.actions.githubusercontent.com"
    assert statement["Condition"] == {
        "StringEquals": {f"{key}:aud": "sts.amazonaws.com", f"{key}:sub": "repo:acme/platform:environment:bot"}
    }


def test_an_account_that_has_githubs_provider_keeps_it() -> None:
    theirs = arn("iam", "oidc-provider/token.actions.githubusercontent.com", "")
    resolved = Resolved({**GIVEN, "OidcProviderArn": theirs}, FILE)
    assert not resolved.resources("AWS::IAM::OIDCProvider")
    trust = resolved.resources("AWS::IAM::Role")["PipelineRole"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Federated": theirs}


def test_the_pipeline_makes_nothing_by_itself() -> None:
    may = granted("PipelineRole")
    assert {action.split(":")[0] for each in may for action in each["Action"]} == {
        *("cloudformation", "s3", "iam", "secretsmanager"),
    }
    assert allowed(may, "cloudformation:ExecuteChangeSet", arn("cloudformation", f"stack/{STACK}/1"))
    assert not allowed(may, "cloudformation:ExecuteChangeSet", arn("cloudformation", f"stack/{STACK}-2/1"))
    assert not allowed(may, "cloudformation:DeleteStack", arn("cloudformation", f"stack/{STACK}/1"))
    passing = [each for each in may if "iam:PassRole" in each["Action"]]
    assert [each["Resource"] for each in passing] == ["<CloudFormationRole.Arn>"]
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
    (secret,) = [each for each in may if each["Sid"] == "FillTheSecret"]
    assert secret["Condition"] == {"StringEquals": {"aws:ResourceTag/aws:cloudformation:stack-name": STACK}}


def test_roles_are_made_and_changed_within_the_boundary_only() -> None:
    may = granted("CloudFormationRole")
    bounded = ("CreateRole", "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy")
    for each in may:
        if {f"iam:{name}" for name in (*bounded, "PutRolePermissionsBoundary")} & set(each["Action"]):
            assert each["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": "<Boundary>"}, each["Sid"]
    role = arn("iam", f"role/{STACK}-PlanFunctionRole-1", "")
    assert all(allowed(may, f"iam:{name}", role) for name in bounded)
    assert not allowed(may, "iam:DeleteRolePermissionsBoundary", role)


def test_what_the_bootstrap_made_is_out_of_the_stacks_reach() -> None:
    may = granted("CloudFormationRole")
    names = [each["RoleName"] for each in ROLES.values()]
    assert names == [f"chatops-pipeline-{STACK}", f"chatops-cloudformation-{STACK}"]
    for name in names:
        for action in ("UpdateAssumeRolePolicy", "PutRolePolicy", "DeleteRole", "PassRole"):
            assert not allowed(may, f"iam:{action}", arn("iam", f"role/{name}", "")), (name, action)
    boundary = arn("iam", f"policy/{BOUNDARY['ManagedPolicyName']}", "")
    for action in ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion"):
        assert not allowed(may, f"iam:{action}", boundary)


LIKE_REAL = {
    "Table.Arn": arn("dynamodb", f"table/{STACK}-Table-1ABC"),
    "Secret": arn("secretsmanager", "secret:Secret-1ABC-a1b2c3"),
    "UndeliveredEvents.Arn": arn("sqs", f"{STACK}-UndeliveredEvents-1ABC"),
}
BY_SAM = (
    # AWSLambdaBasicExecutionRole, AWSXrayWriteOnlyAccess, and a function's dead letters
    *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules"),
    *("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),
)


def wanted_by_the_stack() -> Iterator[tuple[str, str]]:
    """Every action and resource of the policies in template.yaml, named as AWS will name them."""
    parameters = {
        "EcsClusterName": "shop",
        "EcsServiceName": "api",
        "CodeDeployAppName": "a",
        "CodeDeployGroupName": "g",
    }
    functions = Resolved(parameters).resources("AWS::Serverless::Function")
    facts = LIKE_REAL | {f"{name}.Arn": arn("lambda", f"function:{STACK}-{name}-1") for name in functions}
    resolved = Resolved(parameters, facts=facts)
    machines = resolved.resources("AWS::Serverless::StateMachine")
    for each in [*resolved.resources("AWS::Serverless::Function").values(), *machines.values()]:
        for policy in each.get("Policies", []):
            for statement in policy["Statement"]:
                resources = statement["Resource"]
                for resource in resources if isinstance(resources, list) else [resources]:
                    yield from ((action, resource.replace("*", "x1")) for action in statement["Action"])


def test_the_boundary_holds_everything_that_the_stack_asks_for() -> None:
    most = BOUNDARY["PolicyDocument"]["Statement"]
    wanted = list(wanted_by_the_stack())
    assert len(wanted) > 80
    assert [each for each in wanted if not allowed(most, *each)] == []
    assert all(allowed(most, action, "anything") for action in BY_SAM)
    assert allowed(most, "sqs:SendMessage", LIKE_REAL["UndeliveredEvents.Arn"])
    assert allowed(most, "sts:AssumeRole", arn("iam", "role/chatops-target-prod", "", "210987654321"))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", "*"),
        ("iam:PutRolePolicy", "*"),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:payments-a1b2c3")),
        ("secretsmanager:PutSecretValue", LIKE_REAL["Secret"]),
        ("dynamodb:GetItem", arn("dynamodb", "table/customers")),
        ("dynamodb:DeleteTable", LIKE_REAL["Table.Arn"]),
        ("sts:AssumeRole", arn("iam", "role/Admin", "")),
        ("ecs:RegisterTaskDefinition", "*"),
        ("ecs:RunTask", "*"),
        ("s3:GetObject", "arn:aws:s3:::anything"),
        ("states:StartExecution", arn("states", "stateMachine:other")),
    ],
)
def test_the_boundary_is_one(action: str, resource: str) -> None:
    assert not allowed(BOUNDARY["PolicyDocument"]["Statement"], action, resource)


def test_the_stack_takes_the_boundary_for_all_of_its_roles() -> None:
    limit = arn("iam", f"policy/chatops-boundary-{STACK}", "")
    resolved = Resolved({"PermissionsBoundaryArn": limit})
    shared = resolved.value(resolved.document["Globals"]["Function"])
    assert shared["PermissionsBoundary"] == limit
    for machine in resolved.resources("AWS::Serverless::StateMachine").values():
        assert machine["PermissionsBoundary"] == limit
    assert "PermissionsBoundary" not in Resolved().value(resolved.document["Globals"]["Function"])


def test_policies_fit_into_what_iam_takes() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (counted without blanks)"""

    def size(document: Any) -> int:
        return len(json.dumps(document, separators=(",", ":")))

    longest = Resolved({**GIVEN, "StackName": "x" * 32}, FILE)
    (boundary,) = longest.resources("AWS::IAM::ManagedPolicy").values()
    assert size(boundary["PolicyDocument"]) < 6144
    for policy in longest.resources("AWS::IAM::RolePolicy").values():
        assert size(policy["PolicyDocument"]) < 10_240


def test_the_outputs_say_where_they_belong() -> None:
    said = {name: each["Description"] for name, each in BOOTSTRAP.document["Outputs"].items()}
    script = (ROOT / "scripts/deploy_stack.py").read_text("utf-8")
    for name in ("CloudFormationRoleArn", "ArtifactsBucket"):
        assert said[name].split()[-1] in script
    assert said["PermissionsBoundaryArn"] == f"Variable {variable_of('PermissionsBoundaryArn')}"
    assert "AWS_ROLE_ARN of the environment" in said["AwsRoleArn"]
