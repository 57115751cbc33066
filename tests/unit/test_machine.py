"""The state machine on an engine that stays: its own for each session, and taken away with it."""

from __future__ import annotations

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from local import machine

URL = "http://127.0.0.1:8083"


class Engine:
    """Step Functions with memory, two executions a page. `troubles` are raised first, one a call."""

    def __init__(self, troubles: list[Exception] | None = None) -> None:
        self.meta = SimpleNamespace(endpoint_url=URL)
        self.troubles = troubles or []
        self.machines: dict[str, list[dict[str, str]]] = {}

    def _answer(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def list_state_machines(self, **_: Any) -> dict[str, Any]:
        self._answer()
        return {"stateMachines": []}

    def create_state_machine(self, name: str, definition: str, roleArn: str) -> dict[str, str]:  # noqa: N803
        arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
        self.machines[arn] = []
        return {"stateMachineArn": arn}

    def begin(self, arn: str, name: str, status: str = "RUNNING") -> None:
        self.machines[arn].append({"executionArn": name, "status": status})

    def list_executions(self, stateMachineArn: str, statusFilter: str = "", nextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        self._answer()
        every = [each for each in self.machines[stateMachineArn] if statusFilter in ("", each["status"])]
        at = int(nextToken)
        more = {"nextToken": str(at + 2)} if at + 2 < len(every) else {}
        return {"executions": every[at : at + 2], **more}

    def stop_execution(self, executionArn: str) -> None:  # noqa: N803
        for listed in self.machines.values():
            for each in listed:
                if each["executionArn"] == executionArn:
                    each["status"] = "ABORTED"

    def delete_state_machine(self, stateMachineArn: str) -> None:  # noqa: N803
        assert all(each["status"] != "RUNNING" for each in self.machines[stateMachineArn])
        del self.machines[stateMachineArn]


def test_an_engine_that_goes_with_the_world_has_the_machine_under_its_name() -> None:
    engine = Engine([EndpointConnectionError(endpoint_url=URL)])
    with ExitStack() as stack:
        assert machine.create(engine, stack, "deploy", "{}", lasting=False).endswith(":deploy")
    assert len(engine.machines) == 1, "it is not asked whether it is there, and not tidied up"


def test_on_a_lasting_engine_each_world_has_a_machine_of_its_own_and_takes_it_away() -> None:
    """Somebody's definition, or what still runs of another session, is nobody else's."""
    engine = Engine()
    with ExitStack() as stack:
        first = machine.create(engine, stack, "deploy", "{}", lasting=True)
        second = machine.create(engine, stack, "deploy", "{}", lasting=True)
        assert first != second
        for number in range(5):
            engine.begin(first, f"e{number}")
        engine.begin(first, "done", "SUCCEEDED")
        assert [each["executionArn"] for each in machine.executions(engine, first)] == [
            "e0", "e1", "e2", "e3", "e4", "done",
        ]  # fmt: skip
        assert list(machine.executions(engine, second)) == []
    assert engine.machines == {}


def test_an_engine_that_went_first_is_no_trouble() -> None:
    engine = Engine()
    with ExitStack() as stack:
        machine.create(engine, stack, "deploy", "{}", lasting=True)
        engine.troubles = [EndpointConnectionError(endpoint_url=URL)]


def test_an_engine_that_is_still_starting_is_waited_for() -> None:
    """Step Functions Local takes connections for some seconds and hangs up."""
    broken = ClientError({"Error": {"Code": "500", "Message": "not yet"}}, "ListStateMachines")
    engine = Engine([EndpointConnectionError(endpoint_url=URL), ConnectionClosedError(endpoint_url=URL), broken])
    machine.ready(engine)
    assert engine.troubles == []


def test_an_engine_that_never_answers_is_named_with_what_to_do() -> None:
    engine = Engine([EndpointConnectionError(endpoint_url=URL) for _ in range(9)])
    with pytest.raises(ConnectionError, match=r"engine at http://127\.0\.0\.1:8083 does not answer .*ENGINE=docker"):
        machine.ready(engine, seconds=0)
