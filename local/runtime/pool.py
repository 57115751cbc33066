"""Functions' processes: started when a call needs one, kept warm, ended when idle or in the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local.runtime import zygote
from local.runtime.template import ACCOUNT, REGION, Function

PRELOAD = ("boto3", "botocore.auth", "botocore.endpoint", "requests", "slack_sdk", "aws_lambda_powertools")
"""What the functions import that takes long: once in the zygote, not once a process."""

PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
LOOPBACK = "127.0.0.1,localhost,::1"

INIT_SECONDS = 10.0
"""Lambda's own limit for importing a function:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""


def base_environment(parent: Mapping[str, str]) -> dict[str, str]:
    """The little that a function's process inherits from `parent`: where things are, never what it holds.

    The stand-ins' addresses never go through a proxy. Where there is none, every address is exempt, which
    also keeps macOS from asking its system settings in a forked process (that call crashes there).
    """
    kept = {name: parent[name] for name in PASSED_ON if name in parent}
    proxies = {name: parent[name] for name in PROXIES if name in parent}
    exempt = parent.get("NO_PROXY", parent.get("no_proxy", ""))
    no_proxy = ",".join(filter(None, (exempt, LOOPBACK))) if proxies else "*"
    return {**kept, **proxies, "NO_PROXY": no_proxy, "no_proxy": no_proxy}


class WorkerDiedError(Exception):
    """The process ended instead of answering. `status`: its exit status, or minus the signal that killed
    it.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"process ended with {status}")
        self.status = status


class WorkerTimeoutError(Exception):
    """No answer within the function's timeout; the process has been killed."""


class Worker:
    """One process of one function."""

    def __init__(self, zygote_process: Zygote, function: Function, settings: dict[str, Any]) -> None:
        self.function = function
        self.cold = True
        self.idle_since = time.monotonic()
        self._zygote = zygote_process
        ours, theirs = socket.socketpair()
        with theirs:
            self.pid: int = zygote_process.order({"fork": settings}, (theirs.fileno(),))["pid"]
        self._connection = Connection(ours.detach())

    def ready(self) -> dict[str, Any]:
        """How the import went: {"error": None or Lambda's error object, "log": text}."""
        return self._receive(INIT_SECONDS)

    def ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Raises WorkerDiedError or WorkerTimeoutError; the process is gone then."""
        try:
            self._connection.send_bytes(json.dumps(request).encode())
        except OSError:
            raise WorkerDiedError(self.close()) from None
        return self._receive(timeout)

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(timeout):
                self.close()
                raise WorkerTimeoutError
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise WorkerDiedError(self.close(patience=1.0)) from None
        return answer

    def close(self, patience: float = 0.0) -> int:
        """End the process (kill it, unless it ends by itself within `patience` seconds) and say how it
        ended.
        """
        with contextlib.suppress(OSError):
            self._connection.close()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not _is_zombie(self.pid):
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return int(self._zygote.order({"reap": self.pid}).get("status", 0))


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended and waits to be reaped. Without /proc: says so after a moment's grace."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        if not Path("/proc/self").exists():
            time.sleep(0.05)
        return True


class Zygote:
    """The handle on the process that forks."""

    def __init__(self, root: Path, preload: Sequence[str] = PRELOAD) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        environment = {
            **base_environment(os.environ),
            "PYTHONPATH": os.pathsep.join((str(root), *_installed())),
        }
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.runtime.zygote", *preload],
                stdin=theirs.fileno(),
                env=environment,
                cwd=root,
                start_new_session=True,  # Ctrl-C in the terminal is for the main process alone
            )
        self._started = False

    def order(self, order: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        """Raises RuntimeError when the zygote is gone (it never is while the runtime is open)."""
        with self._lock:
            if not self._started:
                self._answer()
                self._started = True
            try:
                zygote.send(self._control, order, fds)
            except OSError:
                raise RuntimeError("the Lambda runtime has been closed") from None
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            answer, _ = zygote.receive(self._control)
        except OSError:
            answer = None
        if answer is None:
            raise RuntimeError("the process that starts functions is gone")
        return answer

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def close(self) -> None:
        """End it and everything it forked."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()


def _installed() -> list[str]:
    """Folders that somebody put on this process's path by hand, in PYTHONPATH: packages may stand there."""
    return [
        str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]


class Pool:
    """Warm processes of all functions, least recently used first. Thread-safe."""

    def __init__(
        self,
        paths: Sequence[Path],
        environment: Mapping[str, str],
        log_dir: Path,
        *,
        max_warm: int,
        idle_seconds: float,
    ) -> None:
        self._zygote = Zygote(Path(__file__).resolve().parents[2])
        self._paths = [str(path) for path in paths]
        self._environment = dict(environment)
        self._log_dir = log_dir
        self._max_warm, self._idle_seconds = max_warm, idle_seconds
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = threading.Event()
        self._reaper = threading.Thread(target=self._reap_idle, name="lambda-reaper", daemon=True)
        self._reaper.start()

    def take(self, function: Function) -> Worker:
        """A warm process of `function`, else a new one, which has still to say that it is `ready`."""
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].function.name == function.name:
                    worker = self._idle.pop(index)
                    self._busy.add(worker)
                    return worker
        worker = Worker(self._zygote, function, self._settings(function))
        with self._lock:
            self._busy.add(worker)
        return worker

    def give_back(self, worker: Worker) -> None:
        worker.cold, worker.idle_since = False, time.monotonic()
        with self._lock:
            self._busy.discard(worker)
            self._idle.append(worker)
            surplus = len(self._idle) + len(self._busy) - self._max_warm
            leaving, self._idle = self._idle[: max(surplus, 0)], self._idle[max(surplus, 0) :]
        self._end(leaving)

    def drop(self, worker: Worker) -> None:
        """Forget a process that has ended."""
        with self._lock:
            self._busy.discard(worker)

    def pids(self) -> list[int]:
        with self._lock:
            return [self._zygote.pid, *(worker.pid for worker in (*self._idle, *self._busy))]

    def close(self) -> None:
        self._closed.set()
        self._zygote.close()
        self._reaper.join(5)

    def _settings(self, function: Function) -> dict[str, Any]:
        return {
            "name": function.name,
            "handler": function.handler,
            "memory_mb": function.memory_mb,
            "paths": [str(function.code_dir), *self._paths],
            "log_file": str(self._log_dir / f"{function.name}.log"),
            "environment": {
                **base_environment(os.environ),
                **reserved_variables(function),
                **function.environment,
                **self._environment,
            },
        }

    def _reap_idle(self) -> None:
        while not self._closed.wait(min(1.0, self._idle_seconds)):
            limit = time.monotonic() - self._idle_seconds
            with self._lock:
                leaving = [worker for worker in self._idle if worker.idle_since < limit]
                self._idle = [worker for worker in self._idle if worker.idle_since >= limit]
            self._end(leaving)

    def _end(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            with contextlib.suppress(RuntimeError):  # the runtime is being closed, which ends them all
                worker.close()


def reserved_variables(function: Function) -> dict[str, str]:
    """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, with made-up credentials."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{uuid.uuid4().hex}",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_TASK_ROOT": str(function.code_dir),
        "_HANDLER": function.handler,
    }
