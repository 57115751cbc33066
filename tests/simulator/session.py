"""Everything around the product in one process: made once, and begun anew for every play."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache, lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import parse_qs

import pytest
import requests
from moto.events.models import EventPattern
from slack_sdk.web import base_client

from fakes.aws_json import ChangingService
from fakes.codedeploy import CodeDeploy
from fakes.ecs import Ecs
from fakes.event_bus import EventBus
from fakes.github import callback, hook
from fakes.github.hook import Webhook
from fakes.github.seed import checkout_api
from fakes.slack import Slack, SlackUser
from fakes.slack.client import Sent
from fakes.slack.directory import U_BOT, U_DEV, U_KIM, U_LEE, Channel
from fakes.slack.workspace import Workspace
from local.events import scheduled
from local.http_api import http_api_event, to_response
from tests.simulator.agenda import BEGINNING, Agenda
from tests.simulator.asl import StateError
from tests.simulator.engine import MACHINE_ARN, Execution, StepFunctions
from tests.simulator.engine import Client as StatesClient
from tests.simulator.lambdas import Lambdas
from tests.simulator.points import Plan
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.services import (
    AwsClient,
    SimulatedGitHub,
    aws_calls,
    github_request,
    issuer_read,
    slack_open,
    slack_post,
)
from tests.simulator.table import Client as TableClient
from tests.simulator.table import Table
from tests.statemachine.conftest import CANARIES
from tests.unit.resolved_template import Resolved

SWEEP_SECONDS = 300
"""template.yaml's schedule."""
RETRIES = (0, 60, 120)
"""Seconds before each try of an asynchronous call.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
ENDS = ("ABORTED", "TIMED_OUT", "FAILED")
"""Of which EventBridge tells `sweep` at once."""
CALM = {
    "poll_min": 5, "poll_max": 60, "rollout_poll": 15, "progress": 20, "take_poll": 5, "take": 600, "approval": 14400,
    "reminder": 7200, "appear": 300, "build": 3600, "deploy": 3600, "rollout": 1800, "promotion": 14400,
    "restore": 1800, "cancel": 300,
}  # fmt: skip
"""Seconds. Two faults and the retries after them are over before a deadline is; no reminder helps a lost wake-up."""
TIMINGS = {
    "usual": CALM,
    "hasty": {**CALM, "approval": 120, "promotion": 120, "reminder": 60},
    "late": {**CALM, "rollout": 120},
    "brisk": CALM,
    "rare": {**CALM, "poll_min": 600, "poll_max": 600},
}
PEOPLE = frozenset({U_DEV, U_LEE, U_KIM, U_BOT})
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "CHATOPS_TABLE": "platform-deploy-table",
    "CHATOPS_STATE_MACHINE_ARN": MACHINE_ARN,
    "CHATOPS_API_URL": "https://bot.invalid/prod",
    "CHATOPS_GITHUB_API_URL": "https://github.invalid",
    "CHATOPS_OIDC_ISSUER": "https://github.invalid/_services/token",
    "CHATOPS_AUDIENCE": "platform-deploy:123456789012:us-east-1:platform-deploy",
    "SLACK_API_URL": "https://slack.invalid/api/",
    "POWERTOOLS_SERVICE_NAME": "chatops",
    **CANARIES,
}
KEPT = ("HOME", "PATH", "PYTHONPATH", "TZ", "PYTEST_CURRENT_TEST")


def target_of(scenario: str) -> str:
    return f"t-{scenario}"


def channel_of(scenario: str) -> str:
    return f"C0{scenario.upper().replace('-', '')}"


def _targets(scenario: str) -> str:
    """The file of its one target."""
    one, target = SCENARIOS[scenario], target_of(scenario)
    place = f"repository: acme/{target}, event_type: dev_deploy"
    place += {
        "ecs": f", ecs: {{cluster: checkout, service: {target}}}",
        "codedeploy": f", codedeploy: {{application: {target}, group: live}}",
    }.get(one.kind, "")
    place += f", {one.target}" if one.target else ""
    claim = "" if one.claim else "claim: false, "
    approvers = f"approvers: [{U_LEE}, {U_KIM}], deploy_approval: {str(one.approval).lower()}"
    timing = ", ".join(f"{k}: {v}" for k, v in TIMINGS[one.timing].items())
    policy = f"policy: {{{approvers}, rollback_approval: false}}"
    return f"targets:\n  {target}: {{{place}, {claim}{policy}, timing: {{{timing}}}}}\n"


class Session:
    """What a play meets. `log`: what the functions have logged. `remembers`: as `github_request` has it."""

    remembers = True

    def __init__(self, targets: Path) -> None:
        self._targets = targets
        self.github = SimulatedGitHub(Agenda(), repositories=())  # type: ignore[arg-type]  # see `SimulatedGitHub`
        self.github.oidc.url = ENVIRONMENT["CHATOPS_OIDC_ISSUER"]
        self.github.chatops_url = ENVIRONMENT["CHATOPS_API_URL"]
        self.github.chatops_audience = ENVIRONMENT["CHATOPS_AUDIENCE"]
        self.github.tokens = {CANARIES["GITHUB_PERSONAL_ACCESS_TOKEN"]}
        self._repositories: dict[str, Any] = {}
        self.slack = Slack(Agenda(), "https://slack.invalid")  # type: ignore[arg-type]  # as much of a clock as needed
        self.slack.tokens = {CANARIES["SLACK_BOT_TOKEN"]}
        self.make_table: Callable[[], Table] = Table
        self.make_lambdas: Callable[..., Lambdas] = Lambdas
        self.forget_keys: Callable[[], object] = lambda: None
        self.log = io.StringIO()

    def begin(self, plan: Plan, meanwhile: Callable[[str], object]) -> None:
        """Everything as it is before the play begins."""
        name = plan.scenario
        scenario, repository = SCENARIOS[name], f"acme/{target_of(name)}"
        if repository not in self._repositories:
            made = self._repositories[repository] = checkout_api(BEGINNING)
            made.name = target_of(name)
        self._anew(
            self._targets / f"{name}.yaml", partial(self.make_lambdas, plan, meanwhile), self._repositories[repository]
        )
        self.github.script = {f"{repository} {stage}": script for stage, script in scenario.scripts.items()}
        if not scenario.claim:  # others report by themselves
            url = f"{ENVIRONMENT['CHATOPS_API_URL']}/github/events"
            self.github.webhook = Webhook(url, CANARIES["GITHUB_WEBHOOK_SECRET"])
        channel = channel_of(name)
        self.slack.space.channels[channel] = Channel(channel, target_of(name), PEOPLE)

    def _anew(self, targets: Path, lambdas: Callable[[], Lambdas], *repositories: Any) -> None:
        """Nothing has happened yet; these repositories are there, and the targets of this file."""
        self.agenda = Agenda()
        os.environ["CHATOPS_TARGETS_FILE"] = str(targets)
        clock: Any = self.agenda
        self.lambdas = lambdas()
        self.states = StepFunctions(self.agenda, self.lambdas.invoke, self._ended)
        self.table = self.make_table()
        self.events = EventBus()
        self.ecs, self.codedeploy = Ecs(clock, service=""), CodeDeploy(clock)
        self.github.begin(self.agenda)
        self.github.oidc.now = self.agenda.now
        self.github.webhook = None
        self.github.repositories = {one.full_name: one for one in repositories}
        self.forget_keys()
        self.slack.reset()
        self.slack.misread.clear()
        self.slack.space = Workspace(clock)
        secret = CANARIES["SLACK_SIGNING_SECRET"]
        self.user = SlackUser(
            self.slack, "https://bot.invalid/prod/slack/events", secret, post=self._post, now=clock.now
        )
        self.log.seek(0)
        self.log.truncate()
        calls = aws_calls(self.lambdas.call)
        self.clients: dict[str, Any] = {
            "dynamodb": TableClient(self.table, calls),
            "stepfunctions": StatesClient(self.states, calls),
            "ecs": AwsClient("ECS", self.ecs, calls),
            "codedeploy": AwsClient("CodeDeploy", self.codedeploy, calls),
            "events": AwsClient("Events", self.events, calls),
        }
        self.agenda.later(SWEEP_SECONDS, self._scheduled)

    # -- what calls functions

    def _post(self, sent: Sent, _: float) -> tuple[int, Mapping[str, str], bytes]:
        """Slack's request, through API Gateway."""
        event = http_api_event("POST", "/slack/events", headers=sent.headers, body=sent.body, now=self.agenda.now())
        return self._gateway("slack", event, _slack_step(sent.body))

    def pipeline_post(self, url: str, body: Mapping[str, Any], sent: Mapping[str, str]) -> tuple[int, bytes]:
        """A run's request to the bot."""
        path = url.removeprefix("https://bot.invalid/prod")
        run = next(one for one in self.github.runs if one.payload["ticket"] == body["ticket"])
        headers = {"content-type": "application/json", **sent}
        event = http_api_event("POST", path, headers=headers, body=json.dumps(body).encode(), now=self.agenda.now())
        status, _, content = self._gateway("stage", event, f"{path.rpartition('/')[2]}:{run.stage}")
        return status, content

    def hook_post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """A delivery of GitHub's webhook."""
        event = http_api_event("POST", "/github/events", headers=headers, body=body, now=self.agenda.now())
        status, _, content = self._gateway("wake", event, "wake:webhook")
        return status, content

    def _gateway(self, name: str, event: Any, step: str) -> tuple[int, Mapping[str, str], bytes]:
        try:
            status, headers, content = to_response(self.lambdas.invoke(name, event, step))
        except StateError:
            return 500, {}, b'{"message": "Internal Server Error"}'
        return status, dict(headers), content

    def _scheduled(self) -> None:
        self.agenda.later(SWEEP_SECONDS, self._scheduled)
        self.sweep()

    def listen(self) -> None:
        """From now on EventBridge tells `wake` what happens at ECS and CodeDeploy."""
        for service in (self.ecs, self.codedeploy):
            service.planned = partial(self._at_its_time, service)
            service.on_event = self._changed

    def _at_its_time(self, service: ChangingService, seconds: float) -> None:
        self.agenda.later(seconds, service.advance)

    def _changed(self, event: dict[str, Any]) -> None:
        if any(pattern.matches_event(event) for pattern in _patterns()):
            self.agenda.later(1, lambda: self._wake(event))

    def _wake(self, event: dict[str, Any], tries: tuple[int, ...] = RETRIES) -> None:
        try:
            self.lambdas.invoke("wake", event)
        except StateError:
            if tries[1:]:
                self.agenda.later(tries[1], lambda: self._wake(event, tries[1:]))

    def _ended(self, execution: Execution) -> None:
        if execution.status in ENDS:
            self.agenda.later(1, self.sweep)

    def sweep(self, tries: tuple[int, ...] = RETRIES) -> None:
        """EventBridge calls it, and again where it fails."""
        try:
            self.lambdas.invoke("sweep", scheduled())
        except StateError:
            if tries[1:]:
                self.agenda.later(tries[1], lambda: self.sweep(tries[1:]))


