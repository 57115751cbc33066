"""The whole bot on one machine: the engine, the functions, the gateway, and the external services."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from chatops.domain.target import Target
from chatops.settings import targets_file
from fakes.clock import Clock
from fakes.github import GitHub
from fakes.github.hook import Webhook
from fakes.github.oidc import PLACE
from fakes.slack import Slack, SlackUser
from fakes.slack.directory import C_DEPLOY
from local import machine, people, provision, settings
from local.engine import EmbeddedEngine
from local.events import ExecutionEvents, Schedule, ServiceEvents
from local.gateway import Gateway
from local.guard import CONTAINER, App
from local.runtime.endpoint import LambdaRuntime
from local.runtime.template import Template, load_template
from local.web import Mounts, WebServer

ROOT = Path(__file__).resolve().parent.parent
REGION, ACCOUNT = "us-east-1", "123456789012"
STACK = "platform-deploy"
SECRETS = {"SlackSecret": f"{STACK}-slack", "GithubSecret": f"{STACK}-github", "WebhookSecret": f"{STACK}-webhook"}
"""Their names, by what template.yaml calls them."""
SIGNING_SECRET = "local-signing-secret"
BOT_TOKEN, GITHUB_TOKEN = "xoxb-local", "ghp_local"
WEBHOOK_SECRET = "local-webhook-secret"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


class Session:
    """Everything, started. `github`, `ecs`, `codedeploy` and `slack` are the fakes, `user` whoever types in Slack.

    `targets`: the text of a targets.yaml (default: the one variable-made target is not used, local/targets.yaml is).
    `speed`: of the fakes' time. `wait_time_scale`: of the machine's Wait states. `engine`: the URL of another Step
    Functions endpoint; its Lambda endpoint must then be `runtime.url`, at `lambda_host` and `lambda_port`.
    `max_warm`: as LambdaRuntime has it. `events` False: EventBridge is the test.
    `page`: what is served for other paths until `mount_page`.
    """

    def __init__(
        self,
        stack: ExitStack,
        *,
        targets: str = "",
        speed: float = 1.0,
        wait_time_scale: float = 1.0,
        engine: str = "",
        port: int = 0,
        lambda_port: int = 0,
        lambda_host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        sweep_seconds: float = 0,
        log_dir: str | None = None,
        max_warm: int = 8,
        events: bool = True,
        page: App | None = None,
    ) -> None:
        self.clock = Clock(speed)
        stack.callback(self.clock.close)
        self._targets_file = self._file(stack, targets)
        self.targets = self._read(environment or {})
        self.platforms = provision.Platforms.empty(self.clock)
        self.ecs, self.codedeploy = self.platforms.ecs, self.platforms.codedeploy
        repositories = provision.repositories(self.targets, self.clock.now())
        self.github = GitHub(self.clock, repositories=repositories)
        self.github.deployers |= self.platforms.add(self.targets)
        stack.callback(self.github.close)
        self.github.chatops_audience = f"platform-deploy:{ACCOUNT}:{REGION}:{STACK}"
        self.slack = Slack(self.clock)
        self.channel = settings.value("SlackChannelId", environment or {}) or C_DEPLOY
        people.introduce(self.slack.space, self.targets, self.channel)
        fake: dict[str, App] = {"_github": self.github.mount, "_slack": self.slack.app}
        fake["_sts"] = self.platforms.sts.app
        self._mounts = Mounts(fake, {}, self.platforms.services(), page)
        web = WebServer(self._mounts, port=port)
        stack.callback(web.close)
        self.url = web.url
        self.slack.base_url = f"{self.url}/_slack"
        self.github.oidc.url, self.github.chatops_url = f"{self.url}/_github{PLACE}", f"{self.url}/prod"
        self.signing_secret = _given("SLACK_SIGNING_SECRET", SIGNING_SECRET)
        self.template = self._template(environment or {})
        # the engine is told where the functions are, and the functions where the engine is: the runtime comes first,
        # and learns the rest before its first call
        self._environment: dict[str, str] = {}
        self.runtime = stack.enter_context(
            LambdaRuntime(
                self.template,
                self._environment,
                lambda_host,
                lambda_port,
                log_dir,
                max_warm=max_warm,
                names=(CONTAINER,) if engine else (),
            )
        )
        embedded = stack.enter_context(EmbeddedEngine(self.runtime.url, wait_time_scale))
        self._embedded = embedded
        self.engine_url = engine or embedded.url
        self.sfn = self._client("stepfunctions", self.engine_url)
        self.dynamodb = self._client("dynamodb", embedded.url)
        self._environment.update(self._endpoints(embedded.url) | dict(environment or {}))
        self._create_table()
        self._store_secrets(embedded.url)
        self.machine_arn = machine.create(
            self.sfn, stack, f"{STACK}-deploy", self.template.definition(), lasting=bool(engine)
        )
        self._environment["CHATOPS_STATE_MACHINE_ARN"] = self.machine_arn
        self.gateway = Gateway(self.runtime, self.template.routes)
        self._mounts._whole["prod"] = self.gateway
        self.user = SlackUser(self.slack, f"{self.url}/prod/slack/events", self.signing_secret)
        if events:
            self._start_events(stack, sweep_seconds)

    def mount_page(self, page: Any) -> None:
        """Serve this application for every path that belongs to nothing else."""
        self._mounts.root = page

    def set_speed(self, speed: float) -> None:
        """From now on `speed` seconds of the fakes and of Wait states pass in one. Deadlines and the intervals at
        which the machine looks at a run stay: those are the target's, and real."""
        self.clock.speed = speed
        self._embedded.wait_time_scale = 1 / speed

    def _template(self, environment: Mapping[str, str]) -> Template:
        parameters = {name: settings.value(name, environment) for name in settings.PARAMETERS}
        facts = {"AWS::StackName": STACK, "Table": f"{STACK}-table", **SECRETS, "HttpApi": "local"}
        return load_template(ROOT / "template.yaml", parameters, facts)

    def _read(self, environment: Mapping[str, str]) -> dict[str, Target]:
        """The targets as the functions will read them. Raises InvalidConfiguration."""
        return targets_file.load(self._targets_file, settings.variables(environment))

    def _client(self, service: str, url: str) -> Any:
        # Step Functions prefixes some hosts ("sync-…"); an address of this machine has no such name
        config = Config(inject_host_prefix=False, max_pool_connections=50, retries={"max_attempts": 2})
        return boto3.client(service, endpoint_url=url, config=config, **CREDENTIALS)

    @staticmethod
    def _file(stack: ExitStack, targets: str) -> Path:
        if not targets:
            return settings.targets_path()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="platform-deploy-"))
        path = Path(folder) / "targets.yaml"
        path.write_text(targets, encoding="utf-8")
        return path

    def _endpoints(self, embedded: str) -> dict[str, str]:
        made = {
            "AWS_ENDPOINT_URL": embedded,
            "AWS_ENDPOINT_URL_SFN": self.engine_url,
            "AWS_ENDPOINT_URL_DYNAMODB": embedded,
            "AWS_ENDPOINT_URL_ECS": self.url,
            "AWS_ENDPOINT_URL_CODEDEPLOY": self.url,
            "AWS_ENDPOINT_URL_STS": f"{self.url}/_sts",
            "CHATOPS_GITHUB_API_URL": f"{self.url}/_github",
            "CHATOPS_OIDC_ISSUER": self.github.oidc.url,
            "SLACK_API_URL": self.slack.api_url,
            "CHATOPS_API_URL": f"{self.url}/prod",
            "CHATOPS_TARGETS_FILE": str(self._targets_file.resolve()),
            "CHATOPS_CONSOLE_URL": f"{self.url}/#/{{name}}",
        }
        return made | {name: os.environ[name] for name in settings.SEAMS if _given(name)}

    def _create_table(self) -> None:
        self.dynamodb.create_table(
            TableName=f"{STACK}-table",
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in (("pk", "HASH"), ("sk", "RANGE"))],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )

    def _store_secrets(self, url: str) -> None:
        slack = {"SLACK_SIGNING_SECRET": self.signing_secret, "SLACK_BOT_TOKEN": _given("SLACK_BOT_TOKEN", BOT_TOKEN)}
        github = {
            "GITHUB_PERSONAL_ACCESS_TOKEN": _given("GITHUB_PERSONAL_ACCESS_TOKEN", GITHUB_TOKEN),
            "GITHUB_APP_PRIVATE_KEY": _given("GITHUB_APP_PRIVATE_KEY"),
        }
        webhook = {"GITHUB_WEBHOOK_SECRET": _given("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)}
        if not all(target.claim for target in self.targets.values()):  # others report by themselves
            self.github.webhook = Webhook(f"{self.url}/prod/github/events", webhook["GITHUB_WEBHOOK_SECRET"])
        # whoever sets a token means it: the fakes know the one that the functions will use
        self.slack.tokens = {slack["SLACK_BOT_TOKEN"]}
        self.github.tokens = {github["GITHUB_PERSONAL_ACCESS_TOKEN"]}
        if app := _given("GITHUB_APP_ID"):
            self._install_app(app, github)
        self.secrets = self._client("secretsmanager", url)
        for name, values in (("SlackSecret", slack), ("GithubSecret", github), ("WebhookSecret", webhook)):
            self.secrets.create_secret(Name=SECRETS[name], SecretString=json.dumps(values))

    def _install_app(self, name: str, secret: dict[str, str]) -> None:
        """GitHub knows this App, everywhere, and no personal token."""
        key = secret["GITHUB_APP_PRIVATE_KEY"]
        if not key:
            raise ValueError("GITHUB_APP_ID is set and GITHUB_APP_PRIVATE_KEY is not; it should hold the App's key")
        try:
            app = self.github.apps.register(name, key)
        except (ValueError, TypeError):
            raise ValueError("GITHUB_APP_PRIVATE_KEY should hold the App's RSA private key (PEM)") from None
        for owner in {repository.owner for repository in self.github.repositories.values()}:
            self.github.apps.install(app, owner)
        self.github.tokens, secret["GITHUB_PERSONAL_ACCESS_TOKEN"] = set(), ""

    def _start_events(self, stack: ExitStack, sweep_seconds: float) -> None:
        for name, statuses in self.template.execution_events:
            stack.enter_context(ExecutionEvents(self.sfn, self.machine_arn, self.runtime, [name], statuses))
        services = (self.ecs, self.codedeploy)
        stack.enter_context(ServiceEvents(services, self.runtime, self.template.service_events))
        for name, seconds in self.template.schedules:
            stack.enter_context(Schedule(self.runtime, name, (sweep_seconds or seconds) * self.clock.speed, self.clock))

    def environment(self, function: str = "plan") -> dict[str, str]:
        """The variables that this function is started with, but for Lambda's own."""
        return {**self.template.functions[function].environment, **self._environment}

    def start(self, request: Any, name: str) -> str:
        """Start an execution as the console does; its ARN."""
        started = self.sfn.start_execution(stateMachineArn=self.machine_arn, name=name, input=json.dumps(request))
        return str(started["executionArn"])

    def describe(self, arn: str) -> dict[str, Any]:
        """DescribeExecution."""
        found: dict[str, Any] = self.sfn.describe_execution(executionArn=arn)
        return found

    def history(self, arn: str) -> list[dict[str, Any]]:
        """All history events, oldest first."""
        return machine.history(self.sfn, arn)

    def executions(self) -> list[dict[str, Any]]:
        """All executions of the machine, newest first."""
        found = machine.executions(self.sfn, self.machine_arn)
        return sorted(found, key=lambda e: e["startDate"], reverse=True)

    def wait(self, arn: str, seconds: float = 60) -> dict[str, Any]:
        """The execution when it has ended. Raises TimeoutError with where it stands."""
        pause = threading.Event()
        for _ in range(int(seconds / 0.05)):
            found = self.describe(arn)
            if found["status"] != "RUNNING":
                return found
            pause.wait(0.05)
        raise TimeoutError(f"{arn} still runs after {seconds} s, in {states_entered(self.history(arn))[-3:]}")


def _given(name: str, otherwise: str = "") -> str:
    """The environment's variable."""
    return os.environ.get(name, "").strip() or otherwise


def states_entered(events: list[dict[str, Any]]) -> list[str]:
    """The names of the states in the order in which they were entered."""
    return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]


@contextmanager
def session(**settings: Any) -> Iterator[Session]:
    """A session for the length of a `with` block."""
    with ExitStack() as stack:
        yield Session(stack, **settings)
