"""Functions' processes: started when a call needs one, frozen when it has answered, kept warm, ended when idle or in
the way."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.runtime.environment import base_environment, reserved_variables
from local.runtime.process import Worker, Zygote
from local.runtime.template import Function


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
        self._environment = environment  # live: the session learns its last addresses after the runtime has started
        self._log_dir = log_dir
        self._max_warm, self._idle_seconds = max_warm, idle_seconds
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = threading.Event()
        self._reaper = threading.Thread(target=self._reap_idle, name="lambda-reaper", daemon=True)
        self._reaper.start()

    def take(self, function: Function, *, fresh: bool = False) -> Worker:
        """A warm process of `function`, else (or if it is to be `fresh`) a new one, which has still to say that it is
        `ready`.
        """
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if not fresh and self._idle[index].function.name == function.name:
                    worker = self._idle.pop(index)
                    self._busy.add(worker)
                    worker.thaw()
                    return worker
        worker = Worker(self._zygote, function, self._settings(function))
        with self._lock:
            self._busy.add(worker)
        return worker

    def give_back(self, worker: Worker) -> None:
        """It has answered: it is frozen until the next invocation."""
        worker.freeze()
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
