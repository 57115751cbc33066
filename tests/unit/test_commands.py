"""Slash commands: what they start, and what they are answered at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from chatops import aws
from chatops.domain import command_names
from chatops.domain.event import StepEvent
from chatops.domain.ids import deployment_id
from chatops.edge import commands, handler
from chatops.messages import catalogue
from chatops.settings import config
from chatops.steps.handler import step


class States:
    """Step Functions with memory: executions by name."""

    class exceptions:  # noqa: N801 - botocore's name
        class ExecutionAlreadyExists(ClientError):
            pass

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.fails: Exception | None = None

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> None:  # noqa: N803, A002
        if self.fails:
            raise self.fails
        assert stateMachineArn.endswith(":chatops-deploy")
        if self.started.setdefault(name, input) != input:
            raise self.exceptions.ExecutionAlreadyExists(
                {"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution"
            )


@pytest.fixture
def states(environment: pytest.MonkeyPatch) -> States:
    made = States()
    environment.setattr(aws, "client", lambda *_arguments, **_named: made)
    return made


def form(command: str, text: str = "", **more: str) -> dict[str, str]:
    return {
        "command": command,
        "text": text,
        "team_id": "T0ACME001",
        "trigger_id": "1.2.3",
        "user_id": "U0DANA001",
        "user_name": "dana",
        "channel_id": "C0DEPLOY1",
        "response_url": "https://hooks.slack.com/commands/1",
        **more,
    }


def said(answer: dict[str, Any]) -> str:
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert body["response_type"] == "ephemeral"
    return str(body["text"])


def test_a_deploy_starts_one_execution_with_what_was_asked(states: States) -> None:
    answer = commands.answer(form("/platform-deploy", "v1.2.3 --dry-run"))
    (name,) = states.started
    assert name == deployment_id("T0ACME001", "1.2.3")
    assert json.loads(states.started[name]) == {
        "schema": 1,
        "command": "deploy",
        "version": "v1.2.3",
        "target": "dev",
        "dry_run": True,
        "requester": {"id": "U0DANA001", "name": "dana"},
        "channel": "C0DEPLOY1",
        "response_url": "https://hooks.slack.com/commands/1",
    }
    assert answer == {"statusCode": 200, "body": ""}, "the dry run's report is the one private answer"


def test_the_same_delivery_is_one_execution_however_often_it_comes(states: States) -> None:
    asked = form("/platform-deploy", "v1.2.3")
    assert len({said(commands.answer(dict(asked))) for _ in range(4)}) == 1
    assert len(states.started) == 1
    commands.answer({**asked, "trigger_id": "1.2.4"})
    assert len(states.started) == 2
    # after its end StartExecution says ExecutionAlreadyExists even for the same input
    states.started[deployment_id("T0ACME001", "1.2.3")] = "ended"
    assert said(commands.answer(asked)).startswith("Got it.")
    # without its id two deliveries could not be told from one
    assert commands.answer(form("/platform-deploy", "v1.2.3", trigger_id=""))["statusCode"] == 400
    assert len(states.started) == 2


@pytest.mark.parametrize(
    ("command", "text", "answer"),
    [
        ("/platform-deploy", "v1.2.3", "Got it. Deploying `v1.2.3` to *dev*; follow it below."),
        ("/platform-deploy", "", "Got it. Deploying the latest version to *dev*; follow it below."),
        ("/platform-rollback", "v1.2.2 it's slow", "Got it. Rolling *dev* back to `v1.2.2`; follow it below."),
        ("/platform-rollback", "", "Got it. Rolling *dev* back to the last healthy version; follow it below."),
        ("/acme-Deploy", "v1", "Got it. Deploying `v1` to *dev*; follow it below."),
        # a report is the one private answer, so nothing is shown before
        ("/platform-rollback", "--dry-run", ""),
        ("/platform-status", "", ""),
        ("/platform-deploy", "history", ""),
        ("/status", "dev", ""),
    ],
)
def test_what_was_understood_is_said_at_once(states: States, command: str, text: str, answer: str) -> None:
    given = commands.answer(form(command, text))
    assert (said(given) if answer else given) == (answer or {"statusCode": 200, "body": ""})
    assert len(states.started) == 1


def test_a_direct_message_is_told_in_which_channel_it_goes_on(states: States, environment: pytest.MonkeyPatch) -> None:
    """`plan` announces nothing in direct messages."""
    environment.setenv("SLACK_CHANNEL_ID", "C0OPS0001")
    config.reset()
    asked = form("/platform-deploy", "v1", channel_id="D0DANA001")
    assert said(commands.answer(asked)) == "Got it. Deploying `v1` to *dev*; follow it in <#C0OPS0001>."


@pytest.mark.parametrize(
    ("command", "text"),
    [
        *(("/platform-deploy", "help"), ("/platform-status", "help"), ("/platform-rollback", "help")),
        # a command that is none of ours
        *(("/platform-help", "v1.2.3"), ("/other", "v1.2.3"), ("", "v1.2.3"), ("/deployment", "v1.2.3")),
    ],
)
def test_help_names_every_command_and_the_targets_and_starts_nothing(states: States, command: str, text: str) -> None:
    shown = said(commands.answer(form(command, text)))
    for one in (
        "/platform-deploy v1.2.3 dev`",
        "/platform-deploy v1.2.3 dev --dry-run`",
        "/platform-status dev`",
        "/platform-rollback dev ",
        "/platform-deploy cancel`",
        "Targets: dev",
    ):
        assert one in shown
    assert states.started == {}


@pytest.mark.parametrize(
    ("command", "text", "what", "usage"),
    [
        ("/platform-deploy", "v1.2.3 deev", "Did you mean `dev`?", "/platform-deploy [version]"),
        ("/platform-deploy", "v1.2.3 --now", "Unknown option `--now`.", "/platform-deploy [version]"),
        ("/platform-deploy", "v1.2.3 --dryrun", "Did you mean `--dry-run`?", "/platform-deploy [version]"),
        ("/platform-rollback", "--dryrun", "Did you mean `--dry-run`?", "/platform-rollback [version]"),
        ("/platform-deploy", "$(reboot)", "isn't a valid version", "/platform-deploy [version]"),
        ("/platform-deploy", "cancel a b", "isn't a deployment id", "/platform-deploy cancel [id]"),
        ("/platform-status", "nowhere", "Targets: dev.", "/platform-status [target]"),
        ("/platform-rollback", "v1.2.2;id", "isn't a valid version", "/platform-rollback [version]"),
    ],
)
def test_a_mistake_is_answered_with_what_is_wrong_and_the_usage_and_starts_nothing(
    states: States, command: str, text: str, what: str, usage: str
) -> None:
    found = said(commands.answer(form(command, text)))
    assert what in found
    assert usage in found
    assert found.count("/platform-") == 1, "only the usage that is meant"
    assert states.started == {}


def test_slacks_escapes_arrive_as_they_were_typed_and_are_harmless_in_the_answer(states: States) -> None:
    """Slack escapes & < > before it sends; typed literally, `<!channel>` arrives as `&lt;!channel&gt;`."""
    found = said(commands.answer(form("/platform-deploy", "&lt;!channel&gt;`*x*")))
    assert "<!channel>" not in found
    assert "!channel&gt;'" in found
    commands.answer(form("/platform-rollback", "R&amp;D says no, a &amp;lt; b"))
    (made,) = states.started.values()
    assert json.loads(made)["reason"] == "R&D says no, a &lt; b"


def test_several_targets_and_no_dev_must_be_told_apart(
    states: States, environment: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "targets.yaml").write_text("targets: {stage: {}, prod: {}}")
    environment.setenv("CHATOPS_TARGETS_FILE", str(tmp_path / "targets.yaml"))
    for command in ("/platform-deploy", "/platform-status", "/platform-rollback"):
        assert "Which target? There are stage, prod." in said(commands.answer(form(command)))
    assert states.started == {}
    said(commands.answer(form("/platform-deploy", "prod")))
    assert len(states.started) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "StartExecution"),
        ConnectTimeoutError(endpoint_url="https://states"),
    ],
)
def test_an_execution_that_could_not_be_started_is_told_as_such(states: States, trouble: Exception) -> None:
    states.fails = trouble
    found = said(commands.answer(form("/platform-deploy", "v1.2.3")))
    assert "could not be started" in found
    assert "/platform-status dev" in found


# -- a workspace that calls the commands otherwise ---------------------------------------------------------------------


@pytest.fixture
def ours() -> Iterator[None]:
    yield
    command_names.use("")


@pytest.mark.parametrize(
    ("command", "prefix"),
    [
        ("/acme-deploy", "/acme-"),
        ("/acme-shop-deploy", "/acme-shop-"),
        ("/deploy", "/"),
        ("/platform-deploy", "/platform-"),
    ],
)
def test_usage_help_and_hints_have_the_commands_own_name(states: States, ours: None, command: str, prefix: str) -> None:
    for text in ("help", "--force"):
        answer = json.loads(handler.deliver(form(command, text))["body"])["text"]
        assert f"`{prefix}deploy" in answer
        assert ("/platform-" in answer) is (prefix == "/platform-")
    handler.deliver(form(command, "v1.2.3"))
    (started,) = states.started.values()
    assert json.loads(started).get("command_prefix", "/platform-") == prefix


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_text_of_its_deployment_has_them_too(ours: None, language: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHATOPS_LANG", language)
    naming = [key for key, text in catalogue.texts(language).items() if "/platform-" in text]
    assert len(naming) > 20
    seen: list[str] = []

    def run(_event: StepEvent) -> None:
        seen.extend(catalogue.say(key) + catalogue.plain(key) for key in naming)

    made = step(run)
    made({"state": {"plan": {"schema": 1, "command_prefix": "/acme-"}}}, None)
    made({"request": {"command_prefix": "/acme-"}}, None)
    assert [text for text in seen if "/platform-" in text or "/acme-" not in text] == []
    made({"request": {"command_prefix": "<!here>"}}, None)
    assert [text for text in seen[-len(naming) :] if "/platform-" not in text] == []
