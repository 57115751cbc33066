"""The Slack fake's Web API, as slack_sdk's own client and models see it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slack_sdk import WebClient
from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    ImageBlock,
    MarkdownTextObject,
    SectionBlock,
)

from fakes.slack import Slack
from fakes.slack.directory import (
    C_DEPLOY,
    C_PUBLIC,
    G_SECRET,
    S_APPROVERS,
    U_BOT,
    U_DEV,
    U_GUEST,
    U_KIM,
    U_LEE,
)
from tests.contract.slack_words import refused


def test_a_message_is_posted_updated_and_found(slack: Slack, web: WebClient) -> None:
    posted = web.chat_postMessage(
        channel=C_DEPLOY,
        text="Deploying",
        blocks=[
            HeaderBlock(text="Deploying v1.2.3"),
            SectionBlock(text=MarkdownTextObject(text="*prod*"), fields=["a", "b"]),
            DividerBlock(),
            ImageBlock(image_url="https://example.com/x.gif", alt_text="A rocket"),
            ContextBlock(elements=[MarkdownTextObject(text="by Dana")]),
            ActionsBlock(
                elements=[
                    ButtonElement(
                        text="Approve",
                        action_id="approve",
                        value="d-1",
                        style="primary",
                        confirm=ConfirmObject(title="Sure?", text="It deploys.", confirm="Yes", deny="No"),
                    )
                ]
            ),
        ],
    )
    (message,) = slack.messages
    assert posted["channel"] == C_DEPLOY
    assert posted["message"]["user"] == U_BOT
    assert all(block["block_id"] for block in posted["message"]["blocks"])
    assert (message.ts, message.text) == (posted["ts"], "Deploying")
    assert message.button("approve").value == "d-1"
    web.chat_update(channel=C_DEPLOY, ts=posted["ts"], text="Done", blocks=[])
    assert (message.text, message.blocks, message.edits[0].text) == ("Done", [], "Deploying")


def test_an_update_of_the_text_alone_takes_the_blocks_away(slack: Slack, web: WebClient) -> None:
    """https://docs.slack.dev/reference/methods/chat.update"""
    ts = web.chat_postMessage(channel=C_DEPLOY, text="One", blocks=[{"type": "divider"}])["ts"]
    web.chat_update(channel=C_DEPLOY, ts=ts, text="More")
    assert (slack.messages[0].text, slack.messages[0].blocks) == ("More", [])


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
def test_an_update_of_the_blocks_alone_keeps_the_text_and_one_of_nothing_is_refused(
    slack: Slack, web: WebClient
) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="One")["ts"]
    answer = web.chat_update(channel=C_DEPLOY, ts=ts, blocks=[{"type": "divider"}])
    assert (answer["text"], slack.messages[0].text, len(slack.messages[0].blocks)) == ("One", "One", 1)
    for nothing in ({}, {"text": ""}, {"blocks": []}, {"text": "", "blocks": []}):
        assert refused(web.chat_update, channel=C_DEPLOY, ts=ts, **nothing) == "no_text"
    assert (slack.messages[0].text, len(slack.messages[0].blocks)) == ("One", 1)


def test_nothing_is_changed_or_posted_in_an_archived_channel(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="One")["ts"]
    channels = slack.space.channels
    channels[C_DEPLOY] = replace(channels[C_DEPLOY], is_archived=True)
    assert refused(web.chat_update, channel=C_DEPLOY, ts=ts, text="More") == "is_inactive"
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="More") == "is_archived"
    assert refused(web.chat_postEphemeral, channel=C_DEPLOY, user=U_DEV, text="More") == "is_archived"
    assert [one.text for one in slack.messages] == ["One"]


def test_a_message_goes_to_a_channels_name_or_to_a_person_and_is_changed_by_the_id(
    slack: Slack, web: WebClient
) -> None:
    """https://docs.slack.dev/reference/methods/chat.postMessage#channels"""
    for name in ("#deployments", "deployments"):
        answer = web.chat_postMessage(channel=name, text="One")
        assert answer["channel"] == C_DEPLOY
        assert refused(web.chat_update, channel=name, ts=answer["ts"], text="More") == "channel_not_found"
        assert web.chat_update(channel=answer["channel"], ts=answer["ts"], text="More")["ok"]
        assert web.chat_postEphemeral(channel=name, user=U_DEV, text="psst")["ok"]
    answer = web.chat_postMessage(channel=U_DEV, text="One")
    assert answer["channel"].startswith("D")
    assert refused(web.chat_update, channel=U_DEV, ts=answer["ts"], text="More") == "channel_not_found"
    assert web.chat_update(channel=answer["channel"], ts=answer["ts"], text="More")["ok"]
    assert web.chat_postMessage(channel=U_DEV, text="Two")["channel"] == answer["channel"]
    shown = web.conversations_info(channel=answer["channel"])["channel"]
    assert (shown["is_im"], shown["user"], "name" in shown) == (True, U_DEV, False)
    for name, error in (
        ("#random", "not_in_channel"),
        ("#secret-project", "channel_not_found"),
        ("old-deployments", "is_archived"),
        ("#nowhere", "channel_not_found"),
        ("U0NOBODY1", "channel_not_found"),
        ("U0GONE001", "channel_not_found"),
    ):
        assert refused(web.chat_postMessage, channel=name, text="x") == error
    assert refused(web.chat_postEphemeral, channel=U_DEV, user=U_DEV, text="x") == "channel_not_found"
    assert len([one for one in slack.messages if one.channel == answer["channel"]]) == 2


