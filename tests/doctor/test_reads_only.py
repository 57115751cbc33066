"""Nothing is ever written: no event, no message, no row, no execution."""

from __future__ import annotations

from typing import Any

import pytest

from doctor.clients import SLACK, Aws, NotARead, Slack, Web
from doctor.runner import Finding
from local.session import Session
from tests.app_key import APP_ID, private_key
from tests.doctor.conftest import Look

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("app", [False, True])
def test_far_ends_are_only_asked(made: Session, look: Look, app: bool) -> None:
    changes: dict[str, str] = {}
    if app:
        made.github.apps.install(made.github.apps.register(APP_ID, private_key()), "acme")
        changes = {"GITHUB_APP_ID": APP_ID, "GITHUB_APP_PRIVATE_KEY": private_key()}

    def state() -> list[Any]:
        rows = made.dynamodb.scan(TableName="platform-deploy-table")["Items"]
        return [rows, made.executions(), list(made.slack.messages), list(made.github.runs)]

    before, web = state(), Web()
    findings: list[Finding] = look(changes, web=web)
    assert len(findings) > 15
    assert [finding for finding in findings if finding.result.state == "failed"] == []
    assert state() == before
    assert before[-1] == []
    asked = {(call.method, call.path) for call in made.github.calls if call.method != "GET"}
    assert all(method == "POST" and path.endswith("/access_tokens") for method, path in asked)
    given = list(made.github.apps.tokens.values())
    assert bool(given) is app
    assert {level for token in given for level in token.grant.permissions.values()} <= {"read"}
    assert {call.method for call in made.slack.calls} <= SLACK
    assert {call.operation[:8] for call in made.ecs.calls} == {"Describe"}
    posts = {url.removeprefix(made.url) for method, url in web.calls if method == "POST"}
    wanted = {"/prod/slack/events", "/prod/stages/claim", *(f"/_slack/api/{method}" for method in SLACK)}
    assert posts - wanted == ({path for path in posts if path.endswith("/access_tokens")} if app else set())


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("ecs", "update_service", {"service": "s"}),
        ("dynamodb", "put_item", {"TableName": "t", "Item": {}}),
        ("dynamodb", "delete_table", {"TableName": "t"}),
        ("stepfunctions", "start_execution", {"stateMachineArn": "a"}),
        ("secretsmanager", "put_secret_value", {"SecretId": "s"}),
        ("cloudformation", "delete_stack", {"StackName": "s"}),
        ("lambda", "invoke", {"FunctionName": "f"}),
    ],
)
def test_aws_is_not_asked_to_do_anything(service: str, method: str, arguments: dict[str, Any]) -> None:
    aws = Aws("us-east-1", {"": "http://127.0.0.1:9"}, aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(NotARead):
        getattr(aws.client(service), method)(**arguments)
    assert aws.calls == []


def test_nothing_else_may_be_asked_of_slack_and_github() -> None:
    with pytest.raises(NotARead):
        Slack(Web(), "http://127.0.0.1:9/api/", "xoxb-1").ask("chat.postMessage", channel="C1", text="x")
    web, writes = Web(), {"permissions": {"contents": "write"}}
    with pytest.raises(NotARead):
        web.app_token("http://127.0.0.1:9/app/installations/1/access_tokens", {}, writes)
    with pytest.raises(NotARead):
        web.app_token("http://127.0.0.1:9/repos/a/b/dispatches", {}, {"permissions": {"contents": "read"}})
    with pytest.raises(NotARead):
        web.knock("http://127.0.0.1:9/prod/slack/events", b"command=%2Fplatform-deploy")
    with pytest.raises(NotARead):
        web.knock("http://127.0.0.1:9/prod/stages/claim", b'{"type": "url_verification"}')
    assert web.calls == []
