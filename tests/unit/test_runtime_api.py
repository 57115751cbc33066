"""Lambda's Invoke API over HTTP: what an SDK and a state machine engine meet."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.runtime.api import split_reference
from local.runtime.endpoint import LambdaRuntime, ServiceFault
from local.runtime.template import Function, Template, function_arn

CODE = """
def handler(event, context):
    print("called")
    if event == "fail":
        raise LookupError("no")
    return {"event": event, "arn": context.invoked_function_arn, "version": context.function_version}
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaRuntime]:
    folder: Path = tmp_path_factory.mktemp("api") / "plan"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    with LambdaRuntime(Template(functions={"plan": Function("plan", folder, "app.handler", {}, 5)})) as running:
        yield running


@pytest.fixture(scope="module")
def client(runtime: LambdaRuntime) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=runtime.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def post(runtime: LambdaRuntime, path: str, body: Any, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", runtime.port, timeout=5)
    try:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request("POST", path, body, named, encode_chunked=not isinstance(body, bytes))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("reference", "arn", "version"),
    [
        ("plan", function_arn("plan"), "$LATEST"),
        ("plan:live", function_arn("plan:live"), "$LATEST"),
        ("123456789012:function:plan:7", function_arn("plan:7"), "7"),
        (function_arn("plan"), function_arn("plan"), "$LATEST"),
        (function_arn("plan:live"), function_arn("plan:live"), "$LATEST"),
    ],
)
def test_names_and_arns_with_and_without_qualifiers(client: Any, reference: str, arn: str, version: str) -> None:
    answer = client.invoke(FunctionName=reference, Payload=b'{"a": [1]}')
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, version)
    assert json.load(answer["Payload"]) == {"event": {"a": [1]}, "arn": arn, "version": version}


def test_a_qualifier_in_the_query_and_a_name_that_nobody_has(client: Any) -> None:
    answer = client.invoke(FunctionName="plan", Qualifier="7", Payload=b"1")
    assert json.load(answer["Payload"])["arn"] == function_arn("plan:7")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found: nobody"):
        client.invoke(FunctionName="nobody")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("p", ("p", "")), ("p:1", ("p", "1")), ("123456789012:p", ("p", "")), (function_arn("p:x"), ("p", "x"))],
)
def test_references(reference: str, expected: tuple[str, str]) -> None:
    assert split_reference(reference) == expected


def test_an_exception_is_200_with_function_error(client: Any) -> None:
    answer = client.invoke(FunctionName="plan", Payload=b'"fail"', LogType="Tail")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error = json.load(answer["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("LookupError", "no")
    assert b"LookupError: no" in base64.b64decode(answer["LogResult"])


@pytest.mark.parametrize(
    ("status", "code"), [(429, "TooManyRequestsException"), (500, "ServiceException"), (502, "EC2UnexpectedException")]
)
def test_service_faults_on_demand(runtime: LambdaRuntime, client: Any, status: int, code: str) -> None:
    runtime.faults = lambda name, event: ServiceFault(status, code)
    try:
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName="plan")
    finally:
        runtime.faults = None
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_event_invocation_is_202_and_runs_later(runtime: LambdaRuntime, client: Any) -> None:
    before = runtime.invocations["plan"]
    assert client.invoke(FunctionName="plan", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    deadline = time.monotonic() + 2
    while runtime.invocations["plan"] == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert runtime.invocations["plan"] == before + 1


def test_chunked_bodies_are_read(runtime: LambdaRuntime) -> None:
    chunks = iter([b'{"a":', b" 1}"])
    status, body = post(runtime, "/2015-03-31/functions/plan/invocations", chunks, Transfer_Encoding="chunked")
    assert (status, json.loads(body)["event"]) == (200, {"a": 1})


def test_what_is_no_invocation_is_refused(runtime: LambdaRuntime) -> None:
    invocations = "/2015-03-31/functions/plan/invocations"
    assert post(runtime, "/2015-03-31/functions/plan", b"{}")[0] == 404
    assert post(runtime, invocations, b"{not json")[0] == 400
    assert post(runtime, invocations, b" " * 6_291_557)[0] == 413
    assert post(runtime, invocations, b" " * 1_048_577, X_Amz_Invocation_Type="Event")[0] == 413
    assert post(runtime, invocations, b"")[0] == 200


def test_a_warm_call_takes_milliseconds(client: Any) -> None:
    client.invoke(FunctionName="plan", Payload=b"{}")
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        client.invoke(FunctionName="plan", Payload=b"{}")["Payload"].read()
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.03, "Nagle's algorithm would make each of them 0.04 s"
