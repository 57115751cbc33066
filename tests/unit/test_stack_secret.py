"""make secret: what is given is put beside what is there; nothing is erased, nothing is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from scripts import stack_secret
from tests.app_key import private_key
from tests.unit.stack_session import CloudFormation, outputs

EMPTY = {"SLACK_SIGNING_SECRET": "", "SLACK_BOT_TOKEN": ""}
NO_TOKEN = {"GITHUB_PERSONAL_ACCESS_TOKEN": ""}
SIGNING, BOT, TOKEN = "0123456789abcdef0123456789abcdef", "xoxb-canary-1", "ghp_canary2"


class Session:
    """The real boto3 against moto's Secrets Manager; a stack whose outputs name its two secrets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = boto3.client("secretsmanager", region_name="eu-west-1")
        made = self.client.create_secret
        self.slack = made(Name="bot-slack", SecretString=json.dumps(EMPTY))["ARN"]
        self.github = made(Name="bot-github", SecretString=json.dumps(NO_TOKEN))["ARN"]
        found = outputs(SlackSecretArn=self.slack, GithubSecretArn=self.github)
        self.stack = CloudFormation({"platform-deploy": found, "other": {}})
        self.writes: list[str] = []
        self.client.meta.events.register("before-call.secretsmanager.PutSecretValue", self._wrote)
        clients = {"cloudformation": self.stack, "secretsmanager": self.client}
        monkeypatch.setattr(stack_secret.boto3, "client", clients.__getitem__)

    def _wrote(self, params: Any, **_: Any) -> None:
        self.writes.append(json.loads(params["body"])["SecretId"])

    def stored(self, arn: str) -> dict[str, str]:
        return dict(json.loads(self.client.get_secret_value(SecretId=arn)["SecretString"]))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Session(monkeypatch)


def fill(*arguments: str, **env: str) -> int:
    return stack_secret.main([*arguments, "--from-environment"], env)


def test_a_pipelines_secrets_are_put_under_the_functions_names_each_into_its_secret(session: Session) -> None:
    key = private_key()
    assert fill(SLACK_SIGNING_SECRET=SIGNING, SLACK_BOT_TOKEN=BOT, CHATOPS_GITHUB_TOKEN=TOKEN) == 0
    assert fill(CHATOPS_GITHUB_APP_PRIVATE_KEY=key, SLACK_APP_TOKEN="xapp-1") == 0
    assert session.stored(session.slack) == {
        "SLACK_SIGNING_SECRET": SIGNING,
        "SLACK_BOT_TOKEN": BOT,
        "SLACK_APP_TOKEN": "xapp-1",
    }
    assert session.stored(session.github) == {
        "GITHUB_PERSONAL_ACCESS_TOKEN": TOKEN,
        "GITHUB_APP_PRIVATE_KEY": key.strip(),
    }


def test_what_is_not_given_or_empty_stays_and_so_does_what_we_do_not_know(session: Session) -> None:
    session.client.put_secret_value(
        SecretId=session.slack, SecretString=json.dumps({**EMPTY, "SLACK_BOT_TOKEN": BOT, "SOMEBODYS": "own"})
    )
    session.writes.clear()
    assert fill(SLACK_SIGNING_SECRET=SIGNING, SLACK_BOT_TOKEN="", CHATOPS_GITHUB_TOKEN="  ") == 0
    kept = {"SLACK_SIGNING_SECRET": SIGNING, "SLACK_BOT_TOKEN": BOT, "SOMEBODYS": "own"}
    assert session.stored(session.slack) == kept
    assert session.writes == [session.slack], "GitHub's is not written anew"


