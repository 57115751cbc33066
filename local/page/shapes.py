"""What the page is told, as JSON: names, messages, modals, executions. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.page import history
from local.slack import Message, View
from local.slack.directory import S_APPROVERS, U_DEV, U_KIM, U_LEE, U_OUT, channels, users

Json = dict[str, Any]

ACTORS = {U_DEV: "developer", U_LEE: "approver", U_KIM: "approver", U_OUT: "outsider"}
"""Whom one can act as, and what they are to the bot."""


def message(one: Message) -> Json:
    """A message as the channel shows it."""
    return {
        "id": f"{one.channel}/{one.ts}",
        "channel": one.channel,
        "ts": one.ts,
        "thread_ts": one.thread_ts,
        "user": one.user,
        "text": one.text,
        "blocks": one.blocks,
        "ephemeral_to": one.ephemeral_to,
        "edited": bool(one.edits),
    }


def view(one: View) -> Json:
    """A modal that `user` has open, with what the app found wrong by block_id."""
    return {"id": one.id, "user": one.user, "content": one.content, "errors": one.errors}


def about(channel: str, commands: list[Json]) -> Json:
    """What stays the same while the page is open: names, and the commands with their hints."""
    people = users()
    return {
        "channel": channel,
        "channels": {one.id: one.name for one in channels().values()},
        "users": {one.id: {"name": one.name, "bot": one.is_bot} for one in people.values()},
        "groups": {S_APPROVERS: "platform"},
        "actors": [{"id": who, "name": people[who].name, "role": role} for who, role in ACTORS.items()],
        "commands": commands,
    }


def execution(found: Mapping[str, Any], now: float) -> Json:
    """An execution, from ListExecutions or DescribeExecution. Times in epoch seconds, `elapsed` in seconds."""
    started, stopped = history.epoch(found["startDate"]), history.epoch(found.get("stopDate"))
    return {
        "name": found["name"],
        "status": found["status"],
        "started": started,
        "stopped": stopped,
        "elapsed": round(max((stopped or now) - (started or now), 0), 3),
        "error": str(found.get("error") or ""),
        "cause": history.cause(str(found.get("cause") or "")),
    }
