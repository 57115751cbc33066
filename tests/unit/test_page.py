"""The local page's server: what it tells, how it acts through Slack's client, and whom it refuses."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fakes.slack.directory import C_DEPLOY, C_PUBLIC, U_BOT, U_DEV, U_LEE, U_OUT
from local.page.server import Page
from tests.unit.page_session import BUTTONS, START, Session, entered, event, exited, open_modal

STATIC = Path(__file__).resolve().parents[2] / "local" / "page" / "static"
SHARED = Path(__file__).resolve().parents[2] / "lambdas" / "page" / "static"


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def client(session: Session) -> Iterator[Any]:
    with closing(Page(session)) as page:
        yield page.app.test_client()


# ------------------------------------------------------------------------------------------------------ what it tells


def test_the_channel_is_told_as_it_stands(session: Session, client: Any) -> None:
    first = session.say("Deploying", blocks=BUTTONS)
    session.say("In the thread", thread_ts=first.ts)
    session.say("For dana", ephemeral_to=U_DEV)
    session.say("Elsewhere", channel=C_PUBLIC)
    session.slack.space.store.edit(first, "Still deploying", first.blocks, 1.0)
    told = client.get("/api/messages").json
    assert [one["text"] for one in told["messages"]] == ["Still deploying", "In the thread", "For dana"]
    head, reply, private = told["messages"]
    assert (head["edited"], head["user"], head["blocks"][0]["type"]) == (True, U_BOT, "actions")
    assert reply["thread_ts"] == head["ts"]
    assert private["ephemeral_to"] == U_DEV
    assert told["views"] == []


def test_names_roles_and_commands_are_told(client: Any) -> None:
    told = client.get("/api/about").json
    roles = [(one["name"], one["role"]) for one in told["actors"]]
    assert roles == [("dana", "developer"), ("lee", "approver"), ("kim", "approver"), ("omar", "outsider")]
    commands = [one["command"].removeprefix("/platform-") for one in told["commands"]]
    assert commands == ["deploy", "status", "rollback"]
    assert told["users"][U_BOT]["bot"] is True


def test_an_execution_is_told_with_its_state_and_history(session: Session, client: Any) -> None:
    session.sfn.page_size = 2
    session.sfn.add(
        "d-1",
        "FAILED",
        [
            event(1, "ExecutionStarted"),
            entered(2, "Plan", 0.5),
            event(3, "TaskScheduled", 0.6),
            exited(4, "Plan", 1),
            entered(5, "Build Failed", 2),
            event(6, "ExecutionFailed", 2.5, executionFailedEventDetails={"error": "BuildFailed", "cause": "no"}),
        ],
        stopDate=START + dt.timedelta(seconds=2.5),
        error="BuildFailed",
        cause='{"errorMessage": "The build failed.", "stackTrace": ["secret"]}',
    )
    told = client.get("/api/executions/d-1").json
    assert (told["status"], told["state"], told["elapsed"]) == ("FAILED", "Build Failed", 2.5)
    assert (told["error"], told["cause"]) == ("BuildFailed", "The build failed.")
    assert [one["kind"] for one in told["events"]] == ["", "entered", "", "exited", "entered", "trouble"]
    assert [one["state"] for one in told["events"]] == ["", "Plan", "Plan", "Plan", "Build Failed", ""]
    assert told["events"][-1]["detail"] == "BuildFailed: no"
    assert told["events"][3]["elapsed"] == 1


def test_executions_are_listed_newest_first(session: Session, client: Any) -> None:
    session.sfn.add("d-old", "SUCCEEDED", [], stopDate=START)
    session.sfn.add("d-new", "RUNNING", [], startDate=START + dt.timedelta(hours=1))
    listed = client.get("/api/executions").json["executions"]
    assert [(one["name"], one["status"]) for one in listed] == [("d-new", "RUNNING"), ("d-old", "SUCCEEDED")]


def test_an_unknown_execution_is_404_and_says_which(client: Any) -> None:
    answer = client.get("/api/executions/d-none")
    assert (answer.status_code, answer.json) == (404, {"error": "There is no execution d-none."})


# ------------------------------------------------------------------------------------------------------- how it acts


def test_a_command_goes_out_signed_to_the_request_url_and_its_answer_is_in_the_channel(
    session: Session, client: Any
) -> None:
    session.bot.answer = (200, {}, b'{"text": "Got it."}')
    given = {"command": "/platform-deploy", "text": "v1.2.3 dev"}
    answer = client.post("/api/slash", json=given | {"user": U_LEE})
    assert answer.json["status"] == 200
    (sent,) = session.bot.came
    assert sent.url == "http://bot.invalid/prod/slack/events"
    assert sent.headers["X-Slack-Signature"].startswith("v0=")
    wanted = given | {"user_id": U_LEE, "channel_id": C_DEPLOY}
    assert {key: session.bot.form[key] for key in wanted} == wanted
    (shown,) = client.get("/api/messages").json["messages"]
    assert (shown["text"], shown["ephemeral_to"]) == ("Got it.", U_LEE)


def test_a_command_the_app_does_not_have_goes_nowhere(session: Session, client: Any) -> None:
    answer = client.post("/api/slash", json={"command": "/deploy", "text": "", "user": U_DEV})
    assert answer.status_code == 400
    assert "/platform-deploy" in answer.json["error"]
    assert session.bot.came == []


def test_a_click_carries_the_buttons_value_and_who_pressed_it(session: Session, client: Any) -> None:
    card = session.say("Approve?", blocks=BUTTONS)
    body = {"channel": C_DEPLOY, "ts": card.ts, "action_id": "approve", "user": U_LEE}
    assert client.post("/api/click", json=body).json["status"] == 200
    assert session.bot.payload["type"] == "block_actions"
    assert session.bot.payload["user"]["id"] == U_LEE
    assert session.bot.payload["actions"][0]["value"] == "d-1"


def test_a_button_that_is_gone_and_a_message_that_is_not_yours_cannot_be_pressed(session: Session, client: Any) -> None:
    card = session.say("Approve?", blocks=BUTTONS)
    private = session.say("For dana", blocks=BUTTONS, ephemeral_to=U_DEV)
    body = {"channel": C_DEPLOY, "action_id": "approve", "user": U_OUT}
    assert client.post("/api/click", json=body | {"ts": card.ts, "action_id": "gone"}).status_code == 409
    assert client.post("/api/click", json=body | {"ts": private.ts}).status_code == 404
    assert client.post("/api/click", json=body | {"ts": "1.0"}).status_code == 404
    assert session.bot.came == []


def test_a_modal_is_told_to_the_page_and_sent_off_with_what_was_typed(session: Session, client: Any) -> None:
    view_id = open_modal(session)
    (told,) = client.get("/api/messages").json["views"]
    assert (told["id"], told["user"]) == (view_id, U_LEE)
    assert told["content"]["title"]["text"] == "Reject"
    body = {"view_id": view_id, "values": {"reason": "too risky"}, "user": U_LEE}
    assert client.post("/api/submit", json=body).json["status"] == 200
    assert session.bot.payload["view"]["state"]["values"]["reason"]["reason"]["value"] == "too risky"
    assert client.get("/api/messages").json["views"] == []


def test_what_the_app_finds_wrong_in_a_modal_is_told(session: Session, client: Any) -> None:
    view_id = open_modal(session)
    session.bot.answer = (200, {}, b'{"response_action": "errors", "errors": {"reason": "Say more."}}')
    client.post("/api/submit", json={"view_id": view_id, "values": {"reason": "x"}, "user": U_LEE})
    assert client.get("/api/messages").json["views"][0]["errors"] == {"reason": "Say more."}


def test_a_modal_is_only_its_own_persons(session: Session, client: Any) -> None:
    view_id = open_modal(session)
    for path in ("submit", "close"):
        body = {"view_id": view_id, "values": {}, "user": U_OUT}
        assert client.post(f"/api/{path}", json=body).status_code == 404
    assert client.post("/api/close", json={"view_id": view_id, "user": U_LEE}).status_code == 200
    assert session.slack.views == []
    assert session.bot.came == []


# ----------------------------------------------------------------------------------------------------- whom it refuses


@pytest.mark.parametrize("path", ["slash", "click", "submit", "close", "speed", "scenario"])
def test_a_malformed_request_is_400(session: Session, client: Any, path: str) -> None:
    bodies: list[Any] = [[], "x", {}, {"user": U_BOT}, {"user": 7}]
    assert [client.post(f"/api/{path}", json=body).status_code for body in bodies] == [400] * len(bodies)
    assert session.bot.came == []


def test_what_a_form_may_send_is_refused(session: Session, client: Any) -> None:
    """Who else is refused, here and at every other port: tests/unit/test_guard.py."""
    body = {"command": "/platform-status", "text": "", "user": U_DEV}
    assert client.post("/api/slash", data=json.dumps(body), content_type="text/plain").status_code == 415
    assert session.bot.came == []


def test_only_the_pages_own_files_are_served_and_run(client: Any) -> None:
    index = client.get("/")
    assert index.status_code == 200
    assert "default-src 'none'; script-src 'self'" in index.headers["Content-Security-Policy"]
    assert client.get("/static/app.js").mimetype == "text/javascript"
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/server.py"):
        assert client.get(path).status_code == 404


def test_the_scripts_make_no_html_from_text_and_come_from_nowhere_else() -> None:
    files = [path for folder in (STATIC, SHARED) for path in folder.iterdir()]
    for path in [one for one in files if one.suffix in (".js", ".html")]:
        text = path.read_text("utf-8")
        markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        assert not re.search(markup, text), path
        assert not re.search(r"(src|href)=\"https?:|from \"(?!\./)|import\(", text), path
    names = {path.name for path in files}
    assert len(names) == len(files) - 1  # both have an index.html
    for path in [one for one in files if one.suffix == ".js"]:
        known = {one.name for one in SHARED.iterdir()} if path.parent == SHARED else names
        assert set(re.findall(r"from \"\./([^\"]+)\"", path.read_text("utf-8"))) <= known


def test_every_control_has_a_label() -> None:
    html = (STATIC / "index.html").read_text("utf-8")
    for control in re.findall(r"<(?:input|select)[^>]*id=\"([\w-]+)\"", html):
        before = html[: html.index(f'id="{control}"')]
        assert before.rindex("<label") > before.rfind("</label>"), control
