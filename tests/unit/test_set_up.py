"""make install after the stack: it asks for what is missing, puts each answer at once, and can be run again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from scripts import set_up
from scripts.manifest import NEW_APP
from tests.app_key import private_key
from tests.unit.stack_session import CloudFormation, outputs

SIGNING, BOT, TOKEN = "0123456789abcdef0123456789abcdef", "xoxb-canary-1", "ghp_canary2"
NAMES = {"SLACK_SIGNING_SECRET": SIGNING, "SLACK_BOT_TOKEN": BOT, "GITHUB_PERSONAL_ACCESS_TOKEN": TOKEN}


class Installation:
    """moto's Secrets Manager, a stack that names its secrets, and a doctor who is only asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = boto3.client("secretsmanager", region_name="eu-west-1")
        self.arns = [self.client.create_secret(Name=name, SecretString="{}")["ARN"] for name in ("slack", "github")]
        found = outputs(
            SlackSecretArn=self.arns[0], GithubSecretArn=self.arns[1], SlackRequestUrl="https://a.example/prod"
        )
        self.cloudformation = CloudFormation({"bot": found})
        clients = {"cloudformation": self.cloudformation, "secretsmanager": self.client}
        monkeypatch.setattr(set_up, "boto3", SimpleNamespace(client=clients.__getitem__))
        monkeypatch.setattr(set_up, "doctor", self._doctor)
        self.examined: list[Any] = []
        self.asked: list[str] = []
        self.answers: dict[str, list[str]] = {}
        self.finding = 0

    def _doctor(self, arguments: list[str]) -> int:
        self.examined.append(arguments)
        return self.finding

    def go_on(self, env: dict[str, str] | None = None, **answers: str | list[str]) -> int:
        self.asked.clear()
        self.answers = {name: [one] if isinstance(one, str) else list(one) for name, one in answers.items()}
        return set_up.go_on("bot", env or {}, self._ask)

    def _ask(self, question: str) -> str:
        name = question.partition(":")[0]
        self.asked.append(name)
        waiting = self.answers.get(name, [])
        return waiting.pop(0) if waiting else ""

    def stored(self) -> dict[str, str]:
        texts = [self.client.get_secret_value(SecretId=arn)["SecretString"] for arn in self.arns]
        return {name: value for text in texts for name, value in json.loads(text).items()}


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Installation(monkeypatch)


def test_the_app_comes_first_then_each_secret_with_where_it_is_found_then_the_doctor(
    bot: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bot.go_on(**NAMES) == 0
    assert bot.asked == list(NAMES)
    assert bot.stored() == NAMES
    assert bot.examined == [["--stack", "bot"]]
    said = capsys.readouterr().out
    order = [NEW_APP, "SLACK_SIGNING_SECRET", "Basic Information", "personal-access-tokens/new", "doctor", "/invite"]
    assert [said.index(each) for each in order] == sorted(said.index(each) for each in order)
    assert not [value for value in NAMES.values() if value in said]


def test_it_goes_on_where_it_stopped_and_asks_nothing_twice(
    bot: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bot.go_on(SLACK_SIGNING_SECRET=SIGNING) == 1
    assert "SLACK_BOT_TOKEN is still missing. make install STACK=bot goes on here." in capsys.readouterr().err
    assert (bot.stored(), bot.examined) == ({"SLACK_SIGNING_SECRET": SIGNING}, [])
    assert bot.go_on(SLACK_BOT_TOKEN=BOT, GITHUB_PERSONAL_ACCESS_TOKEN=TOKEN) == 0
    assert bot.asked == ["SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN"]
    capsys.readouterr()
    assert bot.go_on() == 0
    assert bot.asked == []
    assert NEW_APP not in capsys.readouterr().out


def test_a_mix_up_is_asked_again_and_changes_nothing(bot: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    assert bot.go_on(**{**NAMES, "SLACK_BOT_TOKEN": [SIGNING, BOT]}) == 0
    assert bot.asked == ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN", "GITHUB_PERSONAL_ACCESS_TOKEN"]
    assert "a bot token begins with xoxb-" in capsys.readouterr().out
    assert bot.stored() == NAMES


def test_with_an_app_its_key_is_asked_for_and_no_token(bot: Installation) -> None:
    bot.cloudformation.stacks["bot"]["Parameters"] = [{"ParameterKey": "GithubAppId", "ParameterValue": "123"}]
    assert bot.go_on(**NAMES, GITHUB_APP_PRIVATE_KEY=private_key()) == 0
    assert bot.asked[-1] == "GITHUB_APP_PRIVATE_KEY"
    assert "GITHUB_PERSONAL_ACCESS_TOKEN" not in bot.stored()


def test_what_is_in_the_environment_is_put_and_not_asked_for(bot: Installation) -> None:
    assert bot.go_on({"SLACK_SIGNING_SECRET": SIGNING, "CHATOPS_GITHUB_TOKEN": TOKEN}, SLACK_BOT_TOKEN=BOT) == 0
    assert bot.asked == ["SLACK_BOT_TOKEN"]
    assert bot.stored() == NAMES


def test_what_the_doctor_finds_is_the_outcome(bot: Installation) -> None:
    bot.finding = 1
    assert bot.go_on(**NAMES) == 1


def test_a_terminal_that_goes_away_and_aws_that_refuses_say_how_to_go_on(
    bot: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    assert set_up.go_on("bot", {}, nobody) == 1
    bot.cloudformation.refuses = "ExpiredToken"
    assert bot.go_on(**NAMES) == 1
    said = capsys.readouterr().err
    assert said.count("make install STACK=bot goes on here.") == 2
    assert "Sign in" in said


def test_everything_that_can_be_missing_says_where_it_is_found() -> None:
    every = {*set_up.stack_secret.missing({}, app=True), *set_up.stack_secret.missing({}, app=False)}
    assert every == set(set_up.WHERE)
