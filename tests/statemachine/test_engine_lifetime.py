"""The embedded engine's beginning and end: one after the other, and nothing left of any."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.driver import Driver
from local.engine import EmbeddedEngine
from local.scenarios import ALL
from local.session import session
from tests.statemachine import checks
from tests.statemachine.bench import ROLE, Bench, Functions, bench

ROOT = Path(__file__).resolve().parents[2]


def clients(url: str) -> Any:
    where = {"endpoint_url": url, "region_name": "us-east-1"}
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return (boto3.client(name, **where, **keys) for name in ("stepfunctions", "dynamodb", "secretsmanager"))


def test_engines_follow_each_other_and_start_empty() -> None:
    for _ in range(3):
        before = threading.active_count()
        with bench() as on:
            sfn, dynamodb, secrets = clients(on.url)
            assert sfn.list_state_machines()["stateMachines"] == []
            assert dynamodb.list_tables()["TableNames"] == []
            assert secrets.list_secrets()["SecretList"] == []
            keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
            kinds = [{"AttributeName": "pk", "AttributeType": "S"}]
            dynamodb.create_table(
                TableName="t", KeySchema=keys, AttributeDefinitions=kinds, BillingMode="PAY_PER_REQUEST"
            )
            secrets.create_secret(Name="s", SecretString="{}")
            on.start({"A": on.token_task("open", TimeoutSeconds=3000)})
            on.functions.token("open")
            on.start({"A": {"Type": "Wait", "Seconds": 500000, "End": True}})
        deadline = time.monotonic() + 2
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() <= before, threading.enumerate()


def test_two_engines_at_once_are_refused() -> None:
    with bench(), pytest.raises(RuntimeError, match="close it first"):
        EmbeddedEngine("http://127.0.0.1:9")
    EmbeddedEngine("http://127.0.0.1:9").close()


def test_a_port_can_be_asked_for_and_one_in_use_leaves_nothing_behind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            EmbeddedEngine("http://127.0.0.1:9", port=port)
    with EmbeddedEngine("http://127.0.0.1:9", port=port) as engine:
        assert engine.url == f"http://127.0.0.1:{port}"


def test_moto_is_as_before() -> None:
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend
    from moto.stepfunctions.responses import StepFunctionResponse

    def functions() -> list[Any]:
        return [*vars(StepFunctionResponse).values(), *vars(StepFunctionsParserBackend).values()]

    before = functions()
    with bench():
        assert functions() != before
    assert functions() == before


def test_other_services_are_refused() -> None:
    with bench() as on:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        ecs = boto3.client("ecs", endpoint_url=on.url, **keys)
        with pytest.raises(ClientError, match="not a service of this engine"):
            ecs.list_clusters()


@pytest.mark.slow
def test_the_engine_in_a_process_of_its_own_ends_with_ctrl_c() -> None:
    command = [sys.executable, "-m", "local.engine", "0", "http://127.0.0.1:9", "0.5"]
    engine = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert engine.stdout
    url = engine.stdout.readline().split(" at ")[1].partition(";")[0]
    sfn, *_ = clients(url)
    assert sfn.list_state_machines()["stateMachines"] == []
    engine.send_signal(signal.SIGINT)
    _, errors = engine.communicate(timeout=10)
    assert (engine.returncode, errors) == (0, "")
    usage = subprocess.run([sys.executable, "-m", "local.engine"], capture_output=True, text=True, cwd=ROOT)
    assert usage.returncode == 2
    assert "python -m local.engine PORT LAMBDA_URL" in usage.stderr


@pytest.mark.slow
def test_the_flow_runs_on_an_engine_like_step_functions_local() -> None:
    """In a process of its own, with what that one refuses or does not say: the suite is held to it here."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "local.engine", "0", f"http://127.0.0.1:{port}", "0.02", "older"]
    engine = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert engine.stdout
    url = engine.stdout.readline().split(" at ")[1].partition(";")[0]
    try:
        sfn, *_ = clients(url)
        newer = {"ErrorEquals": ["E"], "MaxDelaySeconds": 5}
        state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Retry": [newer], "End": True}
        text = json.dumps({"StartAt": "A", "States": {"A": state}})
        with pytest.raises(ClientError, match=r"InvalidDefinition.*MaxDelaySeconds"):
            sfn.create_state_machine(name="newer", definition=text, roleArn=ROLE)
        with session(engine=url, lambda_port=port, speed=50, targets=ALL["build-fails"].targets()) as made:
            driver = Driver(made)
            ALL["build-fails"].play(driver)
            assert driver.end() == "Build Failed"
            assert "error" not in made.describe(driver.arn)
            checks.all_hold(made)
    finally:
        engine.terminate()
        engine.communicate(timeout=10)


def test_the_scale_of_waits_changes_while_the_engine_runs() -> None:
    """A Wait of 300 s takes 300 s at 1, and none to speak of at 0.0001."""
    functions = Functions()
    try:
        with EmbeddedEngine(functions.url, 1.0) as engine:
            on = Bench(engine.url, functions)
            machine = on.create({"A": {"Type": "Wait", "Seconds": 300, "End": True}})
            waiting = on.start(machine)
            assert on.sfn.describe_execution(executionArn=waiting)["status"] == "RUNNING"
            engine.wait_time_scale = 0.0001
            assert on.run(machine)["status"] == "SUCCEEDED"
            assert on.sfn.describe_execution(executionArn=waiting)["status"] == "RUNNING"
    finally:
        functions.close()
