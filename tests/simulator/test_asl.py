"""The interpreter is held to the embedded engine: what a play's tasks came to, given to both, leads through the same
states, calls functions with the same payloads, and ends alike."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import boto3
import pytest

from local.engine import EmbeddedEngine
from local.machine import ROLE
from local.session import CREDENTIALS, states_entered
from tests.simulator import run
from tests.simulator.asl import StateError
from tests.simulator.engine import DEFINITION, MACHINE_ARN, TOKEN, Execution
from tests.simulator.points import Plan, pairs, plan
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import opened
from tests.simulator.test_simulator import DANGEROUS

SOON = 0.02
"""Real seconds after which a token is answered."""
OWN = ("token", "entered_at")
"""What differs from engine to engine."""
PAIRS = 4
Step = tuple[str, Any, Any]


class Recorded:
    """In place of Lambda's client: each call comes to what it came to in the play."""

    def __init__(self, states: Any) -> None:
        self._states = states
        self._left: list[Step] = []
        self.wrong: list[str] = []

    def begin(self, execution: Execution) -> None:
        self._left, self.wrong = list(execution.outcomes), []

    def over(self) -> list[str]:
        return self.wrong + [f"never came to {one[0]}" for one in self._left]

    def invoke(self, **asked: Any) -> Any:
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        given = json.loads(asked["Payload"])
        early = self._left[:1] and self._left[0][0] == TOKEN
        if early:
            self._answer(given["token"], self._left.pop(0)[2])
        function, payload, result = self._left.pop(0)
        name = asked["FunctionName"].rpartition(":")[2]
        if name != function or _shared(given) != _shared(payload):
            self.wrong.append(f"{name} was called with {given}, not {function} with {payload}")
        if not early and self._left[:1] and self._left[0][0] == TOKEN:
            answer = self._left.pop(0)[2]
            if isinstance(answer, StateError):
                return {"StatusCode": 200, "Payload": _read(result)}
            threading.Timer(SOON, self._answer, (given["token"], answer)).start()
        if isinstance(result, StateError):
            body = {"errorType": result.error, "errorMessage": result.cause}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _read(body)}
        return {"StatusCode": 200, "Payload": _read(result)}

    def _answer(self, token: str, result: Any) -> None:
        self._states.send_task_success(taskToken=token, output=json.dumps(result))


def _shared(payload: Any) -> Any:
    return {key: value for key, value in payload.items() if key not in OWN}


def _read(body: Any) -> io.BytesIO:
    return io.BytesIO(json.dumps(body).encode())


class Engine:
    """The embedded engine with the machine on it."""

    def __init__(self, states: Any, recorded: Recorded) -> None:
        self._states, self._recorded = states, recorded
        definition = DEFINITION.read_text("utf-8")
        for name in {part.partition("FunctionArn}")[0] for part in definition.split("${")[1:]}:
            arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name.lower()}"
            definition = definition.replace(f"${{{name}FunctionArn}}", arn)
        # a second, however long it is: a token that is answered is answered sooner (States.Timeout can't be sent)
        definition = re.sub(r'"TimeoutSecondsPath": "[^"]*"', '"TimeoutSeconds": 1', definition)
        made = states.create_state_machine(name=MACHINE_ARN.rpartition(":")[2], definition=definition, roleArn=ROLE)
        assert made["stateMachineArn"] == MACHINE_ARN

    def same(self, execution: Execution) -> None:
        """Play it again. Raises AssertionError where anything differs."""
        self._recorded.begin(execution)
        self._states.start_execution(stateMachineArn=MACHINE_ARN, name=execution.name, input=execution.text)
        found = self._wait(execution.arn)
        events = self._states.get_execution_history(executionArn=execution.arn, maxResults=1000)["events"]
        assert self._recorded.over() == []
        assert states_entered(events) == execution.path
        assert (found["status"], found.get("error", "")) == (execution.status, execution.error)
        assert json.loads(found.get("output") or "null") == json.loads(execution.output or "null")

    def _wait(self, arn: str) -> Any:
        pause = threading.Event()
        for _ in range(3000):
            found = self._states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return found
            pause.wait(0.01)
        raise AssertionError("it does not end")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    with EmbeddedEngine("http://127.0.0.1:1", 0.001) as embedded, pytest.MonkeyPatch.context() as patch:
        states = boto3.client("stepfunctions", endpoint_url=embedded.url, **CREDENTIALS)
        recorded = Recorded(states)
        patch.setattr(lambda_eval_utils, "boto_client_for", lambda **_: recorded)
        yield Engine(states, recorded)


def played(plan: Plan) -> list[Execution]:
    """The executions of the play that ended by themselves."""
    with opened() as session:
        run.played(plan, session)
        return [one for one in session.states.executions.values() if one.status != "ABORTED"]


@pytest.mark.parametrize(
    "text", ["approved@", *(pytest.param(f"{n}@", marks=pytest.mark.slow) for n in SCENARIOS if n != "approved")]
)
def test_the_engine_goes_the_same_way(engine: Engine, text: str) -> None:
    for execution in played(plan(text)):
        engine.same(execution)


@pytest.mark.slow
def test_the_engine_goes_the_same_way_where_something_goes_wrong(engine: Engine) -> None:
    with opened() as session:
        plans = [*map(plan, DANGEROUS), *islice(pairs(run.records(session), "asl"), PAIRS)]
    for one in plans:
        for execution in played(one):
            engine.same(execution)
