"""Lambda's Invoke API: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

As far as a state machine engine and an SDK look.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
import uuid
from collections.abc import Collection, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from local import guard
from local.connections import ClosesConnections
from local.runtime.invocation import MAX_ASYNC_PAYLOAD, MAX_PAYLOAD, Invocation, ServiceFault
from local.runtime.template import function_arn

INVOKE = re.compile(r"^/2015-03-31/functions/(?P<reference>[^/]+)/invocations/?$")


class Runtime(Protocol):
    """What stands behind the API."""

    def knows(self, name: str) -> bool: ...
    def invoke(self, name: str, event: Any, *, version: str = ..., arn: str = ...) -> Invocation: ...


class Server(ClosesConnections, ThreadingHTTPServer):
    runtime: Runtime
    known: Collection[str] = guard.LOOPBACK
    """The names by which it may be asked."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a kept-alive client otherwise waits 40 ms for the second packet
    wbufsize = 65536

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

    def parse_request(self) -> bool:
        """False, and answered, for whom the guard refuses; the connection ends with it, its body is not read."""
        if not super().parse_request():
            return False
        why = guard.refusal(self.command, lambda name: self.headers.get(name, ""), self.server.known)
        if why:
            self.close_connection = True
            self._error(403, "AccessDeniedException", why)
        return not why

    def do_POST(self) -> None:
        body = self._body()
        path = urlsplit(self.path)
        found = INVOKE.match(unquote(path.path))
        if not found:
            return self._error(404, "ResourceNotFoundException", f"No such operation: POST {path.path}")
        asynchronous = self.headers.get("X-Amz-Invocation-Type") == "Event"
        if len(body) > (MAX_ASYNC_PAYLOAD if asynchronous else MAX_PAYLOAD):
            return self._error(413, "RequestEntityTooLargeException", f"{len(body)} bytes exceed the limit")
        name, qualifier = split_reference(found["reference"])
        qualifier = (parse_qs(path.query).get("Qualifier") or [qualifier])[0]
        if not self.server.runtime.knows(name):
            return self._error(404, "ResourceNotFoundException", f"Function not found: {found['reference']}")
        try:
            event = json.loads(body or b"{}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            return self._error(400, "InvalidRequestContentException", text)
        if asynchronous:
            threading.Thread(target=self._later, args=(name, event), name=f"event-{name}", daemon=True).start()
            return self._reply(202, b"")
        return self._invoke(name, event, qualifier)

    def _invoke(self, name: str, event: Any, qualifier: str) -> None:
        arn = function_arn(name) + (f":{qualifier}" if qualifier else "")
        version = qualifier if qualifier.isdigit() else "$LATEST"
        try:
            invocation = self.server.runtime.invoke(name, event, version=version, arn=arn)
        except ServiceFault as fault:
            return self._error(fault.status, fault.code, fault.message)
        except RuntimeError as error:  # being closed
            return self._error(503, "ServiceException", str(error))
        headers = {"X-Amz-Executed-Version": version}
        if invocation.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log.encode()[-4096:]).decode()
        return self._reply(200, json.dumps(invocation.payload).encode(), headers)

    def _later(self, name: str, event: Any) -> None:
        with contextlib.suppress(ServiceFault, RuntimeError):
            self.server.runtime.invoke(name, event)

    def _body(self) -> bytes:
        """With Content-Length or, as Java's SDK in Step Functions Local sends it, in chunks."""
        if "chunked" not in (self.headers.get("Transfer-Encoding") or "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return body

    def _error(self, status: int, code: str, message: str) -> None:
        kind = "User" if status < 500 else "Service"
        body = json.dumps({"Type": kind, "Message": message, "message": message}).encode()
        self._reply(status, body, {"x-amzn-ErrorType": code})

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def split_reference(reference: str) -> tuple[str, str]:
    """Name and qualifier ("" for none) of `plan`, `plan:7`, `123456789012:plan`, or an ARN with or without
    one.
    """
    parts = reference.split(":")
    if "function" in parts:
        parts = parts[parts.index("function") + 1 :]
    elif len(parts) > 1 and re.fullmatch(r"\d{12}", parts[0]):
        parts = parts[1:]
    return parts[0], parts[1] if len(parts) > 1 else ""
