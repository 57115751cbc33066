"""The Slack fake refuses what Slack refuses: blocks, dialogs, texts and modals beyond the limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from fakes.slack import Slack, blocks
from fakes.slack.directory import (
    C_DEPLOY,
    U_LEE,
)
from tests.contract.slack_words import button, modal, plain, refused, text


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
def test_a_text_that_is_too_long_is_cut_and_an_empty_one_refused(slack: Slack, web: WebClient) -> None:
    answer = web.chat_postMessage(channel=C_DEPLOY, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert "warning" not in web.chat_update(channel=C_DEPLOY, ts=answer["ts"], text="y" * 40_000).data
    assert web.chat_update(channel=C_DEPLOY, ts=answer["ts"], text="z" * 40_001)["ok"]
    message = slack.messages[0]
    assert [len(text) for text in (message.edits[0].text, message.edits[1].text, message.text)] == [40_000] * 3
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="") == "no_text"
    slack.misread.clear()


def test_blocks_that_are_no_list_are_refused(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="x")["ts"]
    divider = {"type": "divider"}
    for wrong in (divider, "divider", '"divider"', 7, True, json.dumps(divider)):
        assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=wrong) == "invalid_blocks_format", wrong
        assert refused(web.chat_update, channel=C_DEPLOY, ts=ts, text="x", blocks=wrong) == "invalid_blocks_format"
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=["divider"]) == "invalid_blocks"
    assert [one.blocks for one in slack.messages] == [[]]


def test_blocks_may_have_so_many_characters_and_no_more(web: WebClient) -> None:
    """https://github.com/slackapi/bolt-js/issues/2509"""
    section = {"type": "section", "text": text("x" * 3000)}
    ts = web.chat_postMessage(channel=C_DEPLOY, text="x", blocks=[section] * 4)["ts"]
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=[section] * 5) == "msg_blocks_too_long"
    assert refused(web.chat_update, channel=C_DEPLOY, ts=ts, text="x", blocks=[section] * 5) == "invalid_blocks"


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters"),
        ({"type": "header", "text": text("x")}, "unsupported type: mrkdwn"),
        ({"type": "section", "text": text("x" * 3001)}, "must be less than 3001 characters"),
        ({"type": "section", "text": text("")}, "must be more than 0 characters"),
        ({"type": "section"}, "missing required field: text"),
        ({"type": "section", "fields": [text("x")] * 11}, "no more than 10 items allowed"),
        ({"type": "section", "fields": [text("x" * 2001)]}, "must be less than 2001 characters"),
        ({"type": "image", "image_url": "https://e.com/a.gif"}, "missing required field: alt_text"),
        ({"type": "image", "image_url": "ftp://e.com/a.gif", "alt_text": "a"}, "invalid url"),
        ({"type": "image", "image_url": "https://e.com/a.gif", "alt_text": "x" * 2001}, "less than 2001"),
        ({"type": "context", "elements": [text("x")] * 11}, "no more than 10 items allowed"),
        ({"type": "actions", "elements": []}, "must have at least 1 items"),
        ({"type": "actions", "elements": [button(), button()]}, "must be unique"),
        ({"type": "actions", "elements": [button(text=plain("x" * 76))]}, "must be less than 76 characters"),
        ({"type": "actions", "elements": [button(value="x" * 2001)]}, "must be less than 2001 characters"),
        ({"type": "actions", "elements": [button(action_id="x" * 256)]}, "must be less than 256 characters"),
        ({"type": "actions", "elements": [button(style="loud")]}, "must be a valid enum value"),
        ({"type": "divider", "block_id": "x" * 256}, "must be less than 256 characters"),
        ({"type": "blinking"}, "unsupported type: blinking"),
    ],
)
def test_blocks_beyond_the_limits_are_refused_with_the_place(
    web: WebClient, block: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SlackApiError) as error:
        web.chat_postMessage(channel=C_DEPLOY, text="x", blocks=[block])
    assert error.value.response["error"] == "invalid_blocks"
    (line,) = error.value.response["response_metadata"]["messages"]
    assert complaint in line
    assert "[json-pointer:/blocks/0" in line


@pytest.mark.parametrize(("key", "most"), [("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)])
def test_confirm_dialogs_have_limits_too(key: str, most: int) -> None:
    dialog = {"title": plain("t"), "text": text("x"), "confirm": plain("y"), "deny": plain("n")}

    def said(length: int) -> list[str]:
        words = {**dialog[key], "text": "x" * length}
        confirm = button(confirm={**dialog, key: words})
        return blocks.complaints([{"type": "actions", "elements": [confirm]}], 50)

    assert said(most) == []
    assert said(most + 1) == [
        f"must be less than {most + 1} characters [json-pointer:/blocks/0/elements/0/confirm/{key}/text]"
    ]


def test_fifty_blocks_and_no_more(web: WebClient) -> None:
    divider = {"type": "divider"}
    assert web.chat_postMessage(channel=C_DEPLOY, text="x", blocks=[divider] * 50)["ok"]
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=[divider] * 51) == "invalid_blocks"
    twice = [{"type": "divider", "block_id": "b"}] * 2
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=twice) == "invalid_blocks"


def test_an_image_that_cannot_be_fetched_is_refused(slack: Slack, web: WebClient) -> None:
    slack.bad_image_urls.add("broken")
    image = {"type": "image", "image_url": "https://e.com/broken.gif", "alt_text": "a"}
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", blocks=[image]) == "invalid_blocks"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": plain("x" * 25)},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"submit": plain("x" * 25)},
        {"blocks": [{"type": "divider"}] * 101},
        {"type": "popup"},
    ],
)
def test_modals_have_limits(slack: Slack, web: WebClient, wrong: dict[str, Any]) -> None:
    trigger = slack.space.tickets.trigger(U_LEE)
    assert refused(web.views_open, trigger_id=trigger, view=modal(**wrong)) == "invalid_arguments"
