"""With CHATOPS_LANG=ko nothing that reaches a person in Slack is an English sentence, errors included.

Names, commands, states, ids, code and whatever people or other services wrote stay as they are.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatops.domain.causes import reason_of
from chatops.domain.errors import (
    ChatOpsError,
    GitHubUnavailable,
    InvalidConfiguration,
    ReasonedError,
    ServiceRefused,
    SlackRefused,
    SlackUnavailable,
)
from chatops.domain.reason import Reason, Refused
from chatops.domain.status import Status
from chatops.edge import handler
from chatops.messages import card, details, en, en_reasons, en_settings, reports
from chatops.messages.catalogue import plain, say
from chatops.messages.english import english_text
from chatops.settings import config, targets, targets_file
from tests.unit import views
from tests.unit.test_targets_file import WRONG
from tests.unit.views import BACK, PLAN, STATES, State

CHATOPS = Path(__file__).resolve().parents[2] / "lambdas" / "shared" / "chatops"
MARKUP = re.compile(r"```.*?```|`[^`]*`|<[^>]*>|https?://\S+|aws [a-z-]+ [a-z-]+( --[a-z-]+ \S+)*|'[^']*'", re.DOTALL)
SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z]+[;:]? ){2}[a-z]+")
"""Three words in a row, the last of them no name: `Job test failed`, not `GitHub Actions`, `Rolled Back`."""
WRITTEN = {
    "Round prices half up": "반올림",
    "prices are wrong": "가격",
    "not on a Friday": "금요일",
    "ECS deployment circuit breaker: tasks failed to start.": "서킷 브레이커",
    "CloudWatch alarm p99": "경보",
    "Run the tests": "테스트",
    "docker build": "빌드",
    "(service checkout-api) has started 2 tasks: (task 1a).": "이벤트",
    "(service checkout-api) registered 2 targets.": "이벤트",
}
"""What people and services wrote in the tests' deployments; it is shown as it is."""
NAMES = (
    "Claim the stage",
    "classic",
    "fine",
    "grained",
    "Contents: write",
    "Actions: read and write",
    "read and write",
    "Contents",
)


@pytest.fixture(autouse=True)
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LANG", "ko")


def sentences(text: str) -> list[str]:
    """English sentences in a text."""
    bare = MARKUP.sub("·", text)
    for name in NAMES:
        bare = bare.replace(name, "·")
    return [found[0] for found in SENTENCE.finditer(bare)]


def shown(node: Any) -> Iterator[str]:
    """Every text of a message, but what is for no reader (ids, values, addresses)."""
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and key in ("text", "alt_text"):
                yield value
            elif not isinstance(value, str):
                yield from shown(value)
    elif isinstance(node, list):
        for item in node:
            yield from shown(item)


def in_korean(state: State) -> State:
    text = json.dumps(state, ensure_ascii=False)
    for written, instead in WRITTEN.items():
        text = text.replace(written, instead)
    found: State = json.loads(text)
    return found


def test_an_english_sentence_is_found() -> None:
    assert sentences("봇 설정: CHATOPS_TABLE is not set; it should hold the name.")
    assert sentences("*dev* still runs `v1`") == []
    assert sentences("prod: the rollback could not be confirmed")
    assert sentences("승인: v1.2.3 → dev, Rolled Back, `aws ecs update-service --cluster x`") == []


@pytest.mark.parametrize("name", STATES)
def test_every_phase_and_every_end_is_korean(name: str) -> None:
    view = views.seen(in_korean(STATES[name]))
    for text in [*shown(card.message(view)), *shown(details.reply(view) if view.end else {})]:
        assert sentences(text) == [], text


EXPLAINS = re.compile(r"why_|held_|unknown_schema|github_(\d|app_|moved|refused|pause)")
"""Reasons that stand alone in a deployment's message; an error's others are introduced by `why_error`."""
SERVICES = ("github_", "slack_", "aws_", "ecs_", "codedeploy_", "task_definition_")


def causes() -> dict[str, dict[str, Any]]:
    """Every reason why something ended badly, by key, with values that are no language's."""
    fields = re.compile(r"\{(\w+)\}")
    keys = [*en_settings.TEXTS, *(k for k in en_reasons.TEXTS if EXPLAINS.match(k) or k.startswith(SERVICES))]
    return {k: {"key": k, "values": dict.fromkeys(fields.findall(en.TEXTS[k]), "x1")} for k in keys}


def test_every_reason_is_korean() -> None:
    """Those that travel as an error too: what Step Functions hands on of it becomes Korean words again."""
    for key, cause in causes().items():
        reason_is_korean(key, cause)


