"""What a function does while it starts: whatever is wrong around it, it starts, and its handler says what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatops import aws, ready
from chatops.settings.targets import targets
from tests.unit.conftest import ENVIRONMENT, _targets

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"
WRONG = {
    "nothing is set": {},
    "no region": {**ENVIRONMENT, "AWS_REGION": "", "AWS_DEFAULT_REGION": ""},
    "a region that is none": {**ENVIRONMENT, "AWS_REGION": "mars 1", "AWS_DEFAULT_REGION": "mars 1"},
    "no such language": {**ENVIRONMENT, "CHATOPS_LANG": "xx"},
    "no such log level": {**ENVIRONMENT, "LOG_LEVEL": "LOUD", "AWS_LAMBDA_LOG_LEVEL": "LOUDER"},
    "an endpoint that is none": {**ENVIRONMENT, "AWS_ENDPOINT_URL": "nonsense"},
    "retries that are no number": {**ENVIRONMENT, "AWS_MAX_ATTEMPTS": "many", "AWS_RETRY_MODE": "wild"},
    "no such profile": {**ENVIRONMENT, "AWS_PROFILE": "nowhere"},
    "no such targets": {**ENVIRONMENT, "CHATOPS_TARGETS_FILE": "/nowhere/targets.yaml"},
    "an App's id that is none": {**ENVIRONMENT, "GITHUB_APP_ID": "-1"},
    "no CA bundle": {**ENVIRONMENT, "AWS_CA_BUNDLE": "/nowhere.pem", "AWS_ENDPOINT_URL": "https://127.0.0.1:9"},
    "nobody has the secret": {**ENVIRONMENT, "AWS_ENDPOINT_URL": NOBODY, "CHATOPS_SLACK_SECRET_ARN": "secret"},
}
START = """
import json, runpy, sys
made = {}
for path in sys.argv[1:]:
    made[path.split("/")[1]] = runpy.run_path(path)["handler"]
event = {"headers": {"x-slack-request-timestamp": str(int(__import__("time").time())),
    "x-slack-signature": "v0=" + "0" * 64}, "requestContext": {}, "body": "command=/platform-deploy"}
print(json.dumps([sorted(made), made["slack"](event, None)["statusCode"]]))
"""
FUNCTIONS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("lambdas/*/app.py"))


def started(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Every function of the template, in one process that holds nothing but this environment."""
    made = {**environment, "PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/lambdas/shared"}
    for secret in ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN"):
        made.pop(secret, None)
    command = [sys.executable, "-c", START, *FUNCTIONS]
    return subprocess.run(command, cwd=ROOT, env=made, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("environment", WRONG.values(), ids=WRONG)
def test_every_function_starts_whatever_is_wrong_and_nobody_is_let_in_without_a_secret(
    environment: dict[str, str],
) -> None:
    done = started(environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[path.split("/")[1] for path in FUNCTIONS], 401]


def test_what_failed_at_the_start_is_tried_again(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ENDPOINT_URL", "nonsense")
    ready.prepare("dynamodb")
    assert aws.made.cache_info().currsize == 0
    environment.delenv("AWS_ENDPOINT_URL")
    assert aws.client("dynamodb").meta.region_name == "us-east-1"


def test_a_client_that_was_made_at_the_start_is_the_handlers(environment: pytest.MonkeyPatch) -> None:
    ready.prepare("dynamodb", "stepfunctions", patience=0.25)
    assert aws.made.cache_info().misses == 2
    assert aws.client("stepfunctions", patience=0.25) is aws.client("stepfunctions", region="", patience=0.25)
    assert aws.made.cache_info().misses == 2


def test_targets_that_were_read_at_the_start_are_the_handlers(environment: pytest.MonkeyPatch) -> None:
    """Lambda's runtime client puts each invocation's trace into the environment; a setting that changes counts."""
    environment.setenv("CHATOPS_TARGETS_FILE", str(ROOT / "targets.example.yaml"))
    ready.prepare()
    for trace in ("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700", "Root=1-5bef4de8-ad49b0e87f6ef6c87fc2e701"):
        environment.setenv("_X_AMZN_TRACE_ID", trace)
        targets()
    assert _targets.cache_info().misses == 1
    environment.setenv("SLACK_APPROVERS", "U0LEE0001")
    targets()
    assert _targets.cache_info().misses == 2
