"""Step Functions in memory, as the product and its people use it: executions of the one machine, and their tokens."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatops import clock
from tests.simulator.agenda import Agenda
from tests.simulator.asl import Call, Run, StateError, Steps, execute
from tests.simulator.errors import EXCEPTIONS, refused

DEFINITION = Path(__file__).parents[2] / "statemachine" / "deploy.asl.json"
MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:platform-deploy-deploy"
LATENCY = 0.05
"""Seconds between two states: two things that happen at once happen in some order."""
TOKEN = "token"
LARGEST = 256 * 1024
"""Bytes of a state's input or output:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

Invoke = Callable[[str, Any], Any]
"""Calls a function with an event: its answer, or StateError with the name of the exception that it raised."""


@dataclass
class Execution:
    """`path`: the states that it entered. `outcomes`: what its tasks came to, in order: function, payload, and result
    or StateError. A token's answer is one of its own, of the function `TOKEN`."""

    name: str
    text: str
    status: str = "RUNNING"
    output: str = ""
    error: str = ""
    path: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, Any, Any]] = field(default_factory=list)
    steps: Steps | None = None
    token: str = ""

    @property
    def arn(self) -> str:
        return f"{MACHINE_ARN.replace(':stateMachine:', ':execution:')}:{self.name}"


class StepFunctions:
    """The machine. `on_end` is called with each execution that has ended."""

    def __init__(self, agenda: Agenda, invoke: Invoke, on_end: Callable[[Execution], object]) -> None:
        self._agenda, self._invoke, self._on_end = agenda, invoke, on_end
        self.machine = json.loads(DEFINITION.read_text("utf-8"))
        self.executions: dict[str, Execution] = {}
        self._tokens: dict[str, Execution] = {}
        self._numbers = itertools.count(1)

    # -- the API

    def start_execution(self, name: str, text: str) -> None:
        """Raises ExecutionAlreadyExists. The same name with the same input is one execution while it runs.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
        """
        if found := self.executions.get(name):
            if found.status == "RUNNING" and found.text == text:
                return
            raise refused("ExecutionAlreadyExists", "StartExecution")
        made = self.executions[name] = Execution(name, text)
        given = json.loads(text)
        began = clock.iso(self._agenda.now())
        context = {"Execution": {"Id": made.arn, "Name": name, "Input": given, "StartTime": began}}
        run = Run(context, lambda: self._token(made), made.path.append)
        made.steps = execute(self.machine, given, run)
        self._soon(made, None)
        self._agenda.later(self.machine["TimeoutSeconds"], lambda: self._end(made, "TIMED_OUT"))

    def describe_execution(self, arn: str) -> dict[str, Any]:
        """Raises ExecutionDoesNotExist."""
        found = self.executions.get(arn.rpartition(":")[2])
        if found is None:
            raise refused("ExecutionDoesNotExist", "DescribeExecution")
        told = {"executionArn": arn, "name": found.name, "status": found.status, "input": found.text}
        return told | {k: v for k, v in (("output", found.output), ("error", found.error)) if v}

    def stop_execution(self, arn: str) -> None:
        self._end(self.executions[arn.rpartition(":")[2]], "ABORTED")

    def send_task_success(self, token: str, output: str) -> None:
        """Raises TaskTimedOut for a token that nobody waits for any more."""
        execution = self._tokens.pop(token, None)
        if execution is None or execution.status != "RUNNING":
            raise refused("TaskTimedOut", "SendTaskSuccess")
        self._answered(execution, token, json.loads(output))

    # -- how it goes

    def _token(self, execution: Execution) -> str:
        execution.token = f"token-{next(self._numbers)}-{execution.name}"
        self._tokens[execution.token] = execution
        return execution.token

    def _answered(self, execution: Execution, token: str, result: Any) -> None:
        self._tokens.pop(token, None)
        if execution.token == token and execution.status == "RUNNING":
            execution.token = ""
            execution.outcomes.append((TOKEN, None, result))
            self._soon(execution, result)

    def _soon(self, execution: Execution, result: Any) -> None:
        self._agenda.later(LATENCY, lambda: self._go_on(execution, result))

    def _go_on(self, execution: Execution, result: Any) -> None:
        if execution.status != "RUNNING" or execution.steps is None:
            return
        try:
            effect = execution.steps.throw(result) if isinstance(result, StateError) else execution.steps.send(result)
        except StopIteration as done:
            execution.output = json.dumps(done.value)
            self._end(execution, "SUCCEEDED")
        except StateError as failed:
            execution.error = failed.error
            self._end(execution, "FAILED")
        else:
            if isinstance(effect, Call):
                self._call(execution, effect)
            else:
                self._agenda.later(effect.seconds, lambda: self._go_on(execution, None))

    def _call(self, execution: Execution, call: Call) -> None:
        text = json.dumps(call.payload)
        assert len(text) < LARGEST, f"{call.function} is given {len(text)} bytes"
        result: Any
        try:
            result = self._invoke(call.function, json.loads(text))
        except StateError as error:
            result = error
        execution.outcomes.append((call.function, json.loads(text), result))
        if not call.token:
            self._soon(execution, result)
        elif execution.token != call.token:
            pass  # it was answered meanwhile, whatever became of the call
        elif isinstance(result, StateError):
            execution.token = ""
            self._tokens.pop(call.token, None)
            self._soon(execution, result)
        else:
            late = StateError("States.Timeout")
            self._agenda.later(call.seconds, lambda: self._answered(execution, call.token, late))

    def _end(self, execution: Execution, status: str) -> None:
        if execution.status == "RUNNING":
            execution.status, execution.token = status, ""
            self._on_end(execution)


class Client:
    """boto3's client of it, as far as the product uses it; `calls` stands between."""

    def __init__(self, states: StepFunctions, calls: Callable[..., Any]) -> None:
        self.exceptions = EXCEPTIONS
        self._states, self._calls = states, calls

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Any:  # noqa: A002, N803 - botocore's
        assert stateMachineArn == MACHINE_ARN
        return self._calls("States.StartExecution", lambda: self._states.start_execution(name, input), name)

    def describe_execution(self, *, executionArn: str) -> Any:  # noqa: N803 - botocore's
        return self._calls(
            "States.DescribeExecution", lambda: self._states.describe_execution(executionArn), executionArn
        )

    def send_task_success(self, *, taskToken: str, output: str) -> Any:  # noqa: N803 - botocore's
        return self._calls(
            "States.SendTaskSuccess", lambda: self._states.send_task_success(taskToken, output), taskToken
        )
