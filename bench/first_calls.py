"""The first call of every function in a new process of its artefacts, in the middle of real deployments.

The local run plays them. Before a function is called there for the first time, its artefacts get the same event, over
TLS: the call that follows is like one after an answer that was lost. Instructions are counted in deployments of their
own: a second process would find done what the first has done. Whoever waits there has ten minutes.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

from bench import callgrind, limits, runtime_api
from bench.built import FUNCTIONS, Built
from bench.runtime_api import Answer, Function
from bench.tls import Authority, front
from fakes.slack import client as slack_client
from local.driver import PATIENCE, Driver
from local.pages import card_page, page_request
from local.runtime.environment import base_environment, reserved_variables
from local.runtime.invocation import Invocation
from local.scenario import Scenario
from local.session import Session, session

SPEED = 2.0
CANARY = Scenario("first-calls", "", "", lambda _: None, approval=True, strategy="canary")
CLICKS = ("approve", "reject", "view_submission", "promote", "pause_roll_back")
KINDS = (*(name for name in FUNCTIONS if name != "slack"), "slack command", *(f"slack {click}" for click in CLICKS))
COUNTED = tuple(kind for kind in KINDS if kind == "slack approve" or not kind.startswith("slack "))
"""Those of which instructions are counted: each function's, and the click that has a limit."""
AWAKE = ("park", "AlreadyAwake")
"""A function, and the error that is a right answer of it: something has happened since the last look."""
GIF = {"pathParameters": {"name": "deploying.gif"}}


@dataclass(frozen=True)
class FirstCall:
    """The first call in a new process. `init_seconds`: processor time of its start; `calibration`: of the machine,
    around the call."""

    function: str
    event: Any
    init_seconds: float
    answer: Answer
    log: str
    calibration: float
    memory_mb: int
    millions: float = 0.0
    """Instructions from the start of Python to the end of the answer; 0 where they were not counted."""

    @property
    def error(self) -> dict[str, Any] | None:
        """Lambda's error object, where the function has failed."""
        found = self.answer.error
        return None if found and (self.function, found["errorType"]) == AWAKE else found

    @property
    def used(self) -> float:
        """Processor seconds of the handler, as the machine of the limits would have needed them."""
        return limits.used(self.answer.seconds, self.calibration)

    @property
    def limit(self) -> float:
        """How many it may take."""
        seconds = limits.EDGE_SECONDS if self.function == "slack" else limits.STEP_SECONDS
        return limits.limit(seconds, self.memory_mb)


def kind_of(function: str, event: Any) -> str:
    """One of KINDS: the function's name, for the Slack edge also what arrived."""
    if function != "slack":
        return function
    body = event["body"]
    form = parse_qs(b64decode(body).decode() if event.get("isBase64Encoded") else body)
    if "payload" not in form:
        return "slack command"
    payload = json.loads(form["payload"][0])
    actions = payload.get("actions") or [{}]
    return f"slack {actions[0].get('action_id') or payload['type']}"


class FirstCalls:
    """Asked before and after each call of the local run. The processes have started by
    then, as Lambda's have when they get their first event."""

    def __init__(
        self, built: Built, played: Session, environment: Callable[[str], dict[str, str]], *, counting: bool
    ) -> None:
        self.found: dict[str, FirstCall] = {}
        self._memory = {name: one.memory_mb for name, one in played.template.functions.items()}
        self._lock = threading.Lock()
        self.warm: list[float] = []
        """Seconds of `notify`'s later calls, as the machine of the limits needs them."""
        self._waiting: dict[str, tuple[Function, float]] = {}
        self._notify: Function | None = None
        self._counting = counting

        def start(kind: str) -> None:
            name = kind.partition(" ")[0]
            function = Function(built, name, environment(name), *([callgrind.COMMAND] if counting else []))
            self._waiting[kind] = function, function.started()

        with ThreadPoolExecutor(2 if counting else 1) as pool:  # under valgrind each takes ten seconds of a processor
            list(pool.map(start, COUNTED if counting else KINDS))

    def before(self, name: str, event: Any) -> None:
        """A step that was done before bears to be done again; but a ticket is good for one claim."""
        if name != "stage":
            self._call(name, event)

    def after(self, name: str, event: Any, _invocation: Invocation) -> None:
        if name == "stage":
            self._call(name, event)

    def _call(self, name: str, event: Any) -> None:
        kind = kind_of(name, event)
        with self._lock:
            if kind == "notify" and self._notify:
                answer, around = _asked(self._notify, event)
                self.warm.append(limits.used(answer.seconds, around))
            if kind not in self._waiting:
                return
            function, init = self._waiting.pop(kind)
            answer, around = _asked(function, event)
            millions, log = callgrind.taken(function) if self._counting else 0.0, function.log()
            if kind == "notify" and not self._counting:
                self._notify = function
            else:
                function.close()
            self.found[kind] = FirstCall(name, event, init, answer, log, around, self._memory[name], millions)

    def close(self) -> None:
        left = [function for function, _ in self._waiting.values()]
        for function in [*left, *([self._notify] if self._notify else [])]:
            function.close()


