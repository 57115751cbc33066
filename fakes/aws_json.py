"""AWS's JSON 1.1 protocol over HTTP, for the fakes that speak it: `POST /` with the operation in X-Amz-Target.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import json
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from werkzeug.wrappers import Request, Response

from fakes.faults import Faults, drop_connection

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Json = dict[str, Any]

ACCOUNT, REGION = "123456789012", "us-east-1"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/")
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""


class Place(NamedTuple):
    """An account and a region: nothing of one is seen from another."""

    account: str = ACCOUNT
    region: str = REGION

    def arn(self, service: str, resource: str) -> str:
        """`arn:aws:<service>:<region>:<account>:<resource>`."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


HERE = Place()
"""Where the bot itself runs."""


class AwsError(Exception):
    """An answer that is an error: `code` is the service's name for it, which boto3 raises it under."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Call:
    """One request that was answered. `error` is the service's name for what was wrong, "" if nothing was."""

    operation: str
    request: Json
    status: int
    error: str


class JsonService(ABC):
    """A service in memory. `down` answers everything 503. `faults` are rules for single requests. `calls`: all of them.
    `account_of` says whose account an access key belongs to.

    `target` is what X-Amz-Target begins with, `broken` the service's name for a fault of its own.
    """

    target: ClassVar[str]
    broken: ClassVar[str]

    def __init__(self) -> None:
        self.down = False
        self.faults = Faults()
        self.calls: list[Call] = []
        self.account_of: Callable[[str], str] = lambda _: ACCOUNT

    @abstractmethod
    def perform(self, operation: str, request: Json, place: Place = HERE) -> str:
        """Do one operation in that account and region; the answer as JSON. Raises AwsError."""

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        operation = request.headers.get("X-Amz-Target", "").removeprefix(self.target)
        fault = self.faults.take(operation)
        if self.down:
            response = self._error(operation, {}, AwsError(self.broken, "Service Unavailable", 503))
        elif fault and not (fault.lose_reply or fault.work):
            error = AwsError(fault.code or self.broken, fault.message or "Injected fault.", fault.status)
            response = self._error(operation, {}, error)
        else:
            response = self._answer(operation, request.get_data(), self._place(request))
            if fault and fault.lose_reply:
                drop_connection(environ)
            if fault:
                response = _json({"__type": fault.code or self.broken, "message": fault.message}, fault.status)
        if fault:
            response.headers.update(dict(fault.headers))
        return response(environ, start_response)

    def _place(self, request: Request) -> Place:
        """Whose account and which region: both stand in the signature."""
        signed = _CREDENTIAL.search(request.headers.get("Authorization", ""))
        return Place(self.account_of(signed[1]), signed[2]) if signed else HERE

    def _answer(self, operation: str, body: bytes, place: Place) -> Response:
        try:
            request = json.loads(body or b"{}")
            if not isinstance(request, dict):
                raise ValueError("not an object")
        except ValueError:
            return self._error(operation, {}, AwsError("SerializationException", "The body is no JSON object."))
        try:
            text = self.perform(operation, request, place)
        except AwsError as error:
            return self._error(operation, request, error)
        self.calls.append(Call(operation, request, 200, ""))
        return _response(text, 200)

    def _error(self, operation: str, request: Json, error: AwsError) -> Response:
        self.calls.append(Call(operation, request, error.status, error.code))
        return _json({"__type": error.code, "message": error.message}, error.status)


class ChangingService(JsonService):
    """One in which things happen by themselves. `on_event` gets each event that it sends to EventBridge, `planned` in
    how many simulated seconds something will happen; both are called while it holds its lock."""

    def __init__(self) -> None:
        super().__init__()
        self.on_event: Callable[[Json], object] = lambda _: None
        self.planned: Callable[[float], object] = lambda _: None

    @abstractmethod
    def advance(self) -> None:
        """Let happen what is due."""

    def tell(self, event: Json) -> None:
        """Send this event."""
        self.on_event(event)

    def plan(self, seconds: float) -> None:
        """Something will happen then."""
        self.planned(seconds)


def event(place: Place, source: str, kind: str, at: float, resources: list[str], detail: Json) -> Json:
    """An event as EventBridge delivers it.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": place.account,
        "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": place.region,
        "resources": resources,
        "detail": detail,
    }


def _json(body: Json, status: int) -> Response:
    return _response(json.dumps(body), status)


def _response(text: str, status: int) -> Response:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return Response(text, status, headers)
