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
import json, os, runpy, sys, time
import boto3, requests, slack_sdk  # the parent holds what everybody imports and nobody sets
for name, environment in json.load(sys.stdin).items():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    os.environ.clear()
    os.environ.update(environment)
    made = {path.split("/")[1]: runpy.run_path(path)["handler"] for path in sys.argv[1:]}
    event = {"headers": {"x-slack-request-timestamp": str(int(time.time())),
        "x-slack-signature": "v0=" + "0" * 64}, "requestContext": {}, "body": "command=/platform-deploy"}
    print("started", json.dumps([name, sorted(made), made["slack"](event, None)["statusCode"]]), flush=True)
    os._exit(0)
"""
FUNCTIONS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("lambdas/*/app.py"))


def test_every_function_starts_whatever_is_wrong_and_nobody_is_let_in_without_a_secret() -> None:
    """Every function of the template, in a process that holds nothing but the environment."""
    secrets = ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN")
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/lambdas/shared"}
    given = {name: {k: v for k, v in (each | kept).items() if k not in secrets} for name, each in WRONG.items()}
    command = [sys.executable, "-c", START, *FUNCTIONS]
    done = subprocess.run(command, cwd=ROOT, env=kept, input=json.dumps(given), capture_output=True, text=True)
    found = [json.loads(line[8:]) for line in done.stdout.splitlines() if line.startswith("started ")]
    functions = [path.split("/")[1] for path in FUNCTIONS]
    assert found == [[name, functions, 401] for name in WRONG], done.stderr


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
