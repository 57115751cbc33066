"""Hours in seconds: the real machine, engine and handlers, and a clock that jumps to whatever comes next.

Nobody waits: where an execution would sleep, the clock is moved on to the moment when that sleep ends, or to the next
thing that was planned for a moment before (a run that ends, a person who clicks). So the number of history events and
the pace of looks are those of the real hours, with the timing that a target really has.
"""

from __future__ import annotations

import heapq
import importlib
import itertools
import json
import math
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from chatops import aws, clock
from chatops.github import budget, oidc
from chatops.settings import config, secrets, targets
from chatops.slack import membership
from fakes.aws_json import ChangingService
from fakes.clock import Clock
from local import session as local_session
from local.driver import PATIENCE, Driver
from local.engine.patches import timing
from local.events import ServiceEvents
from local.runtime.endpoint import LambdaRuntime
from local.runtime.invocation import Invocation, failed
from local.runtime.template import Function
from local.session import CREDENTIALS, Session

NOW = 1_760_000_000.0


class Hours:
    """Epoch seconds, as everybody here reads them. `asleep`: how long executions have slept, in all. `failed`: what
    planned things raised. `runs`: the threads of GitHub's fake."""

    def __init__(self) -> None:
        self.runs: Callable[[], list[threading.Thread]] = list
        self.at, self.asleep = NOW, 0.0
        self.failed: list[Exception] = []
        self._plans: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._standing: dict[threading.Thread, tuple[threading.Event, float]] = {}
        self._lock = threading.RLock()

    def __call__(self) -> float:
        return self.at

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan something for so many seconds from now. Pushing is one operation, so it takes no lock: whoever sleeps
        holds that while a fake, which has one of its own, may want to plan."""
        heapq.heappush(self._plans, (self.at + seconds, next(self._order), action))

    def every(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan something again and again."""

        def act() -> None:
            action()
            self.later(seconds, act)

        self.later(seconds, act)

    def pass_by(self, seconds: float) -> None:
        """What somebody does takes so long."""
        self.at += seconds

    def sleep(self, seconds: float, woken: Callable[[], object] = lambda: False) -> None:
        """An execution's sleep: at once over, and so much later, or as late as something woke it."""
        with self._lock:
            began, until = self.at, self.at + seconds
            self._let_runs_act(woken)
            while not woken():
                due = min(until, self._next())
                if self._plans and self._plans[0][0] <= due:
                    due, _, action = heapq.heappop(self._plans)
                else:
                    action = _nothing
                self.at = max(self.at, due)
                if action is _nothing and due == until:
                    break
                try:
                    action()
                except Exception as error:  # noqa: BLE001 - in a thread of the engine; `Play.end` raises it
                    self.failed.append(error)
                self._let_runs_act(woken)
            self.asleep += self.at - began

    def stand(self, event: threading.Event, until: float) -> None:
        """A run of GitHub's fake waits for that moment, or for the event."""
        run = threading.current_thread()
        self._standing[run] = (event, until)
        while self.at < until and not event.wait(0.002):
            pass
        del self._standing[run]

    def _next(self) -> float:
        """The moment at which the next of the runs goes on."""
        return min((until for _, until in list(self._standing.values()) if until > self.at), default=math.inf)

    def _let_runs_act(self, woken: Callable[[], object]) -> None:
        """What is due in a run takes none of the hours, however busy this machine is. One that hangs is left."""
        late = time.monotonic() + 20
        while any(map(self._acts, self.runs())) and not woken() and time.monotonic() < late:
            time.sleep(0.001)

    def _acts(self, run: threading.Thread) -> bool:
        event, until = self._standing.get(run, (None, self.at))
        return run.is_alive() and (event is None or event.is_set() or until <= self.at)


class _Clock(Clock):
    """The fakes' view of the hours. What they would really sleep, they sleep in no time."""

    def __init__(self, hours: Hours) -> None:
        super().__init__(1.0)
        self._hours = hours

    def now(self) -> float:
        return self._hours()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self._hours.stand(event, self._hours() + seconds)
        return event.is_set()


