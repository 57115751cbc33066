"""The services that are called without boto3 get the same requests from us as from botocore, and their answers, errors
and silence come to the same; botocore is asked side by side, at a server that says what a case wants it to say."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from chatops import aws, clock
from chatops.network.aws_json import AGAIN, SERVICES, TOKENS, Client, NoAnswerError, ServiceError
from chatops.network.signature import Credentials, signed
from tests.unit.conftest import environment

__all__ = ["environment"]

GROUP = {"applicationName": "a", "deploymentGroupName": "g"}
REVISION = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "zip", "eTag": "e"}}
CODE = Path(__file__).parents[2] / "lambdas" / "shared" / "chatops"
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "GetItem": ("dynamodb", "get_item", {"TableName": "t", "Key": {"pk": {"S": "é"}}, "ConsistentRead": True}),
    "PutItem": ("dynamodb", "put_item", {"TableName": "t", "Item": {"pk": {"S": "1"}, "n": {"N": "1"}}}),
    "Query": ("dynamodb", "query", {"TableName": "t", "KeyConditionExpression": "pk = :pk", "Limit": 1000}),
    "UpdateItem": ("dynamodb", "update_item", {"TableName": "t", "Key": {"pk": {"S": "1"}}, "ReturnValues": "ALL_NEW"}),
    "DeleteItem": ("dynamodb", "delete_item", {"TableName": "t", "Key": {"pk": {"S": "1"}}}),
    "TransactWriteItems": (
        "dynamodb",
        "transact_write_items",
        {"TransactItems": [{"Delete": {"TableName": "t", "Key": {"pk": {"S": "1"}}}}]},
    ),
    "StartExecution": (
        "stepfunctions",
        "start_execution",
        {"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m", "name": "d-1", "input": '{"a": "ü"}'},
    ),
    "DescribeExecution": (
        "stepfunctions",
        "describe_execution",
        {"executionArn": "arn:aws:states:us-east-1:1:execution:m:d-1"},
    ),
    "ListExecutions": (
        "stepfunctions",
        "list_executions",
        {"stateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m", "statusFilter": "RUNNING", "maxResults": 1000},
    ),
    "SendTaskSuccess": ("stepfunctions", "send_task_success", {"taskToken": "t" * 40, "output": "{}"}),
    "GetSecretValue": ("secretsmanager", "get_secret_value", {"SecretId": "arn:slack"}),
    "PutEvents": ("events", "put_events", {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
    "DescribeServices": ("ecs", "describe_services", {"cluster": "c", "services": ["s"]}),
    "ListServiceDeployments": ("ecs", "list_service_deployments", {"cluster": "c", "service": "s", "maxResults": 20}),
    "DescribeServiceDeployments": ("ecs", "describe_service_deployments", {"serviceDeploymentArns": ["arn"]}),
    "DescribeServiceRevisions": ("ecs", "describe_service_revisions", {"serviceRevisionArns": ["arn"]}),
    "DescribeTaskDefinition": ("ecs", "describe_task_definition", {"taskDefinition": "t:1", "include": ["TAGS"]}),
    "ListTasks": ("ecs", "list_tasks", {"cluster": "c", "serviceName": "s", "desiredStatus": "RUNNING"}),
    "DescribeTasks": ("ecs", "describe_tasks", {"cluster": "c", "tasks": ["arn"]}),
    "UpdateService": ("ecs", "update_service", {"cluster": "c", "service": "s", "taskDefinition": "t:1"}),
    "StopServiceDeployment": (
        "ecs",
        "stop_service_deployment",
        {"serviceDeploymentArn": "arn", "stopType": "ROLLBACK"},
    ),
    "ContinueServiceDeployment": (
        "ecs",
        "continue_service_deployment",
        {"serviceDeploymentArn": "arn", "hookId": "h", "action": "CONTINUE"},
    ),
    "GetDeployment": ("codedeploy", "get_deployment", {"deploymentId": "d-1"}),
    "ListDeployments": (
        "codedeploy",
        "list_deployments",
        {**GROUP, "createTimeRange": {"start": 1_790_000_000}, "nextToken": "n"},
    ),
    "BatchGetDeployments": ("codedeploy", "batch_get_deployments", {"deploymentIds": ["d-1"]}),
    "GetDeploymentGroup": ("codedeploy", "get_deployment_group", GROUP),
    "ListDeploymentTargets": ("codedeploy", "list_deployment_targets", {"deploymentId": "d-1"}),
    "BatchGetDeploymentTargets": (
        "codedeploy",
        "batch_get_deployment_targets",
        {"deploymentId": "d-1", "targetIds": ["a"]},
    ),
    "GetDeploymentConfig": ("codedeploy", "get_deployment_config", {"deploymentConfigName": "one"}),
    "StopDeployment": ("codedeploy", "stop_deployment", {"deploymentId": "d-1", "autoRollbackEnabled": True}),
    "ContinueDeployment": (
        "codedeploy",
        "continue_deployment",
        {"deploymentId": "d-1", "deploymentWaitType": "READY_WAIT"},
    ),
    "CreateDeployment": ("codedeploy", "create_deployment", {**GROUP, "revision": REVISION, "description": "é"}),
    "GetApplicationRevision": (
        "codedeploy",
        "get_application_revision",
        {"applicationName": "a", "revision": REVISION},
    ),
}
"""All that the functions ask without boto3."""
NAMED = {
    "PutItem": ("ConditionalCheckFailedException", "TransactionCanceledException"),
    "TransactWriteItems": ("TransactionCanceledException",),
    "StartExecution": ("ExecutionAlreadyExists",),
    "DescribeExecution": ("ExecutionDoesNotExist",),
    "CreateDeployment": ("DeploymentLimitExceededException",),
}
"""The errors that are caught by their names."""
REASONS = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "1"}}}]
ERRORS: dict[str, tuple[str, int, dict[str, Any], dict[str, str]]] = {
    "a condition, with the item": (
        "PutItem",
        400,
        {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": {"pk": {"S": "1"}}},
        {},
    ),
    "a transaction, with reasons": (
        "TransactWriteItems",
        400,
        {"__type": "x#TransactionCanceledException", "CancellationReasons": REASONS, "Message": "no"},
        {},
    ),
    "a name without a namespace": ("StartExecution", 400, {"__type": "ExecutionAlreadyExists", "message": "no"}, {}),
    "a header, which is of other protocols": (
        "DescribeExecution",
        400,
        {"message": "no"},
        {"x-amzn-errortype": "ExecutionDoesNotExist:http://internal.amazon.com/"},
    ),
    "a name that is none": ("GetItem", 400, {"__type": "x#Some-thing.New"}, {}),
    "none at all": ("GetItem", 403, {}, {}),
    "throttled": ("GetItem", 400, {"__type": "x#ProvisionedThroughputExceededException", "message": "slower"}, {}),
    "asked to come back": ("GetSecretValue", 429, {"__type": "x#SomethingNew"}, {}),
    "an error of the service's": ("GetItem", 500, {"__type": "x#InternalServerError"}, {}),
    "a gateway": ("GetItem", 503, {}, {}),
    "a status that nobody repeats": ("GetItem", 501, {}, {}),
    "busy": ("CreateDeployment", 400, {"__type": "DeploymentLimitExceededException", "message": "no"}, {}),
    "another update": ("UpdateService", 400, {"__type": "UpdateInProgressException", "message": "wait"}, {}),
    "a service that fails": ("DescribeServices", 500, {"__type": "ServerException", "message": "oh"}, {}),
    "refused": ("GetSecretValue", 400, {"__type": "AccessDeniedException", "Message": "no"}, {}),
}


class Server(ThreadingHTTPServer):
    """`says`: status, body and headers of each answer, in order; the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.says: list[tuple[int, bytes, dict[str, str]]] = [(200, b"{}", {})]
        self.came: list[tuple[str, dict[str, str], Any]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
        says = self.server.says
        status, text, headers = says.pop(0) if len(says) > 1 else says[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), "x-amzn-RequestId": "r-1", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(environment: pytest.MonkeyPatch) -> Iterator[Server]:
    environment.setattr("time.sleep", lambda _seconds: None)
    environment.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of whoever asked first
    with Server() as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        environment.setenv("AWS_ENDPOINT_URL", made.url)
        environment.setenv("AWS_SESSION_TOKEN", "a token")
        yield made
        made.shutdown()


def both(environment: pytest.MonkeyPatch, service: str, patience: float = 1.0) -> tuple[Any, Any]:
    """Ours, and botocore's with the same settings."""
    theirs = aws.client(service, patience=patience)
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "work")
    aws.made.cache_clear()
    ours = aws.client(service, patience=patience)
    assert isinstance(ours, Client)
    assert not isinstance(theirs, Client)
    return ours, theirs