def _asked(function: Function, event: Any) -> tuple[Answer, float]:
    """The answer, and the machine's calibration around it."""
    before = limits.calibrate()
    answer = function.ask(event)
    return answer, (before + limits.calibrate()) / 2


@contextmanager
def deployments(built: Built, folder: Path, *, counting: bool = False) -> Iterator[FirstCalls]:
    """Play them: one that is rejected; one that is approved, let on to a tenth of the traffic, and rolled back. The
    session is there as long as the block lasts. SSL_CERT_FILE must name `folder`/authorities.pem meanwhile.
    `counting`: under valgrind, which takes minutes."""
    with ExitStack() as stack:
        if counting:
            stack.enter_context(mock.patch.object(slack_client, "PATIENCE", runtime_api.LIMIT))
        authority = Authority(folder)
        played = stack.enter_context(
            session(targets=CANARY.targets(), speed=SPEED, wait_time_scale=1 / SPEED, sweep_seconds=5)
        )
        if counting:
            played.slack.space.tickets.trigger_seconds = runtime_api.LIMIT
            played.user = slack_client.SlackUser(
                played.slack, f"{played.url}/prod/slack/events", played.signing_secret, timeout=runtime_api.LIMIT
            )
        addresses = {url: stack.enter_context(front(url, authority)) for url in (played.url, played.engine_url)}
        played.slack.base_url = f"{addresses[played.url]}/_slack"  # of response URLs

        def environment(function: str) -> dict[str, str]:
            described = played.template.functions[function]
            made = {**base_environment({}), **reserved_variables(described), **played.environment(function)}
            for plain, secure in addresses.items():
                made = {name: value.replace(plain, secure) for name, value in made.items()}
            # pipelines of the local run know no authority of ours, and an issuer's name is its address
            plainly = {"CHATOPS_API_URL": f"{played.url}/prod", "CHATOPS_OIDC_ISSUER": played.github.oidc.url}
            return {**made, **plainly, **authority.environment()}

        calls = FirstCalls(built, played, environment, counting=counting)
        stack.callback(calls.close)
        played.runtime.faults, played.runtime.on_invocation = calls.before, calls.after
        driver = Driver(played, patience=runtime_api.LIMIT if counting else PATIENCE)
        _play(driver)
        played.runtime.invoke("reconcile", _after_an_error(driver))
        played.runtime.invoke("gifs", GIF)
        played.runtime.invoke("page", page_request(card_page(played.slack.messages)))
        yield calls


def _after_an_error(driver: Driver) -> dict[str, Any]:
    """What Reconcile is given: here after no error, with the state that Settle had."""
    entered = (event.get("stateEnteredEventDetails", {}) for event in driver.session.history(driver.arn))
    state = next(json.loads(one["input"]) for one in entered if one.get("name") == "Settle")
    return {"deployment_id": driver.deployment_id, "execution_arn": driver.arn, "state": state}


def _play(driver: Driver) -> None:
    driver.slash("/platform-deploy", "v1.1.0")
    driver.reject("Not on a Friday.")
    driver.end()
    driver.slash("/platform-deploy", "v1.2.3")
    for action in ("approve", "promote", "pause_roll_back"):
        driver.click(action)
    driver.end()
