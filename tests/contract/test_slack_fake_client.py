"""What people do in Slack, as it arrives at an app; and what Slack makes of the app's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk.signature import SignatureVerifier

from fakes.clock import Clock
from fakes.slack import Answer, Message, Slack, SlackUser, View, client
from fakes.slack.blocks import accepted
from fakes.slack.client import Sent, over_http
from fakes.slack.directory import C_DEPLOY, G_SECRET, SLACKBOT, U_DEV, U_KIM, U_LEE
from fakes.slack.methods import views_open

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class App:
    """An app that remembers what came and answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[Sent] = []
        self.answer: tuple[int, Mapping[str, str], bytes] = (200, {}, b"")

    def __call__(self, sent: Sent, timeout: float) -> tuple[int, Mapping[str, str], bytes]:
        self.requests.append(sent)
        return self.answer

    def says(self, body: Any, status: int = 200) -> None:
        self.answer = (status, {"content-type": "application/json"}, json.dumps(body).encode())

    @property
    def fields(self) -> dict[str, str]:
        found = parse_qs(self.requests[-1].body.decode(), keep_blank_values=True)
        return {key: values[0] for key, values in found.items()}

    @property
    def payload(self) -> Any:
        return json.loads(self.fields["payload"])


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def slack() -> Slack:
    return Slack(Clock())


@pytest.fixture
def people(slack: Slack, app: App) -> SlackUser:
    return SlackUser(slack, "http://127.0.0.1:1/prod/slack/events", SECRET, post=app)


@pytest.fixture
def card(slack: Slack) -> Message:
    action = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Approve"},
        "action_id": "approve",
        "value": "d-1",
        "style": "primary",
    }
    return slack.space.post(C_DEPLOY, "Approve?", accepted([{"type": "actions", "elements": [action]}]))


@pytest.fixture
def view(slack: Slack) -> View:
    field = {
        "type": "input",
        "block_id": "why",
        "label": {"type": "plain_text", "text": "Reason"},
        "element": {"type": "plain_text_input", "action_id": "reason"},
    }
    content = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Reject"},
        "submit": {"type": "plain_text", "text": "Send"},
        "callback_id": "reject",
        "private_metadata": "d-1",
        "blocks": [field],
    }
    views_open(slack.space, {"trigger_id": slack.space.tickets.trigger(U_LEE), "view": content})
    return slack.views[0]


def verified(sent: Sent) -> bool:
    return SignatureVerifier(SECRET).is_valid_request(sent.body, dict(sent.headers))


