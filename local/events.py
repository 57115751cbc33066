"""EventBridge's part: tells functions of executions that ended and of what happens at ECS and CodeDeploy, and calls
them on a schedule."""

from __future__ import annotations

import abc
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from moto.events.models import EventPattern

from fakes.aws_json import HERE, ChangingService, Place, event
from fakes.clock import Clock
from local import machine

LOG = logging.getLogger(__name__)
STATUSES = ("ABORTED", "TIMED_OUT", "FAILED")


class Runtime(Protocol):
    def invoke(self, name: str, event: Any, /) -> Any: ...


def status_change(execution: dict[str, Any]) -> dict[str, Any]:
    """The "Step Functions Execution Status Change" event of a DescribeExecution answer.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html; times in `detail` are
    epoch milliseconds.
    """
    arn, output = execution["executionArn"], execution.get("output")
    started = execution["startDate"].timestamp()
    stopped = execution["stopDate"].timestamp() if execution.get("stopDate") else None
    region, account = arn.split(":")[3:5]
    detail = {
        "executionArn": arn,
        **{key: execution[key] for key in ("stateMachineArn", "name", "status")},
        "startDate": int(started * 1000),
        "stopDate": int(stopped * 1000) if stopped else None,
        **{key: execution.get(key) for key in ("input", "output", "error", "cause")},
        "inputDetails": {"included": True},
        "outputDetails": None if output is None else {"included": True},
    }
    kind = "Step Functions Execution Status Change"
    return event(Place(account, region), "aws.states", kind, stopped or started, [arn], detail)


def scheduled(schedule: str = "local-schedule") -> dict[str, Any]:
    """The "Scheduled Event" of a rule:
    https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
    """
    rule = HERE.arn("events", f"rule/{schedule}")
    return event(HERE, "aws.events", "Scheduled Event", time.time(), [rule], {})


class _Repeating(abc.ABC):
    """A thread that calls `beat` again and again until closed; a beat that fails is logged and the next one
    comes.
    """

    name = "events"

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(5)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @abc.abstractmethod
    def wait(self) -> bool:
        """Sleep until the next beat; False when closed meanwhile."""

    @abc.abstractmethod
    def beat(self) -> None:
        """What is done each time."""

    def _run(self) -> None:
        while self.wait():
            try:
                self.beat()
            except Exception as error:  # noqa: BLE001 - an engine that is restarting must not end the events
                if not self._closed.is_set():
                    LOG.warning("%s: %s: %s", self.name, type(error).__name__, error)


def _taken(runtime: Runtime, name: str, told: dict[str, Any]) -> bool:
    """Whether the function took the event: it may be throttled, or fail."""
    try:
        return not runtime.invoke(name, told).error
    except Exception:  # noqa: BLE001 - tried again, like any failure
        return False


class ExecutionEvents(_Repeating):
    """Sends each execution of `machine_arn` that ended in one of `statuses` to every one of `functions`,
    once.

    EventBridge delivers at least once and promises no order; this one polls ListExecutions every `interval`
    seconds and delivers in the order in which executions stopped. A function that fails gets the event
    again, `attempts` times in all, as EventBridge's asynchronous invocations do.
    """

    name = "execution-events"

    def __init__(
        self,
        sfn: Any,
        machine_arn: str,
        runtime: Runtime,
        functions: Iterable[str],
        statuses: Iterable[str] = STATUSES,
        *,
        interval: float = 0.25,
        attempts: int = 3,
    ) -> None:
        super().__init__()
        self._sfn, self._machine_arn, self._runtime = sfn, machine_arn, runtime
        self._functions, self._statuses = tuple(functions), tuple(statuses)
        self._interval, self._attempts = interval, attempts
        self._told: dict[tuple[str, str], int] = {}

    def wait(self) -> bool:
        return not self._closed.wait(self._interval)

    def beat(self) -> None:
        """One look at the executions; called by the thread, and by tests that don't start it."""
        ended: list[dict[str, Any]] = []
        for status in self._statuses:
            ended += machine.executions(self._sfn, self._machine_arn, statusFilter=status)
        for listed in sorted(ended, key=lambda execution: execution["stopDate"]):
            arn = listed["executionArn"]
            waiting = [name for name in self._functions if self._told.get((arn, name), 0) < self._attempts]
            if waiting:
                told = status_change(self._sfn.describe_execution(executionArn=arn))
                for name in waiting:
                    tries = self._told.get((arn, name), 0) + 1
                    self._told[arn, name] = self._attempts if _taken(self._runtime, name, told) else tries


class ServiceEvents(_Repeating):
    """Sends each event of `services` that one of the `rules` matches to its function, in the order in which they
    happened; `attempts` times in all where the function fails.

    A rule is a function's name and an event pattern, which is somebody else's interpreter's to understand.
    """

    name = "service-events"

    def __init__(
        self,
        services: Iterable[ChangingService],
        runtime: Runtime,
        rules: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        interval: float = 0.05,
        attempts: int = 3,
    ) -> None:
        super().__init__()
        self._services, self._runtime = tuple(services), runtime
        self._rules = tuple((name, EventPattern.load(json.dumps(pattern))) for name, pattern in rules)
        self._interval, self._attempts = interval, attempts
        self._heard: deque[dict[str, Any]] = deque()
        for service in self._services:
            service.on_event = self._heard.append

    def wait(self) -> bool:
        return not self._closed.wait(self._interval)

    def beat(self) -> None:
        """Tell what has happened until now."""
        for service in self._services:
            service.advance()
        while self._heard:
            told = self._heard.popleft()
            for name, pattern in self._rules:
                if pattern.matches_event(told):
                    any(_taken(self._runtime, name, told) for _ in range(self._attempts))


class Schedule(_Repeating):
    """Calls function `name` every `seconds` of the clock's time."""

    name = "schedule"

    def __init__(self, runtime: Runtime, name: str, seconds: float, clock: Clock) -> None:
        super().__init__()
        self._runtime, self._function, self._seconds, self._clock = runtime, name, seconds, clock

    def wait(self) -> bool:
        """In slices, so that closing the schedule does not have to close the clock it shares with others."""
        left = self._seconds / self._clock.speed
        while left > 0 and not self._closed.is_set():
            if not self._clock.sleep(min(left, 0.2) * self._clock.speed):
                return False
            left -= 0.2
        return not self._closed.is_set()

    def beat(self) -> None:
        self._runtime.invoke(self._function, scheduled(f"local-{self._function}"))
