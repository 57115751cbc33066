"""The state machine engine inside this process: moto's server for four services, with the patches applied."""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
from collections.abc import Collection
from types import TracebackType
from typing import Any

from fakes import identity
from local.connections import ClosesConnections, listening
from local.engine import older as older_engine
from local.engine import patches
from local.engine.patches import speed
from local.engine.patches.patcher import Patches, Settings
from local.guard import Guard

# By the prefix of the X-Amz-Target header, which every operation of these has.
SERVICES = {
    "AWSStepFunctions": "stepfunctions",
    "DynamoDB_20120810": "dynamodb",
    "secretsmanager": "secretsmanager",
    "AWSEvents": "events",
}
CLOSE_SECONDS = 2.0

_in_use = threading.Lock()


class EmbeddedEngine:
    """Step Functions, DynamoDB, Secrets Manager and EventBridge at `url`, for as long as the `with` block lasts.

    `lambda_url`: where Task states find their functions. `wait_time_scale` multiplies Wait states and Retry
    intervals (not timeouts). `port` 0 takes a free one. `without` leaves named patches out, for the tests
    that show what each is for. `older`: as Step Functions Local is, where that is less than AWS.

    moto keeps its state in module globals, so a process has one engine at a time; a second one is a
    RuntimeError. After the block nothing is left: no execution, no thread, no table, no change to moto.
    """

    def __init__(
        self,
        lambda_url: str,
        wait_time_scale: float = 1.0,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        without: Collection[str] = (),
        older: bool = False,
    ) -> None:
        if not _in_use.acquire(blocking=False):
            raise RuntimeError("there is an engine in this process already; close it first")
        try:
            self._settings = Settings(lambda_url, wait_time_scale)
            self._patches = _configure(self._settings, [*without, older_engine.UNSCALED] if older else without)
            if older:
                older_engine.as_step_functions_local(self._patches)
        except BaseException:
            _in_use.release()
            raise
        try:
            self._server = _server(host, port)
        except BaseException:
            self._patches.undo()
            _in_use.release()
            raise
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._closed = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="engine", daemon=True)
        self._thread.start()

    def __enter__(self) -> EmbeddedEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def wait_time_scale(self) -> float:
        """May be set while the engine runs; waits that have begun keep their length."""
        return self._settings.wait_time_scale

    @wait_time_scale.setter
    def wait_time_scale(self, value: float) -> None:
        self._settings.wait_time_scale = value

    def close(self) -> None:
        """Stop every execution and the server, and forget all data."""
        if self._closed:
            return
        self._closed = True
        _stop_executions()
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(CLOSE_SECONDS)
        self._patches.undo()
        _forget()
        _in_use.release()


def _configure(settings: Settings, without: Collection[str]) -> Patches:
    from moto.core.config import default_user_config

    with speed.without_tables_of_ec2():
        importlib.import_module("moto.stepfunctions.parser.models")
    applied = patches.apply(settings, without)
    before = default_user_config["stepfunctions"]
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    applied.on_undo(lambda: default_user_config.update({"stepfunctions": before}))
    return applied


def _server(host: str, port: int) -> Any:
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import ThreadedWSGIServer

    class Server(ClosesConnections, ThreadedWSGIServer):
        pass

    class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto is untyped here
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a kept-alive client otherwise waits 40 ms for the second packet

        def log_request(self, *_: object) -> None:
            pass

        def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    with listening(host, port) as taken:
        return Server(host, port, Guard(_Application(), host), Handler, fd=taken)


class _Application:
    """Picks the service by the request's X-Amz-Target. (moto's own dispatcher would load S3 for whatever it
    can't place.)
    """

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import create_backend_app

        self._apps = {service: create_backend_app(service) for service in SERVICES.values()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        service = SERVICES.get(environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0])
        if service is None:
            size = environ.get("CONTENT_LENGTH") or "0"
            if size.isdigit() and (told := identity.answer(environ["wsgi.input"].read(min(int(size), 4096)))):
                start_response("200 OK", [("Content-Type", "text/xml")])
                return [told]
            headers = [("Content-Type", "application/x-amz-json-1.1")]
            start_response("400 Bad Request", headers)
            return [b'{"__type":"UnknownOperationException","message":"not a service of this engine"}']
        return self._apps[service](environ, start_response)


def _stop_executions() -> None:
    from moto.stepfunctions.parser import utils
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    from local.engine.patches.stop import stop, wake

    for account in list(stepfunctions_parser_backends.values()):
        for backend in list(account.values()):
            for execution in backend._get_executions():
                stop(execution)
                if execution.exec_worker.env is not None:
                    wake(execution.exec_worker.env)
    deadline = time.monotonic() + CLOSE_SECONDS
    for thread in list(utils.TMP_THREADS):
        # One that sits in a call of a Lambda ends with that call; it is a daemon and touches nothing any
        # more.
        thread.join(max(deadline - time.monotonic(), 0))
    utils.TMP_THREADS.clear()


def _forget() -> None:
    from moto.core.base_backend import BackendDict

    with contextlib.suppress(KeyError):
        BackendDict.reset()
