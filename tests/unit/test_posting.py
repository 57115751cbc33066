"""The deployment's message, where somebody deletes it or its channel takes no more: the real client, Slack's fake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from slack_sdk import WebClient

from chatops.domain.event import StepEvent
from chatops.messages.view import View
from chatops.settings import config
from chatops.slack import client, posting
from chatops.steps import notify
from chatops.store import messages
from chatops.store.table import Table
from fakes.clock import Clock
from fakes.faults import Fault
from fakes.slack import Slack, web_api
from fakes.slack.directory import C_DEPLOY, C_PUBLIC, G_SECRET, U_BOT, U_DEV
from fakes.slack.store import Message
from tests.contract.conftest import served
from tests.unit.views import ID, STATES, seen


@pytest.fixture
def slack(rows: Table, environment: pytest.MonkeyPatch) -> Iterator[Slack]:
    workspace = Slack(Clock())
    with served(workspace.app) as url:
        workspace.base_url = url
        channels = workspace.space.channels
        channels[C_PUBLIC] = replace(channels[C_PUBLIC], members=frozenset({*channels[C_PUBLIC].members, U_BOT}))
        environment.setenv("SLACK_API_URL", workspace.api_url)
        environment.setenv("SLACK_BOT_TOKEN", "xoxb-local")
        environment.setenv("SLACK_CHANNEL_ID", C_PUBLIC)
        config.reset()
        yield workspace


def waiting() -> View:
    return seen({**STATES["approval"], "plan": {**STATES["approval"]["plan"], "channel": C_DEPLOY}})


def shown(slack: Slack, channel: str) -> list[Message]:
    return [m for m in slack.messages if m.channel == channel and not m.ephemeral_to]


def archive(slack: Slack, channel: str) -> None:
    channels = slack.space.channels
    channels[channel] = replace(channels[channel], is_archived=True)


def test_a_message_that_somebody_deletes_is_put_back_when_it_is_verified(slack: Slack) -> None:
    view = waiting()
    assert posting.show(view)
    (card,) = shown(slack, C_DEPLOY)
    WebClient("xoxb-local", base_url=slack.api_url).chat_delete(channel=C_DEPLOY, ts=card.ts)
    assert posting.show(view), "nothing has changed, so nothing is asked"
    assert shown(slack, C_DEPLOY) == []
    assert posting.show(view, verify=True)
    (again,) = shown(slack, C_DEPLOY)
    assert [b.action_id for b in again.buttons] == [b.action_id for b in card.buttons] != []
    assert posting.short(ID, "reminder-1", "still waiting")
    assert [m.thread_ts for m in slack.messages if m.text == "still waiting"] == [again.ts]


@pytest.mark.parametrize("pages", ["true", "false"])
def test_the_message_leads_to_the_page_unless_there_are_none(
    slack: Slack, environment: pytest.MonkeyPatch, pages: str
) -> None:
    """Slack makes no preview of it, and what it would fetch is the same for every deployment."""
    environment.setenv("CHATOPS_API_URL", "https://bot.example/prod")
    environment.setenv("CHATOPS_PAGES", pages)
    config.reset()
    view = waiting()
    assert posting.show(posting.view_of(view.deployment))
    (call,) = [one for one in slack.calls if one.method == "chat.postMessage"]
    footer = shown(slack, C_DEPLOY)[0].blocks[-1]["elements"][0]["text"]
    assert (f"<https://bot.example/prod/d/{ID}#1." in footer) == (pages == "true")
    assert ("|View deployment>" in footer) == (pages == "true")
    assert call.arguments["unfurl_links"] in (False, "0", "false")


def test_a_thread_that_is_gone_is_forgotten_and_the_next_message_is_a_new_one(slack: Slack, rows: Table) -> None:
    view = waiting()
    assert posting.show(view)
    (card,) = shown(slack, C_DEPLOY)
    WebClient("xoxb-local", base_url=slack.api_url).chat_delete(channel=C_DEPLOY, ts=card.ts)
    assert not posting.short(ID, "outcome", "ended")
    assert messages.get(rows, ID).ts == ""
    assert posting.show(view)
    assert posting.short(ID, "outcome", "ended")
    assert len(shown(slack, C_DEPLOY)) == 2


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived"])
def test_a_channel_that_takes_no_message_is_left_for_the_configured_one_which_is_remembered(
    slack: Slack, rows: Table, code: str
) -> None:
    slack.faults.append(Fault("chat.postMessage", 200, code, times=1))
    assert posting.show(waiting())
    (card,) = shown(slack, C_PUBLIC)
    assert messages.get(rows, ID).channel == C_PUBLIC
    assert posting.short(ID, "approval", "please decide")
    assert [m.channel for m in slack.messages if m.text == "please decide"] == [C_PUBLIC]
    assert card.buttons


def test_a_channel_that_is_archived_while_it_waits_is_left_too(slack: Slack, rows: Table) -> None:
    view = waiting()
    assert posting.show(view)
    archive(slack, C_DEPLOY)
    assert posting.show(view, verify=True)
    assert [bool(m.buttons) for m in shown(slack, C_PUBLIC)] == [True]
    assert messages.get(rows, ID).channel == C_PUBLIC


def test_a_channel_that_is_archived_before_the_end_is_left_with_all_that_is_said(slack: Slack) -> None:
    view = waiting()
    assert posting.show(view)
    archive(slack, C_DEPLOY)
    assert not posting.short(ID, "outcome", "ended")
    assert posting.show(view)
    assert posting.short(ID, "outcome", "ended")
    assert [m.text == "ended" for m in shown(slack, C_PUBLIC)] == [False, True]


def test_a_channel_that_opens_again_has_still_one_message_of_the_deployment(slack: Slack) -> None:
    """The bot was removed from it, and invited again."""
    view = waiting()
    assert posting.show(view)
    (card,) = shown(slack, C_DEPLOY)
    slack.faults.append(Fault("chat.postMessage", 200, "channel_not_found", times=1))
    assert not posting.short(ID, "outcome", "ended")
    assert posting.show(view)
    assert posting.short(ID, "outcome", "ended")
    assert [m.thread_ts or "" for m in shown(slack, C_DEPLOY)] == ["", card.ts]


def test_without_another_channel_the_requester_is_told_in_a_direct_message_once(
    slack: Slack, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("SLACK_CHANNEL_ID")
    config.reset()
    archive(slack, C_DEPLOY)
    view = waiting()
    assert not posting.show(view)
    assert not posting.show(view)
    (told,) = slack.messages
    assert slack.space.channels[told.channel].members >= {U_DEV}
    assert "I can't post in" in told.text
    assert "is_archived" in told.text
    assert f"cancel {ID}" in told.text


OURS = {
    *("attachment_payload_limit_exceeded", "block_mismatch", "invalid_arg_name", "invalid_array_arg"),
    *("invalid_attachments", "invalid_charset", "invalid_form_data", "invalid_json", "invalid_metadata_format"),
    *("invalid_metadata_schema", "invalid_post_type", "json_not_object", "markdown_text_conflict", "msg_too_long"),
    *("metadata_too_large", "missing_post_type", "no_text", "streaming_state_conflict", "too_many_attachments"),
    *("app_access_restricted", "external_channel_migrating", "messages_tab_disabled", "update_failed"),
    "upgrade_required",
}
"""Mistakes of ours, and what no other channel would change: tried again with the next message."""


def test_every_error_that_slack_describes_is_known_for_what_it_is() -> None:
    table = [web_api.raw()[name] for name in ("chat.postMessage", "chat.update")]
    described = {code for one in table for code in (*one["errors"], *one["newer"]["errors"])}
    known = [posting.GONE, posting.CLOSED, posting.UNFIT, client.LATER, client.AUTH, OURS]
    assert described <= set().union(*known)
    assert sum(map(len, known)) == len(set().union(*known)), "each is one of them only"


def test_who_asked_where_the_bot_cannot_post_is_told_once_where_to_look(slack: Slack) -> None:
    view, url = waiting(), slack.response_url(G_SECRET, U_DEV)
    request = {"requester": {"id": U_DEV}, "channel": G_SECRET, "response_url": url}
    for channel in (G_SECRET, G_SECRET, C_DEPLOY, "D0DANA001"):
        event = StepEvent(view.deployment, message="announce", request={**request, "channel": channel})
        assert notify.run(event).delivered
    told = [m for m in slack.messages if m.ephemeral_to]
    assert [(m.channel, m.ephemeral_to) for m in told] == [(G_SECRET, U_DEV)]
    assert f"in <#{C_DEPLOY}>" in told[0].text