@cache
def _patterns() -> tuple[EventPattern, ...]:
    """Of template.yaml's rules for `wake`."""
    function = Resolved(facts={"AWS::Region": "us-east-1"}).resources("AWS::Serverless::Function")["WakeFunction"]
    rules = [each["Properties"]["Pattern"] for each in function["Events"].values() if "Pattern" in each["Properties"]]
    return tuple(EventPattern.load(json.dumps(pattern)) for pattern in rules)


def _slack_step(body: bytes) -> str:
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    if "payload" not in form:
        kind = form["command"].rpartition("-")[2]
        return f"slack:{'cancel' if form.get('text', '').startswith('cancel') else kind}"
    payload = json.loads(form["payload"])
    return "slack:submit" if payload["type"] == "view_submission" else f"slack:{payload['actions'][0]['action_id']}"


class _Session:
    """requests.Session, as a run's claim and finish use it."""

    def __init__(self, session: Session) -> None:
        self._session, self.trust_env = session, True

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def post(
        self, url: str, headers: Mapping[str, str], timeout: float, json: Any = None, data: bytes | None = None
    ) -> Any:
        status, content = (
            self._session.pipeline_post(url, json, headers) if data is None else self._session.hook_post(data, headers)
        )
        made = requests.Response()
        made.status_code, made._content = status, content
        return made


