"""Lambda in this process: invokes the real handlers, counts their calls, and lets a point of the plan happen."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chatops.network import deadline
from tests.simulator.asl import StateError
from tests.simulator.points import DEATHS, Plan, Point

KILLED = "Runtime.OutOfMemory"
"""What Lambda says of a process that was killed.
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""


class DiedError(BaseException):
    """The process is no more: none of its calls is sent from now on."""


@cache
def handler(name: str) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = importlib.import_module(f"lambdas.{name}.app").handler
    return found


@dataclass
class Invocation:
    """One call of a handler."""

    step: str
    turn: int
    points: tuple[Point, ...]
    calls: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    dead: bool = False


@dataclass
class Seen:
    """What was seen of a play. `record`: its invocations with their calls. `fired`: the points that happened.
    `errors`: what handlers raised by themselves."""

    record: list[tuple[str, int, list[str]]] = field(default_factory=list)
    begun: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    fired: list[Point] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


class Lambdas:
    """`meanwhile` carries out what others do right before a call."""

    def __init__(self, plan: Plan, meanwhile: Callable[[str], object]) -> None:
        self.plan, self.seen = plan, Seen()
        self._left = list(plan.points)
        self._meanwhile = meanwhile
        self._running: list[Invocation] = []

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        """The handler's answer, as JSON brings it. Raises StateError, named as Step Functions names it."""
        step = step or _step(name, event)
        self.seen.begun[step] += 1
        turn = self.seen.begun[step]
        if name == "plan" and event["deployment_id"] not in self.seen.ids:
            self.seen.ids.append(event["deployment_id"])
        mine = tuple(one for one in self._left if (one.step, one.turn) == (step, turn))
        made = Invocation(step, turn, mine)
        outer = getattr(deadline._here, "deadline", None)  # another process has no deadline of this one's
        deadline._here.deadline = None
        self._running.append(made)
        self.seen.record.append((step, turn, made.calls))
        try:
            return json.loads(json.dumps(handler(name)(event, None)))
        except DiedError:
            raise StateError(KILLED) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, Lambda tells its name
            self.seen.errors.append(f"{step}#{turn}: {type(error).__name__}: {error}")
            raise StateError(type(error).__name__, str(error)) from None
        finally:
            self._running.pop()
            deadline._here.deadline = outer
            self.seen.done[step] += not made.dead

    def call(self, name: str, work: Callable[[], Any], trouble: Callable[[str], Exception]) -> Any:
        """A call of the running handler's to a service: `work` carries it out, `trouble` gives the error that the
        handler sees of `lost`, `throttle` and `error`."""
        if not self._running:
            return work()
        running = self._running[-1]
        if running.dead:
            raise DiedError
        running.calls.append(name)
        running.counts[name] += 1
        here = [one for one in running.points if (one.call, one.nth) == (name, running.counts[name])]
        for point in here:
            if point.what in ("sweep", "cancel", "press"):
                self._fire(point)
                self._meanwhile(point.what)
        for point in here:
            if point.what in ("before", "throttle", "error"):
                self._fire(point)
                raise self._end(running) if point.what == "before" else trouble(point.what)
        result = work()
        for point in here:
            if point.what in ("after", "lost", "again"):
                self._fire(point)
                if point.what == "again":
                    return work()
                raise self._end(running) if point.what in DEATHS else trouble("lost")
        return result

    def _fire(self, point: Point) -> None:
        self.seen.fired.append(point)
        self._left.remove(point)

    def _end(self, running: Invocation) -> DiedError:
        running.dead = True
        return DiedError()


def _step(name: str, event: Any) -> str:
    kind = "" if name in ("sweep", "wake") else event.get("mode") or event.get("stage") or event.get("event") or ""
    return f"{name}:{kind}" if kind else name
