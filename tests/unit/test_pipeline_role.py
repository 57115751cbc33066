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


def statements() -> list[dict[str, Any]]:
    template = load_yaml((ROOT / "templates" / "pipeline-role.yaml").read_text("utf-8"))
    found: list[dict[str, Any]] = template["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]
    return found


def called() -> set[str]:
    """`service:Operation` for every AWS CLI command that a script runs."""
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / ".github" / "scripts").glob("*.py")))
    calls = re.findall(r'\baws\(\s*"([a-z0-9]+)",\s*"([a-z-]+)"', text)
    return {f"{PREFIX.get(service, service)}:{name.title().replace('-', '')}" for service, name in calls}


def test_every_call_of_a_script_is_allowed() -> None:
    allowed = {action for each in statements() for action in each["Action"]}
    assert len(called()) > 6, "the scripts' calls are found"
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permission is needed
    assert called() - {"sts:GetCallerIdentity"} <= allowed


def test_what_has_resources_names_them() -> None:
    for each in statements():
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
    may = Resolved({"Repository": "acme/shop", "EcsHookRoleName": given}, "templates/pipeline-role.yaml")
    (policy,) = may.resources("AWS::IAM::RolePolicy").values()
    to_ecs = {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    passing = [each for each in policy["PolicyDocument"]["Statement"] if each.get("Condition") == to_ecs]
    arn = f"arn:aws:iam::123456789012:role/{role}"
    assert iam_allows(passing, "iam:PassRole", arn) is allowed
    form = may.document["Parameters"]["EcsHookRoleName"]["AllowedPattern"]
    assert re.fullmatch(form, given)
    assert not re.fullmatch(form, "*"), "not every role"
