"""Lambda where something is broken for longer than one call: a service is away for minutes, each call of the state
machine's breaks once, or is carried out twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from chatops.settings import secrets
from tests.simulator.asl import StateError
from tests.simulator.errors import unanswered
from tests.simulator.lambdas import Lambdas
from tests.simulator.points import Plan, Point
from tests.simulator.recorded import SECRETS, SecretsManager
from tests.simulator.session import Session
from tests.statemachine.conftest import CANARIES
from tests.statemachine.outages import box_of

CALLS = {"GitHub": "github", "Slack": "slack", "ECS": "ecs", "DynamoDB": "dynamodb", "Events": "events"}
"""The first part of a call's name, and the service."""
FROM_OUTSIDE = ("slack", "sweep", "gifs", "page")
"""Functions that the state machine doesn't call. `stage` is the pipeline's, whose reports may come twice as well."""
ANEW = ("token", "entered_at")
"""What differs from one try of a call to the next."""
SIGNALS = {"AlreadyAwake", "DecisionRecorded", "CancelRecorded"}
"""How a step says that what it was to wait for has come meanwhile."""


@dataclass
class Outage:
    """`service` is away for so many seconds from the first call of `box` on, at virtual time `began`."""

    service: str
    box: str
    seconds: float
    began: float = 0.0

    def on(self, now: float) -> bool:
        return bool(self.began) and now < self.began + self.seconds


class Away(Lambdas):
    """Of a play with an outage. Every call that is not answered counts as a fault that happened."""

    def __init__(self, outage: Outage, now: Callable[[], float], *given: Any) -> None:
        super().__init__(*given)
        self._outage, self._now = outage, now

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        outage = self._outage
        if not outage.began and isinstance(event, dict) and box_of(name, event) == outage.box:
            outage.began = self._now()
        if outage.service == "lambda" and outage.on(self._now()) and name != "sweep":  # its events wait in a queue
            if name == "plan" and event["deployment_id"] not in self.seen.ids:
                self.seen.ids.append(event["deployment_id"])
            raise StateError("Lambda.TooManyRequestsException", "Rate Exceeded.")
        secrets.reset()  # each function is a process of its own, and a cold one
        return super().invoke(name, event, step)

    def call(self, name: str, work: Callable[[], Any], trouble: Callable[[str], Exception]) -> Any:
        service = CALLS.get(name.partition(".")[0])
        if self._running and service == self._outage.service and self._outage.on(self._now()):
            self._away(name)
            raise trouble("lost" if service in ("ecs", "dynamodb") else "error")
        return super().call(name, work, trouble)

    def secret(self, read: Callable[[], Any]) -> Any:
        """What Secrets Manager answers."""
        if self._outage.service == "secretsmanager" and self._outage.on(self._now()):
            self._away("SecretsManager.GetSecretValue")
            raise unanswered("secretsmanager")
        return read()

    def _away(self, name: str) -> None:
        here = self._running[-1]
        self.seen.fired.append(Point(here.step, here.turn, name, 1, "error"))


class Surprised(Lambdas):
    """Every call of the state machine's breaks the first time in a way that nobody foresaw: before the function has
    done anything or, if `late`, when it has done all."""

    def __init__(self, late: bool, *given: Any) -> None:
        super().__init__(*given)
        self._late, self.broken = late, set[str]()

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        if name in (*FROM_OUTSIDE, "stage"):
            return super().invoke(name, event, step)
        key = f"{name} { {k: v for k, v in event.items() if k not in ANEW} }"
        if key in self.broken:
            return super().invoke(name, event, step)
        self.broken.add(key)
        self.seen.fired.append(Point(name, 1, "everything", 1, "after" if self._late else "before"))
        if self._late:
            super().invoke(name, event, step)
        raise StateError("KeyError", "'surprise'")


class Twice(Lambdas):
    """Each function is called a second time with what it was given, before its first answer goes out. `failed`: second
    calls that broke where the first one had not."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._given: list[tuple[str, Any, str]] = []
        self.failed: list[str] = []

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        answer = super().invoke(name, event, step)
        if name not in FROM_OUTSIDE:
            self._given.append((name, event, step))
            self._second(name, event, step)
        return answer

    def all_once_more(self) -> None:
        """Everything again, now that the deployment has ended; a step may refuse."""
        for given in self._given:
            self._second(*given, refused=True)

    def _second(self, name: str, event: Any, step: str, *, refused: bool = False) -> None:
        try:
            super().invoke(name, event, step)
        except StateError as error:
            if error.error not in SIGNALS and not refused:
                self.failed.append(f"{name}: {error}")


class Stopping(Lambdas):
    """Somebody stops the execution in the console a second after a step was carried out for the first time."""

    def __init__(self, after: str, session: Session, *given: Any) -> None:
        super().__init__(*given)
        self._after, self._session = after, session

    def invoke(self, name: str, event: Any, step: str = "") -> Any:
        try:
            return super().invoke(name, event, step)
        finally:
            begun = self.seen.record[-1][:2]
            if begun == (self._after, 1):
                self._session.agenda.later(1.0, lambda: self._session.states.stop_execution(self.seen.ids[0]))


@contextmanager
def lambdas(session: Session, made: Callable[..., Lambdas]) -> Iterator[None]:
    """The session's plays have their functions in these from here on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "make_lambdas", made)
        yield


@contextmanager
def away(session: Session, outage: Outage) -> Iterator[None]:
    """The same with an outage. The secrets are in Secrets Manager, where each function reads them for itself."""

    def made(plan: Plan, meanwhile: Callable[[str], object]) -> Lambdas:
        return Away(outage, session.agenda.now, plan, meanwhile)

    def stored(service: str, **_: Any) -> Any:
        if service != "secretsmanager":
            return session.clients[service]
        known = SecretsManager()
        running = session.lambdas
        assert isinstance(running, Away)
        return SimpleNamespace(get_secret_value=lambda **asked: running.secret(lambda: known.get_secret_value(**asked)))

    with pytest.MonkeyPatch.context() as patch, lambdas(session, made):
        for name in CANARIES:
            patch.delenv(name, raising=False)
        for variable, arn in SECRETS.items():
            patch.setenv(variable, arn)
        patch.setattr("chatops.aws.client", stored)
        secrets.reset()
        yield
    secrets.reset()