def test_the_same_again_writes_no_new_version(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(SLACK_BOT_TOKEN=BOT) == 0
    assert fill(SLACK_BOT_TOKEN=BOT) == 0
    assert session.writes == [session.slack]
    assert "nothing, all is as given" in capsys.readouterr().out


def test_nothing_given_asks_nobody_and_is_no_failure_of_a_pipeline(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill() == 0
    assert "stay as they are" in capsys.readouterr().out
    assert (session.stack.asked, session.writes) == ([], [])


def test_no_value_is_shown_whatever_happens(session: Session, capfd: pytest.CaptureFixture[str]) -> None:
    canary = "xoxp-canary-of-another-kind"
    assert fill(SLACK_SIGNING_SECRET=SIGNING, SLACK_BOT_TOKEN=BOT, CHATOPS_GITHUB_TOKEN=TOKEN) == 0
    assert fill(SLACK_BOT_TOKEN=canary) == 1
    assert fill(SLACK_APP_TOKEN=canary) == 1
    assert fill(GITHUB_APP_PRIVATE_KEY=canary) == 1
    session.client.put_secret_value(SecretId=session.slack, SecretString="not json " + canary)
    assert fill(SLACK_BOT_TOKEN=BOT) == 1
    shown = "".join(capfd.readouterr())
    assert "SLACK_BOT_TOKEN holds something else; a bot token begins with xoxb-" in shown
    assert "SLACK_APP_TOKEN holds something else" in shown
    for value in (SIGNING, BOT, TOKEN, canary):
        assert value not in shown


@pytest.mark.parametrize("stored", ["not json", '["a list"]', '"text"'])
def test_a_secret_that_is_no_json_object_is_somebodys_and_stays(
    session: Session, capsys: pytest.CaptureFixture[str], stored: str
) -> None:
    session.client.put_secret_value(SecretId=session.github, SecretString=stored)
    session.writes.clear()
    assert fill(SLACK_BOT_TOKEN=BOT, CHATOPS_GITHUB_TOKEN=TOKEN) == 1
    assert session.client.get_secret_value(SecretId=session.github)["SecretString"] == stored
    assert session.writes == [], "not half of what was given"
    assert "holds no JSON object" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stack", "complaint"),
    [("nowhere", "no stack nowhere in eu-west-1"), ("other", "no output SlackSecretArn and GithubSecretArn")],
)
def test_a_stack_that_is_not_ours_is_told(
    session: Session, capsys: pytest.CaptureFixture[str], stack: str, complaint: str
) -> None:
    assert fill("--stack", stack, SLACK_BOT_TOKEN=BOT) == 1
    said = capsys.readouterr().err
    assert complaint in said
    assert "Nothing was changed" in said


def test_awss_refusal_names_the_code_and_the_rights(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    session.stack.refuses = "AccessDenied"
    assert fill(SLACK_BOT_TOKEN=BOT) == 1
    assert "AWS answered AccessDenied" in capsys.readouterr().err


def test_who_is_not_signed_in_is_told_so_and_not_of_rights(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(*_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(stack_secret.boto3, "client", nobody)
    assert stack_secret.main([], {"SLACK_SIGNING_SECRET": SIGNING}) == 1
    said = capsys.readouterr().err
    assert said.startswith("Nothing was changed. There are no AWS credentials here. Sign in")
    assert "rights" not in said


def test_the_pipelines_variable_names_the_stack(session: Session) -> None:
    assert fill(SLACK_BOT_TOKEN=BOT, VARIABLES='{"CHATOPS_STACK_NAME": "nowhere"}') == 1
    assert session.stack.asked == ["nowhere"]


def test_a_person_is_asked_for_the_rest_and_enter_keeps(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(SLACK_BOT_TOKEN=BOT) == 0
    assert "Still missing: SLACK_SIGNING_SECRET, GITHUB_PERSONAL_ACCESS_TOKEN (or GITHUB" in capsys.readouterr().out
    key = tmp_path / "app.pem"
    key.write_text(private_key())
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        answers = {"SLACK_SIGNING_SECRET": SIGNING, "GITHUB_APP_PRIVATE_KEY": str(key)}
        return answers.get(question.partition(":")[0], "")

    assert stack_secret.main(["--stack", "platform-deploy"], {}, ask) == 0
    assert [question.partition(":")[0] for question in asked] == list(stack_secret.ASKED)
    assert "Enter keeps what is there" in next(q for q in asked if q.startswith("SLACK_BOT_TOKEN"))
    assert session.stored(session.slack) == {"SLACK_SIGNING_SECRET": SIGNING, "SLACK_BOT_TOKEN": BOT}
    assert session.stored(session.github)["GITHUB_APP_PRIVATE_KEY"] == private_key().strip()
    assert "Still missing" not in capsys.readouterr().out


def test_what_is_in_the_environment_is_not_asked_for(session: Session) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return ""

    assert stack_secret.main([], {"SLACK_SIGNING_SECRET": SIGNING, "GITHUB_PERSONAL_ACCESS_TOKEN": TOKEN}, ask) == 0
    assert {q.partition(":")[0] for q in asked} == {"SLACK_BOT_TOKEN", "GITHUB_APP_PRIVATE_KEY"}
    assert session.stored(session.slack)["SLACK_SIGNING_SECRET"] == SIGNING


def test_a_key_file_that_is_not_there_changes_nothing(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(question: str) -> str:
        return "/nowhere/app.pem" if question.startswith("GITHUB_APP") else ""

    assert stack_secret.main([], {"SLACK_BOT_TOKEN": BOT}, ask) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert session.stored(session.slack) == EMPTY
