"""What does not fit the service is refused with the build, before anybody is asked to approve it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatops.domain.plan import Plan
from chatops.domain.release import Release
from chatops.domain.results import StageResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms.ecs import Ecs as Platform
from chatops.steps.build_result import fitting
from fakes.ecs import Ecs
from fakes.ecs.names import HERE
from tests.unit.test_service_statuses import ecs

__all__ = ["ecs"]

TARGET = Target("prod", "acme/shop", "prod_deploy", cluster="checkout", service="checkout-api")
IMAGE = "registry/app@sha256:" + "1" * 64


def judged(outputs: Outputs, plan: Plan, target: Target = TARGET, state: str = "succeeded") -> tuple[str, str]:
    found = fitting(StageResult(stage="build", state=state, done=True, outputs=outputs), plan, target)
    return found.state, found.why.reason.key if found.why else ""


@pytest.mark.parametrize(
    ("architecture", "platform", "fits"),
    [
        ("ARM64", "linux/arm64", True),
        ("ARM64", "linux/amd64", False),
        ("X86_64", "linux/amd64", True),
        ("X86_64", "linux/arm64", False),
        ("X86_64", "linux/arm64/v8", False),
        ("ARM64", "linux/arm64/v8", True),
        ("", "linux/arm64", True),
        ("ARM64", "", True),
        ("RISCV", "linux/amd64", True),
    ],
)
def test_an_image_for_other_processors_is_refused_where_both_are_known(
    architecture: str, platform: str, fits: bool
) -> None:
    """https://github.com/aws-samples/sample-sonic-cdk-agent/issues/28"""
    found = judged(Outputs(image=IMAGE, platform=platform), Plan(architecture=architecture))
    assert found == (("succeeded", "") if fits else ("failed", "why_other_platform"))


RUNS_ONE = Plan(live=Release("v1", image=IMAGE))


@pytest.mark.parametrize(
    ("plan", "claim", "state", "found"),
    [
        (RUNS_ONE, True, "succeeded", ("failed", "why_no_image")),
        (Plan(live=Release("v1")), True, "succeeded", ("succeeded", "")),
        (Plan(), True, "succeeded", ("succeeded", "")),
        # other pipelines and other ends are left as they are
        (RUNS_ONE, False, "succeeded", ("succeeded", "")),
        (RUNS_ONE, True, "failed", ("failed", "")),
    ],
)
def test_a_build_without_an_image_is_refused_where_the_service_runs_one(
    plan: Plan, claim: bool, state: str, found: tuple[str, str]
) -> None:
    assert judged(Outputs(), plan, replace(TARGET, claim=claim), state) == found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}, "ARM64"),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "X86_64"),
        ({"runtimePlatform": {"operatingSystemFamily": "LINUX"}}, "X86_64"),
        ({}, "X86_64"),
        ({"requiresCompatibilities": ["EC2"]}, ""),
    ],
)
def test_the_architecture_is_the_task_definitions(ecs: Ecs, body: dict[str, Any], said: str) -> None:
    made = ecs.register_task_definition("registry/app:v1")
    definition = ecs._at(HERE).definition(made)
    assert definition is not None
    definition.body |= body
    assert Platform(TARGET).architecture(Release("v1", task_definition=made)) == said
    assert Platform(TARGET).architecture(Release("v1", task_definition="gone:1")) == ""