class _InProcess(LambdaRuntime):
    """The functions run here, where the package's clock can be another. `nonsense`: those that answer `{}`."""

    nonsense: frozenset[str] = frozenset()

    def _run(self, function: Function, request: dict[str, Any]) -> Invocation:
        if function.name in self.nonsense:
            return Invocation({}, None, "", False, request["request_id"])
        handler = importlib.import_module(f"lambdas.{function.name}.app").handler
        try:
            answer = handler(json.loads(request["event"]), None)
        except Exception as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
            frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
            body = failed(type(error).__name__, str(error), request["request_id"], stackTrace=frames)
            return Invocation(body, type(error).__name__, "", False, request["request_id"])
        return Invocation(json.loads(json.dumps(answer)), None, "", False, request["request_id"])


def _nothing() -> None:
    pass


def _engine_sleeps(patch: pytest.MonkeyPatch, hours: Hours) -> None:
    """Waits, intervals between retries and waits for a token, and the moment at which an execution began; the engine's
    own timeouts are never reached."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
        StateTaskServiceCallback,
    )
    from moto.stepfunctions.parser.backend.execution import Execution

    begin = Execution.start

    def begun(self: Any) -> None:
        self.start_date = clock.at(hours())
        begin(self)

    def for_token(_self: Any, timeout_seconds: int, callback_endpoint: Any) -> Any:
        hours.sleep(timeout_seconds, callback_endpoint.get_outcome)
        return callback_endpoint.get_outcome()

    patch.setattr(Execution, "start", begun)
    patch.setattr(timing, "pause", lambda _env, seconds: hours.sleep(seconds))
    patch.setattr(StateTaskServiceCallback, "_wait_for_task_token_timeout", for_token)


def _forget() -> None:
    config.reset()
    secrets.reset()
    targets._cached.cache_clear()
    aws.made.cache_clear()
    oidc.issuer.cache_clear()
    membership._workspaces.clear()


class _Events(ServiceEvents):
    """At their moment, a second later than they happen, instead of by a thread."""

    def __init__(self, hours: Hours, services: Iterable[ChangingService], *given: Any) -> None:
        super().__init__(services, *given)
        for service in self._services:
            service.planned = lambda seconds: hours.later(seconds + 1, self.beat)

    def start(self) -> None:
        pass


class HoursDriver(Driver):
    """A session in which hours pass in seconds."""

    def __init__(self, session: Session, hours: Hours) -> None:
        super().__init__(session)
        self.hours = hours

    def run_of(self, stage: str) -> Any:
        """This deployment's run of the stage, as GitHub's fake has it."""
        wanted = (self.deployment_id, stage)
        return next(r for r in self.session.github.runs if (r.payload["deployment_id"], r.payload["stage"]) == wanted)

    def end(self, seconds: float = PATIENCE, arn: str = "") -> str:
        """As ever, and everything that was planned has gone well."""
        ended = super().end(seconds, arn)
        for error in self.hours.failed:
            raise error
        return ended

    def let_end(self, stage: str) -> None:
        """The stage's run, which works until now, comes to its end."""
        self.run_of(stage).wake.set()
        assert self.session.github.settle(20), "the run has ended"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., HoursDriver]]:
    """`play(targets_yaml)`: everything but Slack's signature (which is checked in real time) lives in these hours."""
    hours = Hours()
    monkeypatch.setattr(clock, "now", hours)
    monkeypatch.setattr(budget, "drawn", lambda _: 0.0)
    monkeypatch.setattr(local_session, "Clock", lambda _speed: _Clock(hours))
    monkeypatch.setattr(local_session, "LambdaRuntime", _InProcess)
    monkeypatch.setattr(local_session, "ServiceEvents", lambda *given: _Events(hours, *given))
    _engine_sleeps(monkeypatch, hours)
    with ExitStack() as stack:

        def made(yaml: str) -> HoursDriver:
            session = Session(stack, targets=yaml)
            hours.runs = lambda: list(session.github._threads)
            session.github.oidc.now = hours
            # all functions run in this process; only `stage` has variables of its own
            for name, value in {**session.environment(), **session.environment("stage")}.items():
                monkeypatch.setenv(name, value)
            for name, value in CREDENTIALS.items():
                monkeypatch.setenv(name.upper(), value)
            monkeypatch.setenv("AWS_DEFAULT_REGION", CREDENTIALS["region_name"])
            _forget()
            hours.every(300, lambda: session.runtime.invoke("sweep", {}))
            return HoursDriver(session, hours)

        yield made
    _forget()
