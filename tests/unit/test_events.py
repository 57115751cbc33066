"""EventBridge's part: which executions functions hear of, how often, and in which shape."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from fakes.clock import Clock
from local.events import ExecutionEvents, Schedule, scheduled, status_change

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:chatops-local-deploy"
START = dt.datetime(2026, 1, 31, 12, 0, 0, 250_000, dt.UTC)


def execution(name: str, status: str = "FAILED", seconds: float = 5, **more: Any) -> dict[str, Any]:
    arn = MACHINE.replace("stateMachine", "execution") + f":{name}"
    stop = START + dt.timedelta(seconds=seconds)
    whole = {"executionArn": arn, "stateMachineArn": MACHINE, "name": name, "status": status, "input": "{}"}
    return {**whole, "startDate": START, "stopDate": stop, **more}


class FakeSfn:
    """Two executions a page."""

    def __init__(self, *executions: dict[str, Any]) -> None:
        self.executions = list(executions)

    def list_executions(self, **asked: str) -> dict[str, Any]:
        assert asked["stateMachineArn"] == MACHINE
        fitting = [item for item in self.executions if item["status"] == asked["statusFilter"]]
        at = int(asked.get("nextToken", "0"))
        more = {"nextToken": str(at + 2)} if at + 2 < len(fitting) else {}
        return {"executions": fitting[at : at + 2], **more}

    def describe_execution(self, **asked: str) -> dict[str, Any]:
        return next(item for item in self.executions if item["executionArn"] == asked["executionArn"])


@dataclass
class Answer:
    error: str | None = None


class FakeRuntime:
    def __init__(self, *outcomes: str | Exception | None) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.called = threading.Event()
        self._outcomes = list(outcomes)

    def invoke(self, name: str, event: Any) -> Answer:
        self.calls.append((name, event))
        self.called.set()
        outcome = self._outcomes.pop(0) if self._outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return Answer(outcome)

    def names(self) -> list[str]:
        return [event["detail"]["name"] for _, event in self.calls]


def test_the_events_shape() -> None:
    event = status_change(execution("d-1", "ABORTED", error="Operator", cause="enough"))
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-01-31T12:00:05Z",
        "region": "us-east-1",
        "resources": ["arn:aws:states:us-east-1:123456789012:execution:chatops-local-deploy:d-1"],
        "detail": {
            "executionArn": "arn:aws:states:us-east-1:123456789012:execution:chatops-local-deploy:d-1",
            "stateMachineArn": MACHINE,
            "name": "d-1",
            "status": "ABORTED",
            "startDate": 1769860800250,
            "stopDate": 1769860805250,
            "input": "{}",
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": None,
            "error": "Operator",
            "cause": "enough",
        },
    }


def test_each_ended_execution_is_told_once_in_the_order_of_ending() -> None:
    sfn = FakeSfn(
        execution("late", seconds=9),
        execution("aborted", "ABORTED", 5),
        execution("timed-out", "TIMED_OUT", 7),
        execution("well", "SUCCEEDED"),
        execution("running", "RUNNING"),
        execution("early", seconds=1),
        execution("third page", seconds=8),
    )
    runtime = FakeRuntime()
    events = ExecutionEvents(sfn, MACHINE, runtime, ["sweep"])
    events.beat()
    events.beat()
    assert runtime.names() == ["early", "aborted", "timed-out", "third page", "late"]
    sfn.executions.append(execution("new", seconds=2))
    events.beat()
    assert runtime.names()[5:] == ["new"]


def test_only_the_statuses_asked_for() -> None:
    runtime = FakeRuntime()
    sfn = FakeSfn(execution("failed"), execution("aborted", "ABORTED"))
    ExecutionEvents(sfn, MACHINE, runtime, ["sweep"], ["ABORTED"]).beat()
    assert runtime.names() == ["aborted"]


@pytest.mark.parametrize("failure", ["KeyError", RuntimeError("throttled")])
def test_a_function_that_fails_is_told_again_three_times_at_most(failure: str | Exception) -> None:
    runtime = FakeRuntime(failure, None)
    events = ExecutionEvents(FakeSfn(execution("d-1")), MACHINE, runtime, ["sweep"])
    for _ in range(4):
        events.beat()
    assert len(runtime.calls) == 2
    runtime = FakeRuntime(*[failure] * 9)
    events = ExecutionEvents(FakeSfn(execution("d-1")), MACHINE, runtime, ["sweep"])
    for _ in range(6):
        events.beat()
    assert len(runtime.calls) == 3


def test_the_thread_starts_tells_and_ends() -> None:
    runtime = FakeRuntime()
    with ExecutionEvents(FakeSfn(execution("d-1")), MACHINE, runtime, ["sweep"], interval=0.01) as events:
        assert runtime.called.wait(2)
    assert not events.running
    assert runtime.calls[0][0] == "sweep"


def test_an_engine_that_fails_does_not_end_the_events(caplog: pytest.LogCaptureFixture) -> None:
    class Breaking(FakeSfn):
        failures = 2

        def list_executions(self, **asked: str) -> dict[str, Any]:
            self.failures -= 1
            if self.failures >= 0:
                raise ConnectionError("restarting")
            return super().list_executions(**asked)

    runtime = FakeRuntime()
    with ExecutionEvents(Breaking(execution("d-1")), MACHINE, runtime, ["sweep"], interval=0.01):
        assert runtime.called.wait(2)
    assert "ConnectionError: restarting" in caplog.text


def test_a_schedule_beats_in_the_clocks_time_and_ends_at_once() -> None:
    runtime, clock = FakeRuntime(), Clock(speed=1000)
    with Schedule(runtime, "sweep", 30, clock) as schedule:
        deadline = time.monotonic() + 2
        while len(runtime.calls) < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
    assert not schedule.running
    assert len(runtime.calls) >= 3
    assert runtime.calls[0][1]["detail-type"] == "Scheduled Event"
    assert runtime.calls[0][1]["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/local-sweep"]
    begun = time.monotonic()
    with Schedule(runtime, "sweep", 3600, Clock()):
        pass
    assert time.monotonic() - begun < 20


def test_a_closed_clock_ends_the_schedule() -> None:
    clock = Clock()
    clock.close()
    runtime = FakeRuntime()
    with Schedule(runtime, "sweep", 3600, clock):
        time.sleep(0.02)
    assert runtime.calls == []


def test_scheduled_events_differ() -> None:
    assert scheduled()["id"] != scheduled()["id"]
