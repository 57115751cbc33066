"""Lambda's Invoke API on this machine.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, as far as a state machine engine and an SDK
look.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from local.connections import ClosesConnections
from local.runtime.invocation import MAX_ASYNC_PAYLOAD, MAX_PAYLOAD, Invocation, failed
from local.runtime.pool import Pool, Worker, WorkerDiedError, WorkerTimeoutError
from local.runtime.template import Function, Template, function_arn

INVOKE = re.compile(r"^/2015-03-31/functions/(?P<reference>[^/]+)/invocations/?$")


@dataclass
class ServiceFault(Exception):  # noqa: N818 - a fault is also a value, which hooks return
    """Lambda itself refuses or breaks (429 TooManyRequestsException, 500 ServiceException), the function is
    not run.
    """

    status: int
    code: str
    message: str = "simulated by the local run"

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


Faults = Callable[[str, Any], ServiceFault | None]


class LambdaRuntime:
    """The template's functions, ready to be called: `with LambdaRuntime(template, {...}) as runtime:
    runtime.invoke(…)`.

    `environment` is added to every function's variables. `port` 0 takes a free one. `log_dir` gets
    <function>.log each (a temporary folder by default). `faults`, settable at any time, is asked before
    each call. At most `max_warm` processes are kept once idle, none longer than `idle_seconds`; concurrent
    calls may start more for as long as they take.
    """

    def __init__(
        self,
        template: Template,
        environment: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        log_dir: str | Path | None = None,
        *,
        max_warm: int = 6,
        idle_seconds: float = 20.0,
    ) -> None:
        self.template = template
        self.invocations: Counter[str] = Counter()
        self.faults: Faults | None = None
        self.on_invocation: Callable[[str, Any, Invocation], None] | None = None
        self._lock = threading.Lock()
        self._own_logs = tempfile.TemporaryDirectory(prefix="chatops-logs-") if log_dir is None else None
        self.log_dir = Path(self._own_logs.name if self._own_logs else str(log_dir)).resolve()
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self._server = _Server((host, port), _Handler)
        self._server.runtime = self
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._pool = Pool(
            template.layer_dirs, environment or {}, self.log_dir, max_warm=max_warm, idle_seconds=idle_seconds
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="lambda-api", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> LambdaRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, end every process."""
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(5)
        self._pool.close()
        if self._own_logs:
            self._own_logs.cleanup()

    def pids(self) -> list[int]:
        """The processes that stand behind the functions just now."""
        return self._pool.pids()

    def invoke(self, name: str, event: Any, *, version: str = "$LATEST", arn: str = "") -> Invocation:
        """Call a function and wait. Raises KeyError for an unknown one, ServiceFault where `faults` says
        so.
        """
        function = self.template.functions[name]
        fault = self.faults(name, event) if self.faults else None
        if fault:
            raise fault
        with self._lock:
            self.invocations[name] += 1
        request = {
            "request_id": str(uuid.uuid4()),
            "event": json.dumps(event),
            "version": version,
            "arn": arn or function_arn(name),
            "timeout_seconds": function.timeout_seconds,
        }
        invocation = self._run(function, request)
        if self.on_invocation:
            self.on_invocation(name, event, invocation)
        return invocation

    def _run(self, function: Function, request: dict[str, Any]) -> Invocation:
        worker = self._pool.take(function)
        cold, request_id = worker.cold, request["request_id"]
        try:
            begun = worker.ready() if cold else {"error": None, "log": ""}
            answer = begun if begun["error"] else worker.ask(request, function.timeout_seconds)
        except WorkerTimeoutError:
            self._pool.drop(worker)
            now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            text = f"{now} {request_id} Task timed out after {function.timeout_seconds:.2f} seconds"
            return self._broken(function, request_id, "Sandbox.Timedout", text, cold)
        except WorkerDiedError as died:
            self._pool.drop(worker)
            how = (
                f"exit status {died.status}" if died.status >= 0 else f"signal: {_signal_name(-died.status)}"
            )
            text = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
            return self._broken(function, request_id, "Runtime.ExitError", text, cold)
        return self._answered(worker, begun, answer, request_id)

    def _answered(
        self, worker: Worker, begun: dict[str, Any], answer: dict[str, Any], request_id: str
    ) -> Invocation:
        cold, log, error = worker.cold, begun["log"] + answer["log"], answer.get("error")
        if begun["error"]:  # the import failed and the process is leaving: the next call tries the code anew
            worker.close()
            self._pool.drop(worker)
            return Invocation(
                {**begun["error"], "requestId": request_id}, begun["error"]["errorType"], begun["log"], cold
            )
        self._pool.give_back(worker)
        if error:
            return Invocation(error, error["errorType"], log, cold, request_id)
        return Invocation(json.loads(answer["payload"]), None, log, cold, request_id)

    def _broken(self, function: Function, request_id: str, kind: str, text: str, cold: bool) -> Invocation:
        with (self.log_dir / f"{function.name}.log").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        return Invocation(failed(kind, text, request_id), kind, text + "\n", cold, request_id)


def _signal_name(number: int) -> str:
    return {6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}.get(number, str(number))


class _Server(ClosesConnections, ThreadingHTTPServer):
    runtime: LambdaRuntime


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a kept-alive client otherwise waits 40 ms for the second packet
    wbufsize = 65536

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass

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
        if name not in self.server.runtime.template.functions:
            return self._error(404, "ResourceNotFoundException", f"Function not found: {found['reference']}")
        try:
            event = json.loads(body or b"{}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            return self._error(400, "InvalidRequestContentException", text)
        if asynchronous:
            threading.Thread(
                target=self._later, args=(name, event), name=f"event-{name}", daemon=True
            ).start()
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
