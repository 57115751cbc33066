"""Modals, response URLs, rate limits and faults of the Slack fake."""

from __future__ import annotations

import threading
import time

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from fakes.faults import Fault
from fakes.slack import Change, Slack
from fakes.slack.directory import (
    C_DEPLOY,
    G_SECRET,
    U_DEV,
    U_LEE,
)
from tests.contract.slack_words import modal, refused


def test_a_modal_opens_on_a_fresh_trigger_once(slack: Slack, web: WebClient) -> None:
    trigger = slack.space.tickets.trigger(U_LEE)
    opened = web.views_open(trigger_id=trigger, view=modal(private_metadata="d-1"))["view"]
    (view,) = slack.views
    assert (view.id, view.user, view.title) == (opened["id"], U_LEE, "Reject")
    assert opened["private_metadata"] == "d-1"
    assert refused(web.views_open, trigger_id=trigger, view=modal()) == "exchanged_trigger_id"
    assert refused(web.views_open, trigger_id="1.2.3", view=modal()) == "invalid_trigger_id"
    slack.space.tickets.trigger_seconds = 0.01
    late = slack.space.tickets.trigger(U_LEE)
    time.sleep(0.02)
    assert refused(web.views_open, trigger_id=late, view=modal()) == "expired_trigger_id"


def test_a_modal_with_an_input_needs_a_submit_button(slack: Slack, web: WebClient) -> None:
    view = modal()
    del view["submit"]
    trigger = slack.space.tickets.trigger(U_LEE)
    assert refused(web.views_open, trigger_id=trigger, view=view) == "invalid_arguments"


def test_a_response_url_works_five_times_even_where_the_bot_is_not(slack: Slack) -> None:
    hook = WebhookClient(slack.response_url(G_SECRET, U_DEV))
    answers = [hook.send(text=f"n {n}", response_type="ephemeral") for n in range(6)]
    assert [(one.status_code, one.body) for one in answers[:5]] == [(200, "ok")] * 5
    assert (answers[5].status_code, "used_url" in answers[5].body) == (404, True)
    assert {one.ephemeral_to for one in slack.messages} == {U_DEV}


def test_a_response_url_expires(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = WebhookClient(slack.response_url(C_DEPLOY, U_DEV))
    later = time.time() + 1801
    monkeypatch.setattr(slack.space.tickets.clock, "now", lambda: later)
    assert "expired_url" in hook.send(text="late").body


def test_a_response_url_of_a_click_replaces_or_deletes_the_message(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="card")["ts"]
    hook = WebhookClient(slack.response_url(C_DEPLOY, U_DEV, ts))
    hook.send(text="only you", response_type="ephemeral", replace_original=False)
    assert [one.text for one in slack.messages] == ["card", "only you"]
    hook.send(text="decided", replace_original=True)
    assert slack.messages[0].text == "decided"
    hook.send(delete_original=True)
    assert [one.text for one in slack.messages] == ["only you"]


def test_a_response_url_of_a_command_replaces_nothing(slack: Slack) -> None:
    """https://github.com/slackapi/bolt-js/issues/2287"""
    hook = WebhookClient(slack.response_url(C_DEPLOY, U_DEV))
    hook.send(text="Looking …", response_type="ephemeral", replace_original=True)
    hook.send(text="v1 is live", response_type="ephemeral", replace_original=True)
    assert [(one.text, one.ephemeral_to) for one in slack.messages] == [("Looking …", U_DEV), ("v1 is live", U_DEV)]


def test_the_rate_limit_is_there_when_asked_for(slack: Slack, web: WebClient) -> None:
    for _ in range(2):
        web.chat_postMessage(channel=C_DEPLOY, text="x")
    slack.enforce_rate_limit = True
    web.chat_postMessage(channel=C_DEPLOY, text="x")
    with pytest.raises(SlackApiError) as error:
        web.chat_postMessage(channel=C_DEPLOY, text="x")
    assert (error.value.response.status_code, error.value.response["error"]) == (429, "ratelimited")
    assert error.value.response.headers["Retry-After"] == "1"


def test_a_method_has_its_tier(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="x")["ts"]
    slack.enforce_rate_limit = True
    for number in range(50):
        web.chat_update(channel=C_DEPLOY, ts=ts, text=f"x{number}")
    with pytest.raises(SlackApiError) as error:
        web.chat_update(channel=C_DEPLOY, ts=ts, text="once more")
    assert (error.value.response.status_code, error.value.response["error"]) == (429, "ratelimited")
    assert 0 < int(error.value.response.headers["Retry-After"]) <= 60
    web.users_info(user=U_DEV)


def test_down_and_faults(slack: Slack, web: WebClient) -> None:
    slack.down = True
    with pytest.raises(SlackApiError):
        web.auth_test()
    slack.down = False
    slack.faults.append(Fault(r"chat\..*", 429, "ratelimited", headers={"Retry-After": "30"}))
    slack.faults.append(Fault(r"chat\.postMessage", 200, "fatal_error"))
    web.auth_test()
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x") == "ratelimited"
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x") == "fatal_error"
    assert slack.messages == []
    assert [call.error for call in slack.calls][:3] == ["down", "", "ratelimited"]


def test_whoever_listens_hears_of_changes(slack: Slack, web: WebClient) -> None:
    heard: list[Change] = []
    slack.on_change.append(heard.append)
    ts = web.chat_postMessage(channel=C_DEPLOY, text="one")["ts"]
    web.chat_update(channel=C_DEPLOY, ts=ts, text="two")
    web.chat_delete(channel=C_DEPLOY, ts=ts)
    assert [change.kind for change in heard] == ["posted", "edited", "deleted"]
    assert slack.messages == []


def test_waiting_for_a_message(slack: Slack, web: WebClient) -> None:
    timer = threading.Timer(0.05, lambda: web.chat_postMessage(channel=C_DEPLOY, text="live"))
    timer.start()
    assert slack.wait_for(lambda message: message.text == "live", 5).channel == C_DEPLOY
    timer.join()
    with pytest.raises(TimeoutError, match="live"):
        slack.wait_for(lambda message: message.text == "never", 0.01)


def test_a_lost_reply_has_posted_the_message(slack: Slack) -> None:
    slack.faults.append(Fault(r"chat\.postMessage", lose_reply=True))
    careless = WebClient("xoxb-local", base_url=slack.api_url, retry_handlers=[])
    with pytest.raises(OSError, match=r"closed connection|reset"):
        careless.chat_postMessage(channel=C_DEPLOY, text="was posted")
    assert [one.text for one in slack.messages] == ["was posted"]


def test_slack_sdk_posts_again_after_a_lost_reply_unless_told_otherwise(slack: Slack, web: WebClient) -> None:
    """Its default retry handler repeats what broke off, and chat.postMessage knows no idempotency key."""
    slack.faults.append(Fault(r"chat\.postMessage", lose_reply=True))
    web.chat_postMessage(channel=C_DEPLOY, text="twice")
    assert [one.text for one in slack.messages] == ["twice", "twice"]


def test_the_work_can_be_done_and_answered_with_an_error(slack: Slack, web: WebClient) -> None:
    slack.faults.append(Fault(r"chat\.postMessage", 502, message="bad gateway", work=True))
    with pytest.raises(SlackApiError):
        web.chat_postMessage(channel=C_DEPLOY, text="was posted")
    assert [one.text for one in slack.messages] == ["was posted"]
