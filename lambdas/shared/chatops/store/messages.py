"""Where a deployment's Slack message is, and the outbox of final messages that Slack has not taken yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from chatops import clock
from chatops.domain.errors import UnknownSchema
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Item:
    """The message's row (`channel`, `ts`, `said`: the marks of what was posted besides), empty before the post."""
    return table.get(_pk(deployment_id), "MESSAGE") or {}


def posted(table: Table, deployment_id: str, channel: str, ts: str, instead_of: str = "") -> Item:
    """Remember where the message is; the first post wins, but for one that is gone (`instead_of` its ts)."""
    try:
        return table.update(
            _pk(deployment_id),
            "MESSAGE",
            "SET #channel = :channel, #ts = :ts",
            "attribute_not_exists(#ts) OR #ts = :gone",
            {"channel": channel, "ts": ts, "gone": instead_of or "-"},
        )
    except Conflict as conflict:
        return conflict.old or {}


def shown(table: Table, deployment_id: str, fingerprint: str, live: Mapping[str, Any] | None = None) -> None:
    """Remember what the message shows now, and since when. `live`: the message itself, where it has a button that has
    to go when its release is no longer live."""
    change, values = "SET #fingerprint = :fingerprint, #shown_at = :now", {"fingerprint": fingerprint}
    if live:
        change, values = f"{change}, #live = :live", {**values, "live": json.dumps(live)}
    table.update(_pk(deployment_id), "MESSAGE", change, values={**values, "now": clock.now()})


def may_progress(table: Table, deployment_id: str, now: float, pause: float) -> bool:
    """Whether the message has stood for `pause` seconds, so that mere progress may change it again."""
    row = get(table, deployment_id)
    return now - float(row.get("shown_at") or 0) >= pause and now >= float(row.get("not_before") or 0)


def hold(table: Table, deployment_id: str, until: float) -> None:
    """Slack has asked for a pause: nothing more is sent about this deployment before `until` (epoch seconds)."""
    table.update(_pk(deployment_id), "MESSAGE", "SET #not_before = :until", values={"until": until})


def retired(table: Table, deployment_id: str) -> None:
    """Its button is gone."""
    table.update(_pk(deployment_id), "MESSAGE", "REMOVE #live")


def said(table: Table, deployment_id: str, mark: str) -> None:
    """Remember that the short message of this mark has been posted: it is not posted again."""
    table.update(_pk(deployment_id), "MESSAGE", "ADD #said :mark", values={"mark": {mark}})


def owing(deployment_id: str, event: Mapping[str, Any]) -> Item:
    """The transaction member that puts a final message into the outbox, together with the outcome it tells: `notify`
    says it and takes it out again, `sweep` says what `notify` could not."""
    row = {"pk": "OUTBOX", "sk": deployment_id, "event": json.dumps(event), "kept_at": clock.now()}
    return {"Put": t.put(row)}


def outbox(table: Table, unknown: Callable[[UnknownSchema], object] | None = None) -> list[Item]:
    """Every final message that waits: `sk` is the deployment's id, `event` what `notify` is told, `kept_at` epoch
    seconds. Those that cannot be read are told to `unknown`."""
    return [{**row, "event": json.loads(row["event"])} for row in table.query("OUTBOX", unknown=unknown)]


def delivered(table: Table, deployment_id: str) -> None:
    """Slack took it."""
    table.delete("OUTBOX", deployment_id)
