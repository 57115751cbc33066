"""What the page is told, as JSON: names, messages, modals, executions. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from chatops.domain.target import Target, default_target
from fakes.slack import Message, View
from fakes.slack.directory import S_APPROVERS
from fakes.slack.workspace import Workspace
from local import people
from local.page import history
from local.page.offers import offered

Json = dict[str, Any]


def message(one: Message, actors: Collection[str] = ()) -> Json:
    """A message as the channel shows it. `offer`: those of the actors who may do what its reader was refused."""
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
        "offer": offered(one.text, one.ephemeral_to, actors),
    }


def view(one: View) -> Json:
    """A modal that `user` has open, with what the app found wrong by block_id."""
    return {"id": one.id, "user": one.user, "content": one.content, "errors": one.errors}


def about(space: Workspace, channel: str, commands: list[Json], targets: Mapping[str, Target]) -> Json:
    """What stays the same while the page is open: names, the commands with their hints, and what to begin with."""
    known = {S_APPROVERS: "platform"}
    return {
        "channel": channel,
        "channels": {one.id: one.name for one in space.channels.values()},
        "users": {one.id: {"name": one.name, "bot": one.is_bot} for one in space.users.values()},
        "groups": {group: known.get(group, group) for group in space.groups},
        "actors": [{"id": one.id, "name": one.name, "role": one.role} for one in people.actors(space, targets)],
        "commands": commands,
        "targets": list(targets),
        "example": _example(space, targets),
    }


def _example(space: Workspace, targets: Mapping[str, Target]) -> Json:
    """A first command, who may type it, and who may approve it (empty: it needs nobody)."""
    meant = default_target(targets)
    name = meant or next(iter(targets))
    target, cast = targets[name], people.cast(space, targets[name])
    decider = cast.deciders[:1] if target.policy.deploy_approval else ()
    return {
        "text": "v1.3.0" if meant else f"v1.3.0 {name}",
        "requester": space.users[cast.requester].name,
        "requester_id": cast.requester,
        "approver": space.users[decider[0]].name if decider else "",
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
