"""What the tests of faults and attacks have in common: the package's environment and table, and the Slack edge."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from chatops import aws
from chatops.edge import handler
from chatops.store.table import Table
from lambdas.slack import app
from tests.faults.hostile_requests import NOW
from tests.faults.memory import Memory
from tests.faults.spies import Spies
from tests.unit.conftest import TABLE, environment, time

__all__ = ["edge", "environment", "memory", "rows", "spies", "time"]


class Edge:
    """The Slack function as Lambda calls it, with a clock that stands at NOW."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = float(NOW)
        self._threads = threading.local()  # that the answering thread started
        patch.setattr(handler, "time", SimpleNamespace(time=lambda: self.now))
        start = threading.Thread.start

        def noted(thread: threading.Thread) -> None:
            getattr(self._threads, "started", []).append(thread)
            start(thread)

        patch.setattr(threading.Thread, "start", noted)

    def __call__(self, event: Any) -> int:
        """The answer's status, once it is known to be one that a gateway can send."""
        self._threads.started = []
        answer = app.handler(event, None)
        assert [one for one in self._threads.started if one.is_alive()] == [], "something goes on after the answer"
        assert set(answer) <= {"statusCode", "headers", "body"}
        assert isinstance(answer["body"], str)
        json.dumps(answer, ensure_ascii=False).encode()
        status = answer["statusCode"]
        assert isinstance(status, int)
        assert 200 <= status < 500
        return status


@pytest.fixture
def memory(environment: pytest.MonkeyPatch) -> Memory:
    """The stack's table, empty; there is no other service of AWS."""
    made = Memory()
    environment.setattr(aws, "client", lambda service, **_: {"dynamodb": made.client}[service])
    return made


@pytest.fixture
def rows(memory: Memory) -> Table:
    """The same, as the store has it."""
    return Table(TABLE, memory.client)


@pytest.fixture
def edge(environment: pytest.MonkeyPatch) -> Edge:
    """The real Slack function."""
    return Edge(environment)


@pytest.fixture
def spies(environment: pytest.MonkeyPatch) -> Spies:
    """On every client there is."""
    return Spies().install(environment)