def test_a_slash_command_carries_all_that_slack_sends(slack: Slack, people: SlackUser, app: App) -> None:
    people.slash("/platform-deploy", "v1.2.3 dev & more", U_DEV, C_DEPLOY)
    fields = app.fields
    assert set(fields) == {
        "token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command",
        "text", "api_app_id", "is_enterprise_install", "response_url", "trigger_id",
    }  # fmt: skip
    assert (fields["command"], fields["text"]) == ("/platform-deploy", "v1.2.3 dev & more")
    assert (fields["user_name"], fields["channel_name"]) == ("dana", "deployments")
    assert fields["response_url"].startswith(slack.base_url + "/response/")
    assert app.requests[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert verified(app.requests[0])


def test_private_channels_are_not_named(people: SlackUser, app: App) -> None:
    people.slash("/platform-status", channel=G_SECRET)
    assert app.fields["channel_name"] == "privategroup"


def test_every_command_has_a_trigger_of_its_own_and_a_resend_the_same(people: SlackUser, app: App) -> None:
    first = people.slash("/platform-deploy")
    people.slash("/platform-deploy")
    people.resend(first)
    people.resend(first, retry=1)
    bodies = [sent.body for sent in app.requests]
    assert bodies[0] != bodies[1]
    assert bodies[0] == bodies[2] == bodies[3]
    assert app.requests[2].headers == app.requests[0].headers
    assert app.requests[3].headers["X-Slack-Retry-Num"] == "1"
    assert all(verified(sent) for sent in app.requests)


def test_a_json_answer_is_shown_to_the_one_who_asked(slack: Slack, people: SlackUser, app: App) -> None:
    app.says({"response_type": "ephemeral", "text": "Got it."})
    answer = people.slash("/platform-deploy", user=U_KIM)
    assert answer.message is slack.messages[0]
    assert (answer.message.text, answer.message.ephemeral_to) == ("Got it.", U_KIM)
    app.says({"response_type": "in_channel", "text": "All see this."})
    people.slash("/platform-deploy")
    assert slack.messages[1].ephemeral_to is None


def test_an_empty_answer_shows_nothing_and_plain_text_is_ephemeral(slack: Slack, people: SlackUser, app: App) -> None:
    assert people.slash("/platform-deploy").message is None
    app.answer = (200, {}, b"plain words")
    people.slash("/platform-deploy")
    assert [one.text for one in slack.messages] == ["plain words"]


@pytest.mark.parametrize(
    ("status", "error"), [(500, "dispatch_failed"), (401, "dispatch_failed"), (0, "operation_timeout")]
)
def test_a_failed_command_is_told_by_slackbot(
    slack: Slack, people: SlackUser, app: App, status: int, error: str
) -> None:
    app.says({"text": "this is never seen"}, status)
    people.slash("/platform-deploy")
    (note,) = slack.messages
    assert (note.user, note.text) == (SLACKBOT, f'/platform-deploy failed with the error "{error}"')


def test_a_click_carries_the_whole_shape(slack: Slack, people: SlackUser, app: App, card: Message) -> None:
    app.says({"text": "Slack does not look at this"})
    people.click(card, "approve", U_LEE)
    payload = app.payload
    assert payload["type"] == "block_actions"
    assert payload["user"] == {"id": U_LEE, "username": "lee", "name": "lee", "team_id": "T0ACME001"}
    assert payload["container"] == {
        "type": "message", "message_ts": card.ts, "channel_id": C_DEPLOY, "is_ephemeral": False,
    }  # fmt: skip
    assert payload["message"]["ts"] == card.ts
    (action,) = payload["actions"]
    assert (action["action_id"], action["value"], action["type"]) == ("approve", "d-1", "button")
    assert action["block_id"] == card.blocks[0]["block_id"]
    assert {"trigger_id", "response_url", "state", "api_app_id", "team", "channel"} <= set(payload)
    assert slack.messages == [card]
    assert verified(app.requests[0])
    assert slack.space.tickets.exchange(payload["trigger_id"]) == U_LEE


def test_a_click_can_be_forged(people: SlackUser, app: App, card: Message) -> None:
    people.click(card, "approve", U_LEE, overrides={"value": "d-of-somebody-else"})
    assert app.payload["actions"][0]["value"] == "d-of-somebody-else"


def test_buttons_are_found_by_name(people: SlackUser, card: Message) -> None:
    assert people.buttons(card) == ["approve"]
    with pytest.raises(LookupError, match="approve"):
        people.click(card, "reject")


def test_a_submission_carries_what_was_typed(people: SlackUser, app: App, view: View) -> None:
    people.submit(view, {"reason": "too risky"})
    payload = app.payload
    assert payload["type"] == "view_submission"
    assert payload["user"]["id"] == U_LEE
    assert payload["view"]["callback_id"] == "reject"
    assert payload["view"]["private_metadata"] == "d-1"
    assert payload["view"]["state"]["values"] == {"why": {"reason": {"type": "plain_text_input", "value": "too risky"}}}
    with pytest.raises(LookupError, match="colour"):
        people.submit(view, {"colour": "red"})


def test_a_submission_closes_keeps_or_changes_the_modal(slack: Slack, people: SlackUser, app: App, view: View) -> None:
    app.says({"response_action": "errors", "errors": {"why": "Say why."}})
    people.submit(view)
    assert (view.open, view.errors) == (True, {"why": "Say why."})
    app.says({}, 500)
    people.submit(view)
    assert "trouble" in view.errors[""]
    changed = {**view.content, "title": {"type": "plain_text", "text": "Sure?"}}
    app.says({"response_action": "update", "view": changed})
    people.submit(view)
    assert (view.title, view.errors) == ("Sure?", {})
    app.answer = (200, {}, b"")
    people.submit(view)
    assert slack.views == []


def test_closing_tells_the_app_only_if_it_asked(people: SlackUser, app: App, view: View) -> None:
    assert people.close(view) is None
    view.content["notify_on_close"] = True
    assert isinstance(people.close(view), Answer)
    assert app.payload["type"] == "view_closed"


def test_an_app_that_is_not_there_is_status_0(slack: Slack) -> None:
    people = SlackUser(slack, "http://127.0.0.1:9/prod/slack/events", SECRET, post=over_http)
    assert people.slash("/platform-deploy").status == 0


@pytest.mark.parametrize(("waited", "in_time"), [("4.5", True), ("1.0", False)])
def test_patience_begins_when_there_is_a_processor_for_the_request(
    people: SlackUser, app: App, monkeypatch: pytest.MonkeyPatch, waited: str, in_time: bool
) -> None:
    moments = iter((100.0, 105.0))
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    app.answer = (200, {"X-Local-Waited": waited}, b"Got it.")
    answer = people.slash("/platform-deploy")
    assert answer.in_time is in_time
    assert answer.message
    assert ("operation_timeout" in answer.message.text) is not in_time
