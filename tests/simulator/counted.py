"""What deployments use: transitions, invocations, requests, and the table's units, counted where they happen."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import requests

from tests.simulator.engine import TOKEN, Execution
from tests.simulator.expressions import Item
from tests.simulator.lambdas import Lambdas
from tests.simulator.points import Plan
from tests.simulator.table import Table, Write

READ, WRITTEN = 4096, 1024
"""Bytes of a unit. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"""
POINTS = {"GET": 1}
"""GitHub's secondary limit; every other method counts 5.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#calculating-points-for-the-secondary-rate-limit"""
SECONDS = {
    "DynamoDB": 0.006,
    "States": 0.03,
    "ECS": 0.08,
    "CodeDeploy": 0.08,
    "Events": 0.03,
    "GitHub": 0.25,
    "Slack": 0.2,
}
"""What a call of each service is taken to last. GitHub's and Slack's are seen from us-east-1, as a rule less."""


@dataclass
class Used:
    """Of some deployments, in all. `github`: every request, `counted` those that the hourly limit counts (no 304),
    `points` and `writes` what the limits of a minute count. `refused`: requests that a limit refused, by service.
    `reads`, `written`: the table's request units. `events`: what EventBridge took. `aws`: operations by
    name. `waited`: seconds that each function waited for others."""

    transitions: int = 0
    functions: Counter[str] = field(default_factory=Counter)
    github: int = 0
    counted: int = 0
    points: int = 0
    writes: int = 0
    slack: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reads: int = 0
    written: int = 0
    events: int = 0
    aws: Counter[str] = field(default_factory=Counter)
    waited: Counter[str] = field(default_factory=Counter)

    @property
    def invocations(self) -> int:
        return self.functions.total()

    def __sub__(self, before: Used) -> Used:
        return Used(**{one.name: getattr(self, one.name) - getattr(before, one.name) for one in fields(self)})

    def copy(self) -> Used:
        return Used(**{one.name: +getattr(self, one.name) for one in fields(self)})


class Busiest:
    """The most of something within any minute."""

    def __init__(self) -> None:
        self._of: deque[tuple[float, int]] = deque()
        self._now = self.most = 0

    def add(self, at: float, count: int) -> None:
        self._of.append((at, count))
        self._now += count
        while self._of[0][0] <= at - 60:
            self._now -= self._of.popleft()[1]
        self.most = max(self.most, self._now)


class CountingLambdas(Lambdas):
    """`used` grows with every call. `minutes`: what was the most within a minute, by what it is."""

    def __init__(self, used: Used, now: Callable[[], float]) -> None:
        super().__init__(Plan(""), lambda _: None)
        self.used, self._now = used, now
        self.minutes: dict[str, Busiest] = {}
        self._names: list[str] = []

    def busy(self, what: str, count: int = 1) -> None:
        self.minutes.setdefault(what, Busiest()).add(self._now(), count)

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        self.used.functions[name] += 1
        self.busy("invocations")
        self._names.append(name)
        try:
            return super().invoke(name, event, step)
        finally:
            self._names.pop()
            self.seen.record.clear()

    def call(self, name: str, work: Callable[[], Any], trouble: Callable[[str], Exception]) -> Any:
        service, _, operation = name.partition(".")
        if self._names:
            self.used.waited[self._names[-1]] += SECONDS[service]  # type: ignore[assignment]  # seconds, not a count
        if service == "Slack":
            return self._slack(operation, lambda: super(CountingLambdas, self).call(name, work, trouble))
        result = super().call(name, work, trouble)
        if service == "GitHub" and isinstance(result, requests.Response):
            self._github(operation.partition(".")[0], result)
        elif service != "GitHub":
            self.used.aws[name] += 1
            self.used.events += len(result["Entries"]) if name == "Events.PutEvents" else 0
            self.busy(name)
        return result

    def _github(self, method: str, answer: requests.Response) -> None:
        self.used.github += 1
        self.used.points += (points := POINTS.get(method, 5))
        self.busy("GitHub points", points)
        if method != "GET":
            self.used.writes += 1
            self.busy("GitHub writes")
        if answer.status_code in (403, 429):
            self.used.refused["GitHub"] += 1
        elif answer.status_code != 304:
            self.used.counted += 1

    def _slack(self, method: str, send: Callable[[], Any]) -> Any:
        self.used.slack[method] += 1
        self.busy(f"Slack {method}")
        try:
            return send()
        except Exception as error:
            self.used.refused["Slack"] += getattr(error, "code", 0) == 429
            raise


class CountingTable(Table):
    """Counts request units as DynamoDB does, consistent reads and transactions included; refused writes cost as well.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """

    def __init__(self, used: Used) -> None:
        super().__init__()
        self._used = used
        self._times = 1

    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = super().get(asked)
        self._used.reads += _units(map(size, found.values()), READ)
        return found

    def query(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = super().query(asked)
        self._used.reads += _units([sum(map(size, found["Items"]))], READ)
        return found

    def transact(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._times = 2
        try:
            return super().transact(asked)
        finally:
            self._times = 1

    def holds(self, asked: dict[str, Any], write: Write) -> bool:
        self._used.written += self._times * _units([max(size(write[1] or {}), size(write[2] or {}))], WRITTEN)
        return super().holds(asked, write)


def _units(sizes: Iterable[int], unit: int) -> int:
    return sum(max(1, math.ceil(each / unit)) for each in sizes) or 1


def size(item: Item) -> int:
    """Bytes of an item: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    return sum(len(name.encode()) + _value(typed) for name, typed in item.items())


def _value(typed: dict[str, Any]) -> int:
    [(kind, value)] = typed.items()
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return len(value) // 2 + 2
    if kind == "M":
        return 3 + len(value) + size(value)
    if kind == "L":
        return 3 + len(value) + sum(map(_value, value))
    return 1


def transitions(machine: dict[str, Any], execution: Execution) -> int:
    """Each state that is entered is one, and so is each retry.
    https://aws.amazon.com/step-functions/pricing/"""
    tasks = _tasks(machine)
    tries = sum(function != TOKEN for function, _, _ in execution.outcomes)
    return len(execution.path) + tries - sum(name in tasks for name in execution.path)


def _tasks(machine: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            found.add(name)
        for branch in state.get("Branches", []):
            found |= _tasks(branch)
    return found