S = TypeVar("S", bound=Session)


def opened() -> AbstractContextManager[Session]:
    """For plays of one deployment."""
    return opened_as(Session)


@contextmanager
def opened_as(kind: type[S]) -> Iterator[S]:
    """The session, in place of everything outside of this process as long as it is open."""
    with TemporaryDirectory(prefix="simulator-") as folder, pytest.MonkeyPatch.context() as patch:
        for scenario in SCENARIOS:
            (Path(folder) / f"{scenario}.yaml").write_text(_targets(scenario), "utf-8")
        for name in [name for name in os.environ if name not in KEPT]:
            patch.delenv(name)  # `targets` reads all of them, often
        for name, value in {**ENVIRONMENT, "CHATOPS_TARGETS_FILE": ""}.items():
            patch.setenv(name, value)
        from chatops import aws, clock, observability
        from chatops.edge import handler
        from chatops.github import budget, oidc
        from chatops.network import deadline, kept
        from chatops.settings import config, targets
        from chatops.store import table

        config.reset()
        patch.setattr(targets, "_cached", lru_cache(maxsize=64)(targets._cached.__wrapped__))
        session = kind(Path(folder))

        def now() -> float:
            return session.agenda.now()

        times = SimpleNamespace(time=now, monotonic=now, sleep=lambda _: None)
        patch.setattr(clock, "now", now)
        for module in (deadline, handler, table):
            patch.setattr(module, "time", times)
        patch.setattr(handler, "monotonic", now)
        patch.setattr(budget, "drawn", lambda _: 0.0)
        patch.setattr(deadline.Deadline, "run", _at_once)
        patch.setattr(aws, "client", lambda service, **_: session.clients[service])
        patch.setattr(observability, "emit", lambda *_: None)
        outgoing = SimpleNamespace(Session=lambda: _Session(session), RequestException=OSError)
        for module in (callback, hook):
            patch.setattr(module, "requests", outgoing)

        def through(*given: Any) -> Any:
            return session.lambdas.call(*given)

        patch.setattr(
            requests.Session, "request", github_request(lambda: session.github, through, lambda: session.remembers)
        )
        patch.setattr(oidc, "read", issuer_read(lambda: session.github, through))
        session.forget_keys = oidc.issuer.cache_clear
        patch.setattr(base_client, "urlopen", slack_open(lambda: session.slack, through))
        patch.setattr(kept.Kept, "post", slack_post(lambda: session.slack, through))
        patch.setattr(observability.logger.handler, "stream", session.log)
        try:
            yield session
        finally:
            config.reset()


def _at_once(self: Any, work: Callable[[], Any]) -> Any:
    """chatops.network.deadline.Deadline.run without a thread: no call takes any time here. What comes too late is the
    business of tests/faults/test_edge_stalls.py."""
    from chatops.network import deadline

    outer = getattr(deadline._here, "deadline", None)
    deadline._here.deadline = self
    try:
        return work()
    finally:
        deadline._here.deadline = outer
