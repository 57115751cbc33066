"""The Web API's methods, each a function from arguments to the answer's body (without `ok`).

Each one's page: https://docs.slack.dev/reference/methods/<name>
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from fakes.slack import directory
from fakes.slack.blocks import accepted_view
from fakes.slack.directory import BOT_ID, TEAM_DOMAIN, TEAM_ID, U_BOT
from fakes.slack.errors import SlackError
from fakes.slack.store import Json, Message, View
from fakes.slack.workspace import Workspace

Method = Callable[[Workspace, Json], Json]


def auth_test(_: Workspace, __: Json) -> Json:
    return {
        "url": f"https://{TEAM_DOMAIN}.slack.com/",
        "team": "Acme",
        "user": directory.users()[U_BOT].name,
        "team_id": TEAM_ID,
        "user_id": U_BOT,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def chat_post_message(space: Workspace, args: Json) -> Json:
    channel = space.conversation(args["channel"])
    text, kept = space.content(args.get("text"), args.get("blocks"), too_long="msg_blocks_too_long")
    thread = args.get("thread_ts")
    if thread and space.store.find(channel.id, str(thread)) is None:
        raise SlackError("thread_not_found")
    space.pace(channel.id)
    message = space.post(
        channel.id,
        text,
        kept,
        thread_ts=str(thread) if thread else None,
        metadata=_metadata(args.get("metadata")),
        broadcast=_truth(args.get("reply_broadcast")),
    )
    return {"channel": channel.id, "ts": message.ts, "message": space.shown(message)}


def chat_update(space: Workspace, args: Json) -> Json:
    """A text without blocks takes the blocks away; blocks without a text leave the text.

    https://docs.slack.dev/reference/methods/chat.update
    """
    message = _own(space, args, "cant_update_message")
    if space.visible_channel(message.channel).is_archived:
        raise SlackError("is_inactive")
    text, kept = space.content(args.get("text"), args.get("blocks"))
    text = text if args.get("text") else message.text
    if "metadata" in args:
        message.metadata = _metadata(args["metadata"])
    space.store.edit(message, text, kept, space.clock.now())
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": space.shown(message)}


def chat_delete(space: Workspace, args: Json) -> Json:
    message = _own(space, args, "cant_delete_message")
    space.store.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def chat_post_ephemeral(space: Workspace, args: Json) -> Json:
    channel, user = space.open_channel(args["channel"]), str(args["user"])
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    text, kept = space.content(args.get("text"), args.get("blocks"))
    message = space.post(
        channel.id, text, kept, ephemeral_to=user, thread_ts=args.get("thread_ts"), via="chat.postEphemeral"
    )
    return {"message_ts": message.ts}


def conversations_info(space: Workspace, args: Json) -> Json:
    return {"channel": space.visible_channel(args.get("channel")).info(U_BOT)}


def conversations_members(space: Workspace, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members: `limit` at a time, the cursor says from where."""
    members = sorted(space.visible_channel(args.get("channel")).members)
    limit, begin = int(args.get("limit") or 100), int(args.get("cursor") or 0)
    if not 0 < limit <= 1000:
        raise SlackError("invalid_limit")
    more = begin + limit < len(members)
    return {
        "members": members[begin : begin + limit],
        "response_metadata": {"next_cursor": str(begin + limit) if more else ""},
    }


def users_info(space: Workspace, args: Json) -> Json:
    return {"user": space.user(args.get("user")).info()}


def usergroups_users_list(space: Workspace, args: Json) -> Json:
    group = space.groups.get(str(args.get("usergroup")))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group)}


def views_open(space: Workspace, args: Json) -> Json:
    content = accepted_view(args["view"])
    user = space.tickets.exchange(str(args.get("trigger_id") or ""))
    now = space.clock.now()
    view = View("V" + secrets.token_hex(5).upper(), user, content, f"{now:.6f}".replace(".", "") + ".aa")
    space.store.open_view(view)
    return {"view": space.shown_view(view)}


METHODS: dict[str, tuple[str, Method]] = {
    "auth.test": ("", auth_test),
    "chat.postMessage": ("chat:write", chat_post_message),
    "chat.update": ("chat:write", chat_update),
    "chat.delete": ("chat:write", chat_delete),
    "chat.postEphemeral": ("chat:write", chat_post_ephemeral),
    "conversations.info": ("channels:read", conversations_info),
    "conversations.members": ("channels:read", conversations_members),
    "users.info": ("users:read", users_info),
    "usergroups.users.list": ("usergroups:read", usergroups_users_list),
    "views.open": ("", views_open),
}
"""By name: the scope the token needs ("" for none) and the work."""


def _own(space: Workspace, args: Json, refusal: str) -> Message:
    channel = space.visible_channel(args.get("channel"))
    message = space.store.find(channel.id, str(args.get("ts")))
    if message is None or message.ephemeral_to:  # an ephemeral message has no place in the channel's history
        raise SlackError("message_not_found")
    if message.user != U_BOT:
        raise SlackError(refusal)
    return message


def _metadata(value: Any) -> Json | None:
    """https://docs.slack.dev/messaging/message-metadata"""
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(value.get("event_type"), str):
        raise SlackError("invalid_metadata_format")
    return value


def _truth(value: Any) -> bool:
    return value in (True, "true", "1", 1)
