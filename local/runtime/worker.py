"""Inside a function's process: import the handler once, then answer one invocation after the other.

Runs in a child of the zygote. It speaks over one connection: first the worker says how the import went,
then it gets one dict an invocation and answers with one. It leaves when the connection ends, so it cannot
outlive the runtime.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from local.runtime import calls, sandbox
from local.runtime.invocation import MAX_PAYLOAD, failed

ROOT = str(Path(__file__).resolve().parents[2])
LOG_KEPT = 256 * 1024
"""Characters of one invocation's log that travel back with its answer; the file has all of it."""


class Context:
    """The second argument of a handler: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, request: dict[str, Any], function: dict[str, Any]) -> None:
        self.aws_request_id: str = request["request_id"]
        self.function_name: str = function["name"]
        self.function_version: str = request["version"]
        self.invoked_function_arn: str = request["arn"]
        self.memory_limit_in_mb = str(function["memory_mb"])
        self.log_group_name = f"/aws/lambda/{function['name']}"
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + float(request["timeout_seconds"])

    def get_remaining_time_in_millis(self) -> int:
        return max(int((self._deadline - time.monotonic()) * 1000), 0)


class _Tee(io.TextIOBase):
    """stdout and stderr: to the function's log file, and kept for the answer."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._kept: list[str] = []
        self._size = 0

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base declares a plain attribute
        return "utf-8"

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        os.write(self._fd, text.encode("utf-8", "replace"))
        if self._size < LOG_KEPT:
            self._kept.append(text[: LOG_KEPT - self._size])
            self._size += len(text)
        return len(text)

    def take(self) -> str:
        kept = "".join(self._kept)
        self._kept, self._size = [], 0
        return kept


def main(connection: Connection, function: dict[str, Any]) -> None:
    """Serve `function` (name, code_dir, handler, paths, environment, memory_mb, log_file) until the
    connection ends.
    """
    sandbox.adopt_orphans()
    os.environ.clear()
    os.environ.update(function["environment"])
    if hasattr(time, "tzset"):
        time.tzset()
    # Only what Lambda would find: the function, its layer, the installed packages. Not this repository's root.
    sys.path[:] = [*function["paths"], *(entry for entry in sys.path if entry not in ("", ROOT))]
    log = os.open(function["log_file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    tee = _Tee(log)
    sys.stdout = sys.stderr = tee
    handler, error = _load(function)
    _send(connection, {"error": error, "log": tee.take()})
    while error is None:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        _send(connection, _invoke(handler, request, function, tee))


def _send(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps({**message, "children": sandbox.has_children()}).encode())


def _load(function: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The handler, or the error that Lambda answers when there is none."""
    module_name, _, attribute = function["handler"].rpartition(".")
    try:
        module: ModuleType = importlib.import_module(module_name.replace("/", "."))
        return getattr(module, attribute), None
    except ImportError as caught:
        traceback.print_exc()
        return None, failed("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {caught}", "")
    except AttributeError as caught:
        if f"'{attribute}'" in str(caught) and "module" in str(caught):
            text = f"Handler '{attribute}' missing on module '{module_name}'"
            return None, failed("Runtime.HandlerNotFound", text, "")
        return None, _described(caught, "")
    except SyntaxError as caught:
        text = f"Syntax error in module '{module_name}': {caught}"
        return None, failed("Runtime.UserCodeSyntaxError", text, "")
    except Exception as caught:  # noqa: BLE001 - whatever the module's own code raises is the function's error
        return None, _described(caught, "")


def _invoke(handler: Any, request: dict[str, Any], function: dict[str, Any], tee: _Tee) -> dict[str, Any]:
    request_id = request["request_id"]
    os.write(1, f"START RequestId: {request_id} Version: {request['version']}\n".encode())
    watched = calls.watch(request["death"]) if "death" in request else None
    begun = time.perf_counter()
    answer = _call(handler, request, function)
    milliseconds = (time.perf_counter() - begun) * 1000
    os.write(1, f"END RequestId: {request_id} Duration: {milliseconds:.2f} ms\n".encode())
    return {**answer, "log": tee.take(), "calls": watched.made if watched else []}


def _call(handler: Any, request: dict[str, Any], function: dict[str, Any]) -> dict[str, Any]:
    request_id = request["request_id"]
    try:
        result = handler(json.loads(request["event"]), Context(request, function))
    except Exception as caught:  # noqa: BLE001 - Lambda reports any exception of a handler and lives on
        return {"error": _described(caught, request_id)}
    try:
        # NaN is not JSON; Step Functions and API Gateway would refuse it later, and with less to go on.
        payload = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as caught:
        text = f"Unable to marshal response: {caught}"
        return {"error": failed("Runtime.MarshalError", text, request_id, stackTrace=[])}
    if len(payload.encode()) > MAX_PAYLOAD:
        text = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes)."
        return {"error": failed("Function.ResponseSizeTooLarge", text, request_id)}
    return {"payload": payload}


def _described(caught: Exception, request_id: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    traceback.print_exception(caught)
    frames = traceback.format_list(traceback.extract_tb(caught.__traceback__)[1:])
    return failed(type(caught).__name__, str(caught), request_id, stackTrace=frames)