def reason_is_korean(key: str, cause: dict[str, Any]) -> None:
    if not EXPLAINS.match(key):
        error = ServiceRefused(key, **cause["values"])
        reason = reason_of({"Error": "ServiceRefused", "Cause": json.dumps({"errorMessage": str(error)})})
        assert reason == Reason("why_error", said=error.reason)
        cause = reason.as_json()
    state = {**STATES["Build Failed, no cause"], "outcome": {"end": "Build Failed", "why": cause, "seconds": 1.0}}
    for text in shown(card.message(views.seen(in_korean(state)))):
        assert sentences(text) == [], text


REFUSALS = [key for key in en.TEXTS if not key.startswith(("why_", "what_", "at_"))]


def test_every_refusal_and_answer_is_korean_whatever_it_quotes() -> None:
    said = SlackRefused("usergroups.users.list", "missing_scope").reason
    for key in REFUSALS:
        values = {**dict.fromkeys(re.findall(r"\{(\w+)\}", en.TEXTS[key]), "x1"), "said": said}
        assert sentences(say(key, values)) == [], key
        assert sentences(plain(key, values)) == [], key


def test_reports_are_korean() -> None:
    error = ServiceRefused("ecs_unknown", service="api", cluster="shop")
    fact = {"target": "prod", "kind": "ecs", "error": plain("service_missing", said=error.reason, target="prod")}
    for text in [
        *shown(reports.status(views.status_of(fact))),
        *shown(reports.status(views.status_of({}))),
        *shown(reports.dry_run(views.plan_of(in_korean(PLAN)))),
        *shown(reports.dry_run(views.plan_of(in_korean(BACK)))),
        *shown(reports.status(Status(refusal=Refused(Reason("group_unreadable", group="S1", said=error.reason))))),
    ]:
        assert sentences(text) == [], text


BASE = {"CHATOPS_TABLE": "t", "CHATOPS_STATE_MACHINE_ARN": "a", "GITHUB_ID": "acme", "GITHUB_REPO": "shop"}
SETTINGS: list[dict[str, str]] = [
    {"CHATOPS_TABLE": ""},
    {"CHATOPS_STATE_MACHINE_ARN": ""},
    {"CHATOPS_LANG": "fr"},
    {"GITHUB_APP_ID": "x y"},
    {"GITHUB_ID": ""},
    {"GITHUB_REPO": "a/b"},
    {"SLACK_APPROVERS": "lee"},
    {"ECS_SERVICE_NAME": "s"},
    {"CODEDEPLOY_APP_NAME": "s"},
    {"DEPLOY_APPROVAL_REQUIRED": "maybe"},
]


def answered(error: ChatOpsError, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the person who typed a command reads where the bot is not set up."""

    def broken() -> Any:
        raise error

    monkeypatch.setattr("chatops.settings.config.settings", broken)
    return str(json.loads(handler.deliver({"command": "/platform-deploy"})["body"])["text"])


@pytest.mark.parametrize("wrong", SETTINGS, ids=lambda one: next(iter(one)))
def test_a_wrong_setting_is_told_in_korean(wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    env = {**BASE, **wrong}
    with pytest.raises(InvalidConfiguration) as refused:
        (config.load(env), targets.from_environment(env))
    text = answered(refused.value, monkeypatch)
    assert next(iter(wrong)) in text
    assert sentences(text) == []
    assert sentences(refused.value.text), "consoles and logs get English"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_of_the_file_is_told_in_korean(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "targets.yaml"
    text, line, field, _ = WRONG[name]
    file.write_text(f"targets:\n  prod:\n{text}\n", "utf-8")
    with pytest.raises(InvalidConfiguration) as refused:
        targets_file.load(file, BASE)
    told = answered(refused.value, monkeypatch)
    assert f"targets.yaml {line}행, {field}: " in told
    assert sentences(told) == []


def test_every_error_is_raised_with_a_key() -> None:
    """Not with a sentence of its own, which would be the same in every language."""
    told = {"InvalidConfiguration", "ServiceRefused", "ServiceUnavailable", "GitHubUnavailable", "SlackUnavailable"}
    looked_at = 0
    for path in CHATOPS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            place = isinstance(node.func, ast.Attribute) and node.func.attr in ("error", "wanted")
            elsewhere = place and ast.unparse(node.func).startswith(("logger.", "observability.logger.", "parser."))
            if name in told or (place and not elsewhere):
                looked_at += 1
                first = node.args[0]
                assert not isinstance(first, ast.JoinedStr), f"{path}: {ast.unparse(node)}"
                if isinstance(first, ast.Constant):
                    assert first.value in en.TEXTS, f"{path}: {ast.unparse(node)}"
    assert looked_at > 50


@pytest.mark.parametrize("kind", [GitHubUnavailable, SlackUnavailable, ServiceRefused, InvalidConfiguration])
def test_the_english_text_ends_once(kind: type[ReasonedError]) -> None:
    error = kind("aws_refused", operation="UpdateService", code="AccessDenied")
    assert english_text(Reason("why_error", said=error.reason)) == (
        "Something went wrong: AWS refused UpdateService: AccessDenied."
    )
    assert say("why_error", said=error.reason).endswith("AccessDenied.")
