"""Every call that the product and the doctor make of Slack, by their own clients: Slack reads it; and whatever comes
back that is no answer of Slack's is trouble of Slack's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk import WebClient
from werkzeug.wrappers import Request, Response

from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.messages.modals import reason
from chatops.settings import config
from chatops.slack import client, people, posting
from doctor.clients import Slack as Doctor
from doctor.clients import Web
from doctor.result import NoAnswer
from fakes.faults import Fault, drop_connection
from fakes.slack import Slack
from fakes.slack.directory import (
    C_DEPLOY,
    C_PUBLIC,
    G_SECRET,
    S_APPROVERS,
    TEAM_ID,
    U_BOT,
    U_DEV,
    U_GUEST,
    U_KIM,
    U_LEE,
    U_PARTNER,
)
from tests.contract.conftest import served
from tests.contract.test_slack_web_api import CALLED

SETTINGS = {
    "CHATOPS_TABLE": "chatops",
    "CHATOPS_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:deploy",
    "SLACK_BOT_TOKEN": "xoxb-local",
}


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets where the product's Slack is."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)

    def at(url: str) -> None:
        monkeypatch.setenv("SLACK_API_URL", url)
        config.reset()

    yield at
    config.reset()


OWN = people.Workspace(TEAM_ID)
CALLS: dict[str, Callable[[Slack, str], Any]] = {
    "auth.test": lambda slack, _: doctor(slack).ask("auth.test").json["ok"],
    "chat.postEphemeral": lambda _slack, _ts: client.call("chat.postEphemeral", channel=C_DEPLOY, user=U_DEV, text="x"),
    "chat.postMessage": lambda _slack, ts: client.call(
        "chat.postMessage", channel=C_DEPLOY, text="x", thread_ts=ts, reply_broadcast=True
    ),
    "chat.update": lambda _slack, ts: posting._fitting("chat.update", channel=C_DEPLOY, ts=ts, text="More", blocks=[]),
    "conversations.info": lambda _slack, _ts: people.can_post(C_DEPLOY),
    "conversations.members": lambda _slack, _ts: client.call("conversations.members", channel=C_DEPLOY)["members"],
    "usergroups.users.list": lambda _slack, _ts: people.group(S_APPROVERS),
    "users.info": lambda _slack, _ts: people.person(U_GUEST, OWN).excluded == "guest",
    "views.open": lambda slack, _: client.call(
        "views.open", trigger_id=slack.space.tickets.trigger(U_DEV), view=reason("reject", "{}", "v1.2.3", "dev")
    ),
}


def doctor(slack: Slack) -> Doctor:
    return Doctor(Web(), slack.api_url, "xoxb-local")


@pytest.mark.parametrize("method", sorted(CALLED))
def test_slack_reads_each_call(slack: Slack, web: WebClient, bot: Callable[[str], None], method: str) -> None:
    bot(slack.api_url)
    ts = web.chat_postMessage(channel=C_DEPLOY, text="card", blocks=[{"type": "divider"}])["ts"]
    slack.calls.clear()
    assert CALLS[method](slack, ts)
    assert [(call.method, call.error) for call in slack.calls] == [(method, "")]
    assert slack.misread == []


def test_people_groups_and_channels_are_told_apart(slack: Slack, bot: Callable[[str], None]) -> None:
    bot(slack.api_url)
    assert people.workspace() == OWN
    everybody = (U_DEV, U_GUEST, U_BOT, "U0GONE001", "U0NOBODY1", U_PARTNER)
    kinds = [people.person(user, OWN).excluded for user in everybody]
    assert kinds == [None, "guest", "bot", "gone", "gone", "stranger"]
    assert people.group(S_APPROVERS) == {U_LEE, U_KIM}
    assert [people.can_post(one) for one in (C_DEPLOY, C_PUBLIC, G_SECRET, "C0OLD0001")] == [True, False, False, False]


def test_what_the_doctor_asks_is_asked_as_the_bot_asks_it(slack: Slack) -> None:
    asked = doctor(slack)
    assert asked.ask("users.info", user=U_DEV).json["user"]["name"] == "dana"
    assert asked.ask("conversations.info", channel=C_DEPLOY).json["channel"]["name"] == "deployments"
    assert asked.ask("usergroups.users.list", usergroup="S0NOTHING").json["error"] == "no_such_subteam"
    assert "users:read" in asked.ask("auth.test").headers["x-oauth-scopes"]
    before = len(slack.calls)
    asked.ask("users.info", user=U_DEV)
    assert len(slack.calls) == before
    assert slack.misread == []


@pytest.mark.parametrize("kind", ["chat.postMessage", "chat.update"])
def test_blocks_that_are_too_long_for_slack_give_way_to_the_text(
    slack: Slack, web: WebClient, bot: Callable[[str], None], kind: str
) -> None:
    bot(slack.api_url)
    ts = web.chat_postMessage(channel=C_DEPLOY, text="card", blocks=[{"type": "divider"}])["ts"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    arguments = {"ts": ts} if kind == "chat.update" else {}
    slack.calls.clear()
    _, whole = posting._fitting(kind, channel=C_DEPLOY, text="More", blocks=[section] * 5, **arguments)
    assert whole is False
    assert [call.error for call in slack.calls] == [slack.calls[0].error, ""]
    assert slack.calls[0].error == ("msg_blocks_too_long" if kind == "chat.postMessage" else "invalid_blocks")
    assert (slack.messages[-1].text, slack.messages[-1].blocks) == ("More", [])


def _cut(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", "500")])
    return [b'{"ok": tr']


def _dropped(environ: dict[str, Any], _start: Callable[..., Any]) -> Any:
    drop_connection(environ)


def _says(status: int, body: Any, kind: str = "application/json") -> Callable[..., Any]:
    text = body if isinstance(body, str) else json.dumps(body)

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        Request(environ).get_data()
        return Response(text, status, {"Content-Type": kind})(environ, start)

    return app


TROUBLE: dict[str, Callable[..., Any]] = {
    "a reply that is cut": _cut,
    "no reply": _dropped,
    "a page": _says(200, "<html>Sign in to the guest network</html>", "text/html"),
    "nothing": _says(200, ""),
    "a list": _says(200, ["ok"]),
    "a text": _says(200, '"ok"'),
    "a number": _says(200, "7"),
    "ok and nothing else": _says(200, {"ok": True}),
    "ok and the wrong types": _says(200, {"ok": True, "user": "U1", "channel": "C1", "users": {"U1": 1}, "ts": 1.5}),
    "neither ok nor an error": _says(200, {"message": "hello"}),
    "refused without a word": _says(200, {"ok": False}),
    "not found": _says(404, {"message": "no Route matched with those values"}),
    "unavailable": _says(503, "upstream connect error", "text/plain"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_what_is_no_answer_of_slacks_is_trouble_and_nothing_else(bot: Callable[[str], None], trouble: str) -> None:
    with served(TROUBLE[trouble]) as url:
        bot(f"{url}/api/")
        with pytest.raises(SlackUnavailable):
            client.call("chat.postMessage", channel=C_DEPLOY, text="x")
        for ask in (people.workspace, lambda: people.person(U_DEV, OWN).excluded):
            with pytest.raises(SlackUnavailable):
                ask()
        assert people.can_post(C_DEPLOY) is True
        with pytest.raises(SlackUnavailable):
            people.group(S_APPROVERS)
        with pytest.raises(NoAnswer):
            Doctor(Web(), f"{url}/api/", "xoxb-local").ask("users.info", user=U_DEV)


def test_a_refusal_is_slacks_word(bot: Callable[[str], None]) -> None:
    """With fields that nobody knows, as a newer Slack may send them."""
    more = {"needed": "users:read", "response_metadata": {"messages": ["[ERROR] x"], "new": None}, "new": {"a": [1]}}
    with served(_says(200, {"ok": False, "error": "restricted_action_read_only_channel", **more})) as url:
        bot(f"{url}/api/")
        with pytest.raises(SlackRefused, match="restricted_action_read_only_channel"):
            client.call("chat.postMessage", channel=C_DEPLOY, text="x")


def test_an_answer_may_lack_whatever_slack_may_leave_out(bot: Callable[[str], None]) -> None:
    """https://docs.slack.dev/reference/objects/user-object and …/conversation-object"""
    bare = {
        "ok": True,
        "ts": "1.1",
        "user": {"id": U_DEV, "team_id": TEAM_ID},
        "channel": {"id": C_DEPLOY},
        "users": [],
    }
    with served(_says(200, bare)) as url:
        bot(f"{url}/api/")
        assert client.call("chat.update", channel=C_DEPLOY, ts="1.1", text="x")["ok"]
        assert (people.person(U_DEV, OWN).excluded, people.can_post(C_DEPLOY), people.group(S_APPROVERS)) == (
            None,
            True,
            set(),
        )


def test_who_cannot_see_a_private_channel_is_known_page_by_page(
    slack: Slack, bot: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bot(slack.api_url)
    channels = slack.space.channels
    channels[G_SECRET] = replace(channels[G_SECRET], members=frozenset({U_BOT, U_DEV, U_LEE}))
    monkeypatch.setattr(people, "_PAGE", 1)
    assert people.outside(G_SECRET, (U_LEE, U_KIM)) == (U_KIM,)
    assert people.outside(C_DEPLOY, ("U0NOTHERE",)) == (), "whoever likes may read a public channel"
    monkeypatch.setattr(people, "_PAGES", 1)
    assert people.outside(G_SECRET, (U_LEE, U_KIM)) == (), "not read to its end"
    slack.faults.append(Fault("conversations.members", 500))
    assert people.outside(G_SECRET, (U_KIM,)) == ()