@pytest.mark.parametrize("call", CALLS)
def test_a_request_is_what_botocore_would_send(call: str, server: Server, environment: pytest.MonkeyPatch) -> None:
    service, method, parameters = CALLS[call]
    environment.setenv("_X_AMZN_TRACE_ID", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
    for client in both(environment, service):
        getattr(client, method)(**parameters)
    (path, our_headers, our_body), (their_path, their_headers, their_body) = server.came
    assert path == their_path
    if name := TOKENS.get(call):
        assert 32 <= len(our_body.pop(name)) <= len(their_body.pop(name)) == 36
    assert our_body == their_body == parameters
    same = ["host", "content-type", "x-amz-target", "x-amz-security-token", "x-amzn-trace-id"]
    if not name:  # a token of ours is shorter
        same.append("content-length")
    assert [our_headers.get(name) for name in same] == [their_headers.get(name) for name in same]
    assert our_headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")


def _botocores(headers: dict[str, str], body: bytes, by: Credentials, region: str, name: str, at: str) -> str:
    request = AWSRequest("POST", f"https://{headers['Host']}/", headers=headers, data=body)
    with pytest.MonkeyPatch.context() as patch:
        moment = dt.datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        patch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None))
        SigV4Auth(TheirCredentials(by.key, by.secret, by.token or None), name, region).add_auth(request)
    assert request.headers["X-Amz-Date"] == at
    return str(request.headers["Authorization"])


TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(
    host=st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "127.0.0.1:4566"]),
    target=st.lists(TEXT, min_size=1, max_size=3).map("  ".join),
    body=st.binary(max_size=200),
    by=st.builds(Credentials, TEXT, TEXT, st.just("") | TEXT),
    region=st.sampled_from(["us-east-1", "cn-north-1"]),
    name=st.sampled_from(["dynamodb", "states", "secretsmanager"]),
    at=st.datetimes(timezones=st.just(dt.UTC)).filter(lambda at: at.year > 1999).map(lambda at: f"{at:%Y%m%dT%H%M%SZ}"),
)
def test_a_signature_is_botocores(
    host: str, target: str, body: bytes, by: Credentials, region: str, name: str, at: str
) -> None:
    headers = {"Host": host, "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
    assert signed(headers, body, by, region, name, at)["Authorization"] == _botocores(
        headers, body, by, region, name, at
    )


def _outcome(client: Any, call: str) -> tuple[Any, ...]:
    _, method, parameters = CALLS[call]
    try:
        found = getattr(client, method)(**parameters)
    except (ServiceError, ClientError) as error:
        about = error.response["ResponseMetadata"]
        members = {k: v for k, v in error.response.items() if k in ("CancellationReasons", "Item")}
        code = error.response["Error"]
        named = [name for name in NAMED.get(call, ()) if isinstance(error, getattr(client.exceptions, name))]
        how = aws.error_code(error), aws.is_transient(error), named, isinstance(error, client.exceptions.ClientError)
        return (code["Code"], code["Message"], about["HTTPStatusCode"], about["RequestId"], members, *how)
    except (NoAnswerError, BotoCoreError) as error:
        return "no answer", aws.error_code(error), aws.is_transient(error)
    return ("found", {k: v for k, v in found.items() if k != "ResponseMetadata"})


@pytest.mark.parametrize("patience", [1.0, 0.25])
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_comes_to_the_same_after_as_many_tries(
    error: str, patience: float, server: Server, environment: pytest.MonkeyPatch
) -> None:
    call, status, body, headers = ERRORS[error]
    server.says = [(status, json.dumps(body).encode(), headers)]
    found, tries = [], []
    for client in both(environment, CALLS[call][0], patience):
        found.append(_outcome(client, call))
        tries.append(len(server.came))
        server.came.clear()
    assert found[0] == found[1]
    assert tries[0] == tries[1]


ANSWERS: dict[str, tuple[str, Any]] = {
    "an item": ("GetItem", {"Item": {"pk": {"S": "1"}, "nothing": {"NULL": True}}}),
    "times": (
        "GetDeployment",
        {"deploymentInfo": {"deploymentId": "d-1", "createTime": 1790000000.123, "completeTime": 1790000100}},
    ),
    "members that are null": (
        "GetDeploymentGroup",
        {"deploymentGroupInfo": {"lastAttemptedDeployment": None, "targetRevision": {"s3Location": None}}},
    ),
    "null in a list's members": ("DescribeServices", {"services": [{"status": "ACTIVE", "roleArn": None}]}),
}


def _in_seconds(found: Any) -> Any:
    """With times as numbers."""
    if isinstance(found, dict):
        return {name: _in_seconds(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_in_seconds(value) for value in found]
    return clock.seconds(found) if isinstance(found, dt.datetime) else found


@pytest.mark.parametrize(("call", "body"), [("GetItem", None), *ANSWERS.values()], ids=["nothing", *ANSWERS])
def test_an_answer_comes_to_the_same(call: str, body: Any, server: Server, environment: pytest.MonkeyPatch) -> None:
    server.says = [(200, json.dumps(body).encode() if body else b"", {})]
    ours, theirs = (_outcome(client, call) for client in both(environment, CALLS[call][0]))
    assert _in_seconds(ours) == _in_seconds(theirs)


@pytest.mark.parametrize("body", [b"no JSON", b"[]"])
def test_what_is_no_answer_is_not_taken_for_an_empty_one(
    body: bytes, server: Server, environment: pytest.MonkeyPatch
) -> None:
    """botocore takes a text for one, and stumbles over a list."""
    server.says = [(200, body, {})]
    ours, _ = both(environment, "dynamodb", 0.25)
    assert _outcome(ours, "GetItem") == ("no answer", "", True)


def test_an_answer_with_a_wrong_checksum_is_asked_for_again(server: Server, environment: pytest.MonkeyPatch) -> None:
    body = b'{"Item": {"pk": {"S": "1"}}}'
    right = zlib.crc32(body)
    for client in both(environment, "dynamodb"):
        server.came.clear()
        server.says = [(200, body, {"x-amz-crc32": str(right + 1)}), (200, body, {"x-amz-crc32": str(right)})]
        assert _outcome(client, "GetItem") == ("found", {"Item": {"pk": {"S": "1"}}})
        assert len(server.came) == 2


@pytest.mark.parametrize("patience", [1.0, 0.25])
def test_where_nobody_answers_both_ask_as_often(patience: float, environment: pytest.MonkeyPatch) -> None:
    environment.setattr("time.sleep", lambda _seconds: None)
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken = listening.accept()[0]
                    connections.append(taken)
                    taken.recv(65536)
                    taken.close()

        threading.Thread(target=take, daemon=True).start()
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
        found, asked = [], []
        for client in both(environment, "dynamodb", patience):
            found.append(_outcome(client, "GetItem"))
            asked.append(len(connections))
            connections.clear()
        listening.shutdown(socket.SHUT_RDWR)
    assert found[0] == found[1] == ("no answer", "", True)
    assert asked[0] == asked[1] == (3 if patience == 1 else 1)


def test_a_transaction_that_is_sent_again_carries_the_same_token(
    server: Server, environment: pytest.MonkeyPatch
) -> None:
    server.says = [(500, b"{}", {}), (200, b"{}", {}), (200, b"{}", {})]
    ours, _ = both(environment, "dynamodb")
    for _ in range(2):
        ours.transact_write_items(TransactItems=[])
    first, again, another = (body["ClientRequestToken"] for _, _, body in server.came)
    assert first == again != another


def test_services_and_operations_are_as_botocore_describes_them() -> None:
    loader = botocore.session.get_session().get_service_model
    for name, ours in SERVICES.items():
        theirs = loader(name)
        assert (ours.name, ours.target, ours.version) == (
            theirs.signing_name,
            theirs.metadata["targetPrefix"],
            theirs.metadata["jsonVersion"],
        )
        assert ours.variable == str(theirs.service_id).upper().replace(" ", "_")
    for operation, (service, _, _) in CALLS.items():
        described = loader(service).operation_model(operation)
        assert (described.http["method"], described.http["requestUri"]) == ("POST", "/")
        assert [*described.idempotent_members] == [*filter(None, [TOKENS.get(operation)])]
        assert "host" not in (described.endpoint or {})


def test_every_operation_that_the_product_calls_is_held_here() -> None:
    made = "\n".join(file.read_text("utf-8") for file in sorted(CODE.rglob("*.py")))
    known = {
        (service, method)
        for service in SERVICES
        for method in map(xform_name, botocore.session.get_session().get_service_model(service).operation_names)
        if re.search(rf"\.{method}\b", made)
    }
    assert known == {(service, method) for service, method, _ in CALLS.values()}


def test_what_is_tried_again_is_what_botocore_tries_again() -> None:
    from botocore.retries import standard

    theirs = {
        *standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
        *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
    }
    assert theirs == AGAIN


PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b")
REGIONS = sorted({r for p in PARTITIONS for r in boto3.Session().get_available_regions("dynamodb", p)})


@pytest.mark.parametrize("service", SERVICES)
def test_an_address_is_botocores_in_every_region(service: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "work")
    left = set()
    for region in REGIONS:
        environment.setenv("AWS_DEFAULT_REGION", region)
        aws.made.cache_clear()
        made = aws._place(SERVICES[service])
        if made is None:
            left.add(region.split("-")[1])
            continue
        assert made[0] == boto3.client(service).meta.endpoint_url
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        assert aws._place(SERVICES[service], region) == made, "asked for, and not where the function runs"
    assert left <= {"iso", "isob", "isoe", "isof"}


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"AWS_ENDPOINT_URL": "http://one:4566"}, "http://one:4566"),
        ({"AWS_ENDPOINT_URL": "http://one:4566", "AWS_ENDPOINT_URL_SFN": "http://two:1/"}, "http://two:1/"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://two:1"}, "https://states.us-east-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://one:4566/path"}, None),
        ({"AWS_ENDPOINT_URL": "https://one:443"}, None),
        ({"AWS_ENDPOINT_URL": "http://[::1]:4566"}, None),
        ({"AWS_ENDPOINT_URL": "nonsense"}, None),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, None),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, None),
        ({"https_proxy": "http://proxy:3128"}, None),
        ({"AWS_PROFILE": "mine"}, None),
        ({"AWS_ACCOUNT_ID": "123456789012"}, None),
        ({"AWS_ACCESS_KEY_ID": ""}, None),
        ({"AWS_DEFAULT_REGION": ""}, None),
        ({"AWS_LAMBDA_FUNCTION_NAME": ""}, None),
    ],
)
def test_what_only_botocore_knows_is_left_to_it(
    variables: dict[str, str], address: str | None, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "work")
    for name, value in variables.items():
        environment.setenv(name, value)
    found = aws._place(SERVICES["stepfunctions"])
    assert (found and found[0]) == address
    if address:
        assert address.rstrip("/") == boto3.client("stepfunctions").meta.endpoint_url.rstrip("/")


def test_roles_and_other_services_are_left_to_boto3(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "work")
    assert isinstance(aws.client("dynamodb"), Client)
    assert isinstance(aws.client("ecs", region="eu-west-1"), Client)
    role = "arn:aws:iam::210987654321:role/deploys"
    for client in (aws.client("ecs", region="eu-west-1", role_arn=role), aws.client("sts")):
        assert not isinstance(client, Client)
