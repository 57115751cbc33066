"""Handles on the processes behind the functions: the zygote, and what it forked."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local.runtime import sandbox, zygote
from local.runtime.environment import base_environment
from local.runtime.template import Function

PRELOAD = ("boto3", "botocore.auth", "botocore.endpoint", "requests", "slack_sdk")
"""What the functions import that takes long: once in the zygote, not once a process."""

INIT_SECONDS = 10.0
"""Lambda's own limit for importing a function:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""


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
        self._alone, self._children = True, list[int]()
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

    def freeze(self) -> None:
        """Nothing of it goes on until `thaw`."""
        self._children = sandbox.freeze(self.pid, alone=self._alone)

    def thaw(self) -> None:
        """Go on, for the next invocation."""
        sandbox.thaw(self.pid, self._children)

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(timeout):
                self.close()
                raise WorkerTimeoutError
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise WorkerDiedError(self.close(patience=1.0)) from None
        self._alone = not answer["children"]
        return answer

    def close(self, patience: float = 0.0) -> int:
        """End the process (kill it, unless it ends by itself within `patience` seconds) and what it has
        started, and say how it ended.
        """
        with contextlib.suppress(OSError):
            self._connection.close()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not _is_zombie(self.pid):
            time.sleep(0.002)
        return int(self._zygote.order({"end": self.pid}).get("status", 0))


def _is_zombie(pid: int) -> bool:
    """Whether the process has ended and waits to be reaped. Without /proc: says so after a moment's grace."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        if not Path("/proc/self").exists():
            time.sleep(0.05)
        return True


class _Process:
    """The process that forks, and the socket that it takes orders from."""

    def __init__(self, root: Path, preload: Sequence[str]) -> None:
        self.control, theirs = socket.socketpair()
        environment = {**base_environment(os.environ), "PYTHONPATH": os.pathsep.join((str(root), *_installed()))}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local.runtime.zygote", *preload],
                stdin=theirs.fileno(),
                env=environment,
                cwd=root,
                start_new_session=True,  # Ctrl-C in the terminal is for the main process alone
            )
        self.started = False

    def order(self, order: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        """Raises OSError when it is gone."""
        if not self.started:
            self._answer()
            self.started = True
        zygote.send(self.control, order, fds)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        answer, _ = zygote.receive(self.control)
        if answer is None:
            raise ConnectionError("the process that starts functions is gone")
        return answer

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.control.close()


class Zygote:
    """The handle on the process that forks. With `kept`, a list, its process goes there when it is closed, and comes
    from there: importing everything anew takes longer than most tests."""

    kept: list[_Process] | None = None

    def __init__(self, root: Path, preload: Sequence[str] = PRELOAD) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = self.kept.pop() if self.kept else _Process(root, preload)
        self.pid = int(self._process.process.pid)

    def order(self, order: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        """Raises RuntimeError when the runtime has been closed, or the process is gone."""
        with self._lock:
            if self._process is None:
                raise RuntimeError("the Lambda runtime has been closed")
            try:
                return self._process.order(order, fds)
            except OSError:
                raise RuntimeError("the process that starts functions is gone") from None

    def close(self) -> None:
        """End everything that it forked, and the process itself unless it is kept."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        if self.kept is not None:
            with contextlib.suppress(OSError):
                if process.started:
                    process.order({"reset": True})
                self.kept.append(process)
                return
        process.close()


def _installed() -> list[str]:
    """Folders that somebody put on this process's path by hand, in PYTHONPATH: packages may stand there."""
    return [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
