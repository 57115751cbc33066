"""The services of AWS that are called by JSON over POST, as boto3 would call them, without boto3.

boto3 takes six hundred million instructions to import, a client a hundred more, in each new process: most of what a
function's first call cost. What is sent, what is tried again, and what errors look like is botocore's; contract tests
hold it. Times stay what they are in JSON, epoch seconds (`clock.seconds` reads both).
https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import json
import os
import random
import time
import zlib
from functools import partial
from http.client import HTTPException
from typing import Any

from chatops.network.kept import Answer, Kept
from chatops.network.signature import Credentials, signed
from chatops.values import dataclass

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """`name`: in addresses and signatures; `target`: before an operation's name; `version`: of the protocol;
    `variable`: its part of `AWS_ENDPOINT_URL_…`."""

    name: str
    target: str
    version: str
    variable: str


SERVICES = {
    "codedeploy": Service("codedeploy", "CodeDeploy_20141006", "1.1", "CODEDEPLOY"),
    "dynamodb": Service("dynamodb", "DynamoDB_20120810", "1.0", "DYNAMODB"),
    "ecs": Service("ecs", "AmazonEC2ContainerServiceV20141113", "1.1", "ECS"),
    "events": Service("events", "AWSEvents", "1.1", "EVENTBRIDGE"),
    "secretsmanager": Service("secretsmanager", "secretsmanager", "1.1", "SECRETS_MANAGER"),
    "stepfunctions": Service("states", "AWSStepFunctions", "1.0", "SFN"),
}
"""By boto3's names."""

TOKENS = {"TransactWriteItems": "ClientRequestToken"}
"""Parameters that make an operation idempotent, which botocore fills in as well."""

AGAIN = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Error codes after which botocore tries again (a test compares).
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html"""
_STATUSES = frozenset({429, 500, 502, 503, 504})


class ServiceError(Exception):
    """The service refused, or failed. `response` is like that of botocore's ClientError."""

    def __init__(self, response: Json, operation_name: str) -> None:
        self.response, self.operation_name = response, operation_name
        error = response["Error"]
        super().__init__(f"{error['Code']} of {operation_name}: {error['Message']}")


class NoAnswerError(Exception):
    """No answer came, or none that could be read."""

    def __init__(self, reason: str, operation_name: str) -> None:
        self.operation_name = operation_name
        super().__init__(f"no answer to {operation_name}: {reason}")


def read(body: bytes) -> Any:
    """An answer, without members that are null: botocore leaves them out as well. Raises ValueError for no JSON."""
    return json.loads(body or b"{}", object_hook=_known if b"null" in body else None)


def _known(found: Json) -> Json:
    return {name: value for name, value in found.items() if value is not None}


class _Exceptions:
    """`client.exceptions.<code>` as boto3's clients have it; `ClientError` is all of them."""

    ClientError = ServiceError

    def __getattr__(self, code: str) -> type[ServiceError]:
        made = type(code, (ServiceError,), {})
        setattr(self, code, made)
        return made


class Client:
    """One service at `url`; `get_item(**parameters)` calls GetItem. Raises ServiceError or NoAnswerError. `connect`,
    `read`: seconds; `attempts`: how often a call is made where another try may help."""

    exceptions = _Exceptions()

    def __init__(
        self, service: Service, url: str, region: str, by: Credentials, connect: float, read: float, attempts: int
    ) -> None:
        self._service, self._region, self._by, self._attempts = service, region, by, attempts
        self._host = url.partition("://")[2].rstrip("/")
        self._kept = Kept(url, connect, read)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._call, "".join(part.capitalize() for part in name.split("_")))

    def _call(self, operation: str, **parameters: Any) -> Json:
        if token := TOKENS.get(operation):
            parameters.setdefault(token, os.urandom(16).hex())
        body = json.dumps(parameters).encode()
        for attempt in range(1, self._attempts + 1):
            try:
                return self._result(operation, self._post(operation, body))
            except ServiceError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if attempt == self._attempts or not (error.response["Error"]["Code"] in AGAIN or status in _STATUSES):
                    raise
            except NoAnswerError:
                if attempt == self._attempts:
                    raise
            time.sleep(random.random() * 2 ** (attempt - 1))  # noqa: S311 - spreads tries, guards nothing
        raise AssertionError  # the last attempt returns or raises

    def _post(self, operation: str, body: bytes) -> Answer:
        headers = {
            "Host": self._host,
            "Content-Type": f"application/x-amz-json-{self._service.version}",
            "X-Amz-Target": f"{self._service.target}.{operation}",
        }
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = signed(headers, body, self._by, self._region, self._service.name, at)
        if trace := os.environ.get("_X_AMZN_TRACE_ID"):
            headers["X-Amzn-Trace-Id"] = trace  # Lambda notices by it where functions call each other without an end
        try:
            return self._kept.post("/", headers, body)
        except (OSError, HTTPException) as error:
            raise NoAnswerError(type(error).__name__, operation) from error

    def _result(self, operation: str, answer: Answer) -> Json:
        sum_of_it = answer.headers.get("x-amz-crc32", "")
        if sum_of_it.isdigit() and int(sum_of_it) != zlib.crc32(answer.body):
            raise NoAnswerError("its checksum is wrong", operation)
        try:
            found = read(answer.body)
        except ValueError:
            found = None
        if answer.status < 300 and not isinstance(found, dict):
            raise NoAnswerError("it is no JSON", operation)
        found = found if isinstance(found, dict) else {}
        about = {"HTTPStatusCode": answer.status, "RequestId": answer.headers.get("x-amzn-requestid", "")}
        if answer.status < 300:
            return {**found, "ResponseMetadata": about}
        code = str(found.get("__type") or found.get("code") or answer.status).partition(":")[0].rpartition("#")[2]
        message = found.get("message") or found.get("Message") or ""
        error = {"Code": code, "Message": str(message)}
        kind = getattr(self.exceptions, code) if code.isidentifier() and code != "ClientError" else ServiceError
        raise kind({**found, "Error": error, "ResponseMetadata": about}, operation)
