"""templates/pipeline-role.yaml allows what the pipeline's scripts call, and names what it allows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from local.runtime.intrinsics import load_yaml

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
    assert called() <= allowed


def test_what_has_resources_names_them() -> None:
    for each in statements():
        if each["Resource"] == "*":
            assert set(each["Action"]) <= WITHOUT_RESOURCES, each["Sid"]
