"""templates/pipeline-role.yaml allows what the pipeline's scripts call, and names what it allows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from local.runtime.intrinsics import load_yaml
from tests.unit.iam import allowed as iam_allows
from tests.unit.resolved_template import Resolved

ROOT = Path(__file__).resolve().parents[2]
PREFIX = {"deploy": "codedeploy", "s3api": "s3"}
WITHOUT_RESOURCES = {"ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"}


def statements(policy: str = "Policy") -> list[dict[str, Any]]:
    """Of the role that deploys, or of the one that builds (BuildPolicy)."""
    template = load_yaml((ROOT / "templates" / "pipeline-role.yaml").read_text("utf-8"))
    found: list[dict[str, Any]] = template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    return found


def actions(policy: str) -> set[str]:
    return {action for each in statements(policy) for action in each["Action"]}


def called() -> set[str]:
    """`service:Operation` for every AWS CLI command that a script runs."""
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / ".github" / "scripts").glob("*.py")))
    calls = re.findall(r'\baws\(\s*"([a-z0-9]+)",\s*"([a-z-]+)"', text)
    return {f"{PREFIX.get(service, service)}:{name.title().replace('-', '')}" for service, name in calls}


def test_every_call_of_a_script_is_allowed() -> None:
    allowed = actions("Policy")
    assert len(called()) > 6, "the scripts' calls are found"
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is needed
    assert called() - {"sts:GetCallerIdentity"} <= allowed


def test_who_builds_may_push_to_one_repository_and_who_deploys_may_not() -> None:
    """The list is ECR's own: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"""
    push = "CompleteLayerUpload UploadLayerPart InitiateLayerUpload BatchCheckLayerAvailability PutImage BatchGetImage"
    assert actions("BuildPolicy") == {f"ecr:{name}" for name in (*push.split(), "GetAuthorizationToken")}
    assert not any(action.startswith("ecr:") for action in actions("Policy"))
    given = {"Repository": "acme@1/shop@2", "EcrRepository": "shop"}
    policies = Resolved(given, "templates/pipeline-role.yaml").resources("AWS::IAM::RolePolicy")
    build = policies["BuildPolicy"]["PolicyDocument"]["Statement"]
    place = "arn:aws:ecr:eu-west-1:123456789012:repository"
    assert iam_allows(build, "ecr:PutImage", f"{place}/shop")
    assert not iam_allows(build, "ecr:PutImage", f"{place}/shop2")


def test_what_has_resources_names_them() -> None:
    for each in (*statements(), *statements("BuildPolicy")):
        if each["Resource"] == "*":
            assert set(each["Action"]) <= WITHOUT_RESOURCES, each["Sid"]


@pytest.mark.parametrize(
    ("given", "role", "allowed"),
    [
        ("ecs-hooks", "ecs-hooks", True),
        ("ecs-hooks", "ecs-hooks-2", False),
        ("service-role/hooks", "service-role/hooks", True),
        ("ecs-hooks-*", "ecs-hooks-smoke", True),
        ("ecs-hooks-*", "Admin", False),
        ("none", "ecs-hooks", False),
    ],
)
def test_the_services_own_hooks_may_be_sent_with_a_strategy(given: str, role: str, allowed: bool) -> None:
    """The strategy goes with `lifecycleHooks`, each with the role with which ECS calls its function."""
    may = Resolved({"Repository": "acme@1/shop@2", "EcsHookRoleName": given}, "templates/pipeline-role.yaml")
    policy = may.resources("AWS::IAM::RolePolicy")["Policy"]
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    passing = [each for each in policy["PolicyDocument"]["Statement"] if each.get("Condition") == to_ecs]
    arn = f"arn:aws:iam::123456789012:role/{role}"
    assert iam_allows(passing, "iam:PassRole", arn) is allowed
    form = may.document["Parameters"]["EcsHookRoleName"]["AllowedPattern"]
    assert re.fullmatch(form, given)
    assert not re.fullmatch(form, "*"), "not every role"
