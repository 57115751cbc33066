"""What the page is told, as JSON: messages, modals, executions and their histories. Pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from local.slack import Message, View
from local.slack.directory import S_APPROVERS, U_DEV, U_KIM, U_LEE, U_OUT, channels, users

Json = dict[str, Any]

ACTORS = {U_DEV: "developer", U_LEE: "approver", U_KIM: "approver", U_OUT: "outsider"}
"""Whom one can act as, and what they are to the bot."""

TROUBLE = ("Failed", "TimedOut", "Aborted")
WAITED = "TaskTimedOut"
"""How most token waits end: nobody answered within the interval, so the machine looks for itself. No trouble."""
MAX_DETAIL = 500


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
    started, stopped = _epoch(found["startDate"]), _epoch(found.get("stopDate"))
    return {
        "name": found["name"],
        "status": found["status"],
        "started": started,
        "stopped": stopped,
        "elapsed": round(max((stopped or now) - (started or now), 0), 3),
        "error": str(found.get("error") or ""),
        "cause": _cause(str(found.get("cause") or "")),
    }


def history(events: Iterable[Mapping[str, Any]]) -> list[Json]:
    """History events, each with the state that it belongs to.

    The machine has no branches that run side by side, so that is the state entered last. `kind` is `entered`,
    `exited`, `waited`, `trouble`, or empty for what happens inside a state.
    """
    told: list[Json] = []
    state, first = "", None
    for event in events:
        kind = _kind(event["type"])
        at = _epoch(event["timestamp"]) or 0.0
        first = at if first is None else first
        if kind == "entered":
            state = str(event["stateEnteredEventDetails"]["name"])
        elif kind == "exited":
            state = str(event["stateExitedEventDetails"]["name"])
        whole = event["type"].startswith("Execution")
        told.append(
            {
                "id": event["id"],
                "type": event["type"],
                "kind": kind,
                "state": "" if whole else state,
                "at": at,
                "elapsed": round(max(at - first, 0), 3),
                "detail": _detail(event),
            }
        )
    return told


def current_state(told: list[Json]) -> str:
    """The state entered last; that of an execution which has ended is where it ended."""
    return next((str(one["state"]) for one in reversed(told) if one["kind"] == "entered"), "")


def _kind(event_type: str) -> str:
    if event_type.endswith("StateEntered"):
        return "entered"
    if event_type.endswith("StateExited"):
        return "exited"
    if event_type == WAITED:
        return "waited"
    return "trouble" if event_type.endswith(TROUBLE) else ""


def _detail(event: Mapping[str, Any]) -> str:
    """The error and its cause, where the event has them."""
    for key, value in event.items():
        if key.endswith("EventDetails") and isinstance(value, Mapping) and ("error" in value or "cause" in value):
            error, cause = str(value.get("error") or ""), _cause(str(value.get("cause") or ""))
            return ": ".join(part for part in (error, cause) if part)
    return ""


def _cause(cause: str) -> str:
    """A Lambda's cause is a JSON object with a stack trace: only its message is for reading."""
    try:
        inside = json.loads(cause)
    except ValueError:
        inside = None
    if isinstance(inside, dict) and inside.get("errorMessage"):
        cause = str(inside["errorMessage"])
    return cause if len(cause) <= MAX_DETAIL else cause[: MAX_DETAIL - 1] + "…"


def _epoch(moment: Any) -> float | None:
    return moment.timestamp() if isinstance(moment, dt.datetime) else None
