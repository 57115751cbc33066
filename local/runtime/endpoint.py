"""The functions of a template, ready to be called: in Python, or through Lambda's Invoke API."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from local import guard
from local.runtime.api import Handler, Server
from local.runtime.calls import Death
from local.runtime.invocation import Invocation, ServiceFault, exited, failed
from local.runtime.pool import Pool
from local.runtime.process import Worker, WorkerDiedError, WorkerTimeoutError
from local.runtime.template import Function, Template, function_arn
from local.runtime.turns import Turns

__all__ = ["Invocation", "LambdaRuntime", "ServiceFault"]

MAX_BUSY = 4
"""Sixty processes that start on two processors are all too late for Slack. With eight at once a deployment among many
computes twice as much: each function then has more processes, which are ended and started anew."""

Faults = Callable[[str, Any], ServiceFault | None]
Deaths = Callable[[str, Any], Death | None]


class LambdaRuntime:
    """The template's functions, ready to be called: `with LambdaRuntime(template, {...}) as runtime:
    runtime.invoke(…)`.

    `environment` is added to every function's variables. `port` 0 takes a free one. `log_dir` gets
    <function>.log each (a temporary folder by default). `faults`, settable at any time, is asked before
    each call; `deaths` is asked where the function's process (a new one) is to die in it, and makes its calls known.
    At most `max_warm` processes are kept once idle, none longer than `idle_seconds`. At most `max_busy` calls are
    worked on at once, those of functions behind the template's routes first; a function's timeout begins with its
    turn. `names`: more names by which this machine may be asked.
    """

    def __init__(
        self,
        template: Template,
        environment: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        log_dir: str | Path | None = None,
        *,
        max_warm: int = 8,
        max_busy: int = MAX_BUSY,
        idle_seconds: float = 20.0,
        names: Collection[str] = (),
    ) -> None:
        self.template = template
        self.invocations: Counter[str] = Counter()
        self.faults: Faults | None = None
        self.deaths: Deaths | None = None
        self.on_invocation: Callable[[str, Any, Invocation], None] | None = None
        self._lock = threading.Lock()
        self._own_logs = tempfile.TemporaryDirectory(prefix="chatops-logs-") if log_dir is None else None
        self.log_dir = Path(self._own_logs.name if self._own_logs else str(log_dir)).resolve()
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self._turns, self._awaited = Turns(max_busy), frozenset(template.routes.values())
        self._server = Server((host, port), Handler)
        self._server.runtime, self._server.known = self, guard.names(host, names)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._pool = Pool(
            template.layer_dirs,
            {} if environment is None else environment,
            self.log_dir,
            max_warm=max_warm,
            idle_seconds=idle_seconds,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="lambda-api", daemon=True)
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

    def knows(self, name: str) -> bool:
        return name in self.template.functions

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
        if self.deaths:
            death = self.deaths(name, event)
            request["death"] = death.order() if death else None
        with self._turns.turn(first=name in self._awaited):
            invocation = self._run(function, request)
        if self.on_invocation:
            self.on_invocation(name, event, invocation)
        return invocation

    def _run(self, function: Function, request: dict[str, Any]) -> Invocation:
        worker = self._pool.take(function, fresh=bool(request.get("death")))
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
            kind, how = exited(died.status)
            return self._broken(function, request_id, kind, f"RequestId: {request_id} Error: {how}", cold)
        return self._answered(worker, begun, answer, request_id)

    def _answered(self, worker: Worker, begun: dict[str, Any], answer: dict[str, Any], request_id: str) -> Invocation:
        cold, log, error = worker.cold, begun["log"] + answer["log"], answer.get("error")
        if begun["error"]:  # the import failed and the process is leaving: the next call tries the code anew
            worker.close()
            self._pool.drop(worker)
            return Invocation(
                {**begun["error"], "requestId": request_id}, begun["error"]["errorType"], begun["log"], cold
            )
        self._pool.give_back(worker)
        if error:
            return Invocation(error, error["errorType"], log, cold, request_id, tuple(answer["calls"]))
        return Invocation(json.loads(answer["payload"]), None, log, cold, request_id, tuple(answer["calls"]))

    def _broken(self, function: Function, request_id: str, kind: str, text: str, cold: bool) -> Invocation:
        with (self.log_dir / f"{function.name}.log").open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        return Invocation(failed(kind, text, request_id), kind, text + "\n", cold, request_id)
