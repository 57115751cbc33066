"""templates/bootstrap.yaml: who may deploy, with what, and where what the stack may do ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jmespath
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


def trusted(parameters: dict[str, str], file: str, role: str) -> set[str]:
    """Whose tokens the role takes: the provider of each of its statements."""
    policy = Resolved(parameters, file).resources("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]
    for statement in policy["Statement"]:
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert set(statement["Principal"]) == {"Federated"}
    return {statement["Principal"]["Federated"] for statement in policy["Statement"]}


TARGET = {"Repository": "acme@1/platform@2", "Workflow": "acme/platform-deploy/.github/workflows/dev_deploy.yml@*"}


@pytest.mark.parametrize(
    ("file", "role", "given"),
    [
        (FILE, "PipelineRole", {"Repository": "acme/platform"}),
        (FILE, "PipelineRole", {"Repository": "acme@1/platform@2"}),
        ("templates/pipeline-role.yaml", "Role", TARGET),
        ("templates/pipeline-role.yaml", "BuildRole", TARGET),
    ],
)
def test_githubs_provider_is_made_or_taken(file: str, role: str, given: dict[str, str]) -> None:
    """An account has one: whichever stack comes first makes it, and it outlives that stack."""
    made = Resolved(given, file)
    (provider,) = made.resources("AWS::IAM::OIDCProvider").values()
    assert provider == {"Url": "https://token.actions.githubusercontent.com", "ClientIdList": ["sts.amazonaws.com"]}
    resource = made.document["Resources"]["OidcProvider"]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    assert trusted(given, file, role) == {"<OidcProvider>"}
    assert made.outputs()["OidcProviderArn"] == "<OidcProvider>"
    theirs = arn("iam", "oidc-provider/token.actions.githubusercontent.com", "")
    parameter = made.document["Parameters"]["OidcProviderArn"]
    assert all(
        re.fullmatch(parameter["AllowedPattern"], text) for text in ("", theirs, theirs.replace("aws", "aws-cn"))
    )
    taken = Resolved({**given, "OidcProviderArn": theirs}, file)
    assert not taken.resources("AWS::IAM::OIDCProvider")
    assert trusted({**given, "OidcProviderArn": theirs}, file, role) == {theirs}
    assert taken.outputs()["OidcProviderArn"] == theirs


def test_the_commands_that_people_are_given_work_on_every_account() -> None:
    """They take the provider that is there, and are empty where none is."""
    query = """--query "OpenIDConnectProviderList[?ends_with(Arn, '/token.actions.githubusercontent.com')].Arn\""""
    for file in (FILE, "templates/pipeline-role.yaml", "docs/configuration.md"):
        text = " ".join((ROOT / file).read_text("utf-8").replace("\\\n", " ").replace("#", " ").split())
        assert f'OidcProviderArn="$(aws iam list-open-id-connect-providers --output text {query})"' in text, file
    account, other = "arn:aws:iam::123456789012:oidc-provider/", "oidc.eks.eu-west-1.amazonaws.com/id/1"
    found = jmespath.compile(query.partition('"')[2].rstrip('"'))
    for there, answer in (([], []), ([other], []), ([other, "token.actions.githubusercontent.com"], [1])):
        listed = {"OpenIDConnectProviderList": [{"Arn": account + each} for each in there]}
        assert found.search(listed) == [account + there[each] for each in answer]


def test_the_longest_stack_name_is_whole_in_the_names_that_cloudformation_makes() -> None:
    """`<stack>-<logical id>-<12 characters>`: what is over 64 is cut, from the stack's name too, and the policies'
    `<stack>-*` would not be meant any more."""
    longest = re.search(r"\{0,(\d+)\}", BOOTSTRAP.document["Parameters"]["StackName"]["AllowedPattern"])
    assert longest
    stack = Resolved()
    made = [
        f"{name}Role"
        for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
        for name in stack.resources(kind)
    ]
    assert len(made) > 10
    assert max(int(longest[1]) + 1 + len(f"-{name}-") + 12 for name in made) <= 64


def test_the_codes_bucket_is_named_by_cloudformation() -> None:
    """A name of ours had 46 characters before the stack's name; S3 takes 63, and no capitals."""
    (bucket,) = (
        Resolved({**GIVEN, "StackName": "Platform-Deploy-Of-Our-Company"}, FILE).resources("AWS::S3::Bucket").values()
    )
    assert "BucketName" not in bucket
    assert BOOTSTRAP.outputs()["ArtifactsBucket"] == "<Artifacts>"


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


SECRETS = {name: each["Name"] for name, each in Resolved().resources("AWS::SecretsManager::Secret").items()}
LIKE_REAL = {
    "Table.Arn": arn("dynamodb", f"table/{STACK}-Table-1ABC"),
    "SlackSecret": arn("secretsmanager", f"secret:{SECRETS['SlackSecret']}-a1b2c3"),
    "GithubSecret": arn("secretsmanager", f"secret:{SECRETS['GithubSecret']}-a1b2c3"),
    "WebhookSecret": arn("secretsmanager", f"secret:{SECRETS['WebhookSecret']}-a1b2c3"),
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