def test_timestamps_are_unique_and_grow(slack: Slack, web: WebClient) -> None:
    stamps = [slack.space.store.stamp() for _ in range(500)]
    assert stamps == sorted(set(stamps))
    assert all(len(one.partition(".")[2]) == 6 for one in stamps)


def test_threads(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=C_DEPLOY, text="parent")["ts"]
    web.chat_postMessage(channel=C_DEPLOY, text="reply", thread_ts=ts)
    assert slack.messages[1].thread_ts == ts
    assert refused(web.chat_postMessage, channel=C_DEPLOY, text="x", thread_ts="1.000001") == "thread_not_found"


def test_an_ephemeral_message_is_seen_by_one_and_cannot_be_edited(slack: Slack, web: WebClient) -> None:
    ts = web.chat_postEphemeral(channel=C_DEPLOY, user=U_DEV, text="psst")["message_ts"]
    assert slack.messages[0].ephemeral_to == U_DEV
    assert refused(web.chat_update, channel=C_DEPLOY, ts=ts, text="x") == "message_not_found"
    stranger = "U0NOBODY1"
    assert refused(web.chat_postEphemeral, channel=C_DEPLOY, user=stranger, text="x") == "user_not_in_channel"


def test_where_the_bot_cannot_post(web: WebClient) -> None:
    def post(channel: str) -> str:
        return refused(web.chat_postMessage, channel=channel, text="x")

    assert post(C_PUBLIC) == "not_in_channel"
    assert post(G_SECRET) == "channel_not_found"
    assert post("C0NOWHERE") == "channel_not_found"
    assert post("C0OLD0001") == "is_archived"
    assert refused(web.conversations_info, channel=G_SECRET) == "channel_not_found"
    assert web.conversations_info(channel=C_PUBLIC)["channel"]["is_member"] is False
    assert web.conversations_info(channel=C_DEPLOY)["channel"]["is_member"] is True


def test_messages_of_others_and_missing_ones_cannot_be_updated(slack: Slack, web: WebClient) -> None:
    theirs = slack.space.post(C_DEPLOY, "hello", [], user=U_DEV)
    assert refused(web.chat_update, channel=C_DEPLOY, ts=theirs.ts, text="x") == "cant_update_message"
    assert refused(web.chat_update, channel=C_DEPLOY, ts="1.000001", text="x") == "message_not_found"


def test_people_and_groups(web: WebClient) -> None:
    dana = web.users_info(user=U_DEV)["user"]
    assert (dana["real_name"], dana["profile"]["display_name"]) == ("Dana Park", "dana")
    flags = ("is_bot", "is_restricted", "is_ultra_restricted", "deleted")
    assert [dana[flag] for flag in flags] == [False, False, False, False]
    assert web.users_info(user=U_GUEST)["user"]["is_restricted"] is True
    assert web.users_info(user=U_BOT)["user"]["is_bot"] is True
    assert refused(web.users_info, user="U0NOBODY1") == "user_not_found"
    assert web.usergroups_users_list(usergroup=S_APPROVERS)["users"] == [U_LEE, U_KIM]
    assert refused(web.usergroups_users_list, usergroup="S0NOTHING") == "no_such_subteam"
    assert web.auth_test()["user_id"] == U_BOT


def test_tokens_and_scopes(slack: Slack, web: WebClient) -> None:
    assert refused(WebClient("xoxb-wrong", base_url=slack.api_url).auth_test) == "invalid_auth"
    assert refused(WebClient(base_url=slack.api_url).auth_test) == "not_authed"
    slack.scopes.discard("usergroups:read")
    assert refused(web.usergroups_users_list, usergroup=S_APPROVERS) == "missing_scope"
    assert refused(web.api_call, api_method="chat.everything") == "unknown_method"
    assert slack.misread == ["chat.everything: there is no such method in web_api.yaml"]
    slack.misread.clear()
