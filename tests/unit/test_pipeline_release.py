"""What the pipeline's release step asks of AWS, against a CLI that remembers and answers in ECS's shapes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
OLD = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout-api@sha256:" + "0" * 64
NEW = "123456789012.dkr.ecr.us-east-1.amazonaws.com/checkout-api@sha256:" + "1" * 64
FAMILY = "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api"
DEFINITION = {
    "taskDefinitionArn": f"{FAMILY}:7",
    "family": "checkout-api",
    "revision": 7,
    "status": "ACTIVE",
    "registeredAt": "2026-01-01T00:00:00Z",
    "registeredBy": "arn:aws:iam::123456789012:root",
    "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.ecr-auth"}],
    "compatibilities": ["EC2", "FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [
        {"name": "app", "image": OLD, "essential": True, "environment": [{"name": "A", "value": "b"}]},
        {"name": "sidecar", "image": "sidecar:1", "essential": False},
    ],
}


SERVICE = {
    "status": "ACTIVE",
    "taskDefinition": f"{FAMILY}:7",
    "deploymentConfiguration": {"minimumHealthyPercent": 100},
}
ANSWERS: dict[str, Any] = {
    "describe-services": {"services": [SERVICE]},
    "describe-task-definition": {"taskDefinition": DEFINITION, "tags": [{"key": "team", "value": "shop"}]},
    "register-task-definition": {"taskDefinition": {"taskDefinitionArn": f"{FAMILY}:8"}},
    "update-service": {},
    "get-caller-identity": {"Account": "123456789012"},
}
"""Of the AWS CLI, by its command."""


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import release  # type: ignore[import-not-found, unused-ignore]

    return release


ECS = {
    "ECS_CLUSTER_NAME": "checkout",
    "ECS_SERVICE_NAME": "checkout-api",
    "IMAGE": NEW,
    "AWS_REGION": "us-east-1",
    "GITHUB_REPOSITORY": "acme/checkout-api",
    "DEPLOYMENT_ID": "d-0123456789ab",
}


def program(folder: Path, text: str) -> None:
    """What the step finds as the AWS CLI in this folder."""
    (folder / "aws").write_text(text)
    (folder / "aws").chmod(0o755)


def step(folder: Path, cli: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The whole step, with this as its AWS CLI; its outputs are in the file `outputs`."""
    program(folder, cli)
    env = ECS | {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(folder / "outputs")} | more
    command = [sys.executable, str(SCRIPTS / "release.py")]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)


def test_the_settings_choose_who_releases_and_none_is_said_to_be_missing(release: Any) -> None:
    assert release.kind(ECS) is release.release_ecs.release
    assert (
        release.kind({"CODEDEPLOY_APP_NAME": "a", "CODEDEPLOY_GROUP_NAME": "b"}) is release.release_codedeploy.release
    )
    assert release.kind({"EC2_HOST": "h"}) is release.release_host.release
    with pytest.raises(release.Refused, match="Nothing says where to deploy"):
        release.kind({"ECS_CLUSTER_NAME": "only"})


def test_the_whole_step_writes_what_it_made_to_the_jobs_outputs(tmp_path: Path) -> None:
    done = step(tmp_path, f"#!{sys.executable}\nimport json, sys\nprint(json.dumps({ANSWERS!r}[sys.argv[2]]))\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "outputs").read_text() == f"task_definition={FAMILY}:8\nimage={NEW}\n"


def test_the_cli_tries_again_for_longer_than_it_would_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several targets that are deployed at once share ECS's rate. `aws` here is botocore, which the CLI is made of.
    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-retries.html"""
    asked = "{name: session.get_config_variable(name) for name in ('retry_mode', 'max_attempts')}"
    lines = ("import json, botocore.session", "session = botocore.session.get_session()", f"print(json.dumps({asked}))")
    program(tmp_path, "\n".join((f"#!{sys.executable}", *lines)) + "\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import runner  # type: ignore[import-not-found, unused-ignore]

    monkeypatch.delenv("AWS_MAX_ATTEMPTS", raising=False)
    assert runner.aws_cli("ecs", "x") == {"retry_mode": "standard", "max_attempts": 10}
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    program(tmp_path, "#!/bin/sh\necho $AWS_MAX_ATTEMPTS\n")
    assert runner.aws_cli("ecs", "x") == 4, "what the workflow sets counts"


def test_the_clis_own_words_stand_in_the_annotation(tmp_path: Path) -> None:
    done = step(tmp_path, "#!/bin/sh\necho 'An error occurred (AccessDenied)' >&2\nexit 254\n")
    failed = "aws sts get-caller-identity failed: An error occurred (AccessDenied)"
    assert (done.returncode, done.stdout) == (1, f"::error title=Release::{failed}\n")


def test_another_repositorys_image_is_not_released(tmp_path: Path) -> None:
    """Before anything is asked of ECS: what builds may not choose what runs."""
    cli = f'#!/bin/sh\necho "$2" >> {tmp_path}/asked\necho \'{{"Account": "123456789012"}}\'\n'
    done = step(tmp_path, cli, IMAGE=NEW.replace("checkout-api@", "evil@"))
    assert done.returncode == 1
    assert "/evil, and this environment deploys images of 123456789012.dkr.ecr" in done.stdout
    assert (tmp_path / "asked").read_text() == "get-caller-identity\n"
