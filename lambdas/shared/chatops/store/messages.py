"""Where a deployment's Slack message is, and the outbox of final messages that Slack has not taken yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops import clock
from chatops.store.table import Conflict, Item, Table


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Item:
    """The message's row (`channel`, `ts`, `said`: the marks of what was posted besides), empty before the post."""
    return table.get(_pk(deployment_id), "MESSAGE") or {}


def posted(table: Table, deployment_id: str, channel: str, ts: str) -> Item:
    """Remember where the message is; the first post wins."""
    try:
        return table.update(
            _pk(deployment_id),
            "MESSAGE",
            "SET #channel = :channel, #ts = :ts",
            "attribute_not_exists(#ts)",
            {"channel": channel, "ts": ts},
        )
    except Conflict as conflict:
        return conflict.old or {}


def shown(table: Table, deployment_id: str, fingerprint: str) -> None:
    """Remember what the message shows now, and since when."""
    table.update(
        _pk(deployment_id),
        "MESSAGE",
        "SET #fingerprint = :fingerprint, #shown_at = :now",
        values={"fingerprint": fingerprint, "now": clock.now()},
    )


def say_once(table: Table, deployment_id: str, mark: str) -> bool:
    """True the first time this mark is used: a short message of its own is posted once."""
    try:
        table.update(
            _pk(deployment_id),
            "MESSAGE",
            "ADD #said :mark",
            "NOT contains(#said, :text)",
            {"mark": {mark}, "text": mark},
        )
    except Conflict:
        return False
    return True


def unsay(table: Table, deployment_id: str, mark: str) -> None:
    """Slack did not take it after all."""
    table.update(_pk(deployment_id), "MESSAGE", "DELETE #said :mark", values={"mark": {mark}})


def keep(table: Table, deployment_id: str, event: Mapping[str, Any]) -> None:
    """Put a final message's event into the outbox; `sweep` says it when Slack is back."""
    table.put({"pk": "OUTBOX", "sk": deployment_id, "event": json.dumps(event), "kept_at": clock.now()})


def outbox(table: Table) -> list[tuple[str, dict[str, Any]]]:
    """`(deployment_id, event)` of every final message that waits."""
    return [(str(row["sk"]), json.loads(row["event"])) for row in table.query("OUTBOX")]


def delivered(table: Table, deployment_id: str) -> None:
    """Slack took it."""
    table.delete("OUTBOX", deployment_id)
