"""A built function under Lambda's own runtime client, with nothing but its artefacts.

The Runtime API is ours: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from bench.built import CLIENT, Built

_API = "/2018-06-01/runtime/"
_MODULE = ("-m", "awslambdaric")


LIMIT = 600.0
"""Seconds to wait for a process, which may run under valgrind."""


@dataclass(frozen=True)
class Answer:
    """What a function answered: `payload`, or Lambda's error object where it raised. `seconds`: processor time."""

    payload: Any
    error: dict[str, Any] | None
    seconds: float


class NotStartedError(Exception):
    """The function could not be imported; the text is its log."""


def processor_time(pid: int) -> float:
    """Seconds that the process has computed, all of its threads together (those that have ended too), on Linux.

    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    return time.clock_gettime((~pid << 3) | 2)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Api

    def do_GET(self) -> None:
        assert self.path == f"{_API}invocation/next", self.path
        self.server.ready.set()
        event = self.server.events.get()
        if event is None:
            self._send(410, b"{}")
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + LIMIT) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:built",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        }
        self._send(200, event, headers)

    def do_POST(self) -> None:
        spent = processor_time(self.server.pid)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        kind = self.path.rpartition("/")[2]
        assert self.path == f"{_API}init/error" or kind in ("response", "error"), self.path
        if "/init/" not in self.path:
            self.server.answers.put((kind, body, spent))
        self._send(202, b'{"status": "OK"}')

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class _Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pid = 0
        self.ready = threading.Event()
        self.events: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[tuple[str, Any, float]] = queue.SimpleQueue()


class Function:
    """One process of a built function, started at once. `environment`: all that it sees, beside where its code lies;
    `client`: the command that starts Lambda's runtime client, where it is not the usual one."""

    def __init__(
        self, built: Built, name: str, environment: Mapping[str, str], client: Sequence[str] = (str(CLIENT), *_MODULE)
    ) -> None:
        self._api = _Api()
        threading.Thread(target=self._api.serve_forever, args=(0.02,), daemon=True).start()
        mine = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_address[1]}",
            "LAMBDA_TASK_ROOT": str(built.function(name)),
            "PYTHONPATH": str(built.layer),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",  # /opt and /var/task cannot be written on Lambda
            "PYTHONHASHSEED": "0",  # instructions are compared
            "_HANDLER": "app.handler",
        }
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - close() does
        self._process = subprocess.Popen(
            [*client, "app.handler"],
            cwd=built.function(name),
            env={**environment, **mine},
            stdout=self._log,
            stderr=self._log,
        )
        self._api.pid = self._process.pid

    def started(self) -> float:
        """The processor time of its start, once it has started. Raises NotStartedError."""
        until = time.monotonic() + LIMIT
        while not self._api.ready.wait(0.02):
            if self._process.poll() is not None or time.monotonic() > until:
                raise NotStartedError(self.log())
        return processor_time(self._api.pid)

    def ask(self, event: Any) -> Answer:
        """Hand it the event, and wait for the answer. Raises NotStartedError, or queue.Empty after LIMIT seconds."""
        began = self.started()
        self._api.events.put(json.dumps(event).encode())
        kind, body, spent = self._api.answers.get(timeout=LIMIT)
        seconds = spent - began
        return Answer(None, body, seconds) if kind == "error" else Answer(body, None, seconds)

    def log(self) -> str:
        """What it has written so far."""
        self._log.seek(0)
        return self._log.read()

    def end(self) -> int:
        """Let it leave by itself (valgrind counts then); its exit status."""
        self._api.events.put(None)
        return self._process.wait(LIMIT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._api.shutdown()
        self._api.server_close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()
