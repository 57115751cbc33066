"""Where a deployment's Slack message is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chatops import clock
from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.store.table import Conflict, Item, Table
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """A deployment's Slack message. Before it is posted, `ts` is empty.

    `fingerprint`: of what it shows, since `shown_at`; `said`: marks of the short messages posted besides;
    `not_before`: end of a pause that Slack asked for; `live`: the message itself, while it has a button that has to go
    when its release is no longer live. Times are epoch seconds.
    """

    channel: str = ""
    ts: str = ""
    fingerprint: str = ""
    shown_at: float = 0.0
    not_before: float = 0.0
    said: tuple[str, ...] = ()
    live: Json | None = None


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Message:
    """Where the deployment's message is, and what it shows."""
    return _message(table.get(_pk(deployment_id), "MESSAGE"))


def _message(row: Item | None) -> Message:
    live = row.get("live") if row else None
    return codec.read(Message, {**row, "live": json.loads(live) if live else None} if row else None)


def posted(table: Table, deployment_id: str, channel: str, ts: str, instead_of: str = "") -> Message:
    """Remember where the message is; the first post wins, but for one that is gone (`instead_of` its ts)."""
    try:
        row = table.update(
            _pk(deployment_id),
            "MESSAGE",
            "SET #channel = :channel, #ts = :ts",
            "attribute_not_exists(#ts) OR #ts = :gone",
            {"channel": channel, "ts": ts, "gone": instead_of or "-"},
        )
    except Conflict as conflict:
        return _message(conflict.old)
    return _message(row)


def forgotten(table: Table, deployment_id: str, ts: str) -> None:
    """The message of this `ts` isn't there any more: the next one is posted anew, in the channel of the last one."""
    with suppress(Conflict):  # it has been replaced already
        table.update(_pk(deployment_id), "MESSAGE", "REMOVE #ts, #fingerprint, #live", "#ts = :gone", {"gone": ts})


def doubted(table: Table, deployment_id: str) -> None:
    """The message may not be where people see it: it is sent once more, even if it shows the same."""
    table.update(_pk(deployment_id), "MESSAGE", "REMOVE #fingerprint")


def shown(table: Table, deployment_id: str, fingerprint: str, live: Mapping[str, Any] | None = None) -> None:
    """Remember what the message shows now, and since when. `live`: the message itself, where it has a button that has
    to go when its release is no longer live."""
    change, values = "SET #fingerprint = :fingerprint, #shown_at = :now", {"fingerprint": fingerprint}
    if live:
        change, values = f"{change}, #live = :live", {**values, "live": json.dumps(live)}
    table.update(_pk(deployment_id), "MESSAGE", change, values={**values, "now": clock.now()})


def may_progress(table: Table, deployment_id: str, now: float, pause: float) -> bool:
    """Whether the message has stood for `pause` seconds, so that mere progress may change it again."""
    known = get(table, deployment_id)
    return now - known.shown_at >= pause and now >= known.not_before


def hold(table: Table, deployment_id: str, until: float) -> None:
    """Slack has asked for a pause: nothing more is sent about this deployment before `until` (epoch seconds)."""
    table.update(_pk(deployment_id), "MESSAGE", "SET #not_before = :until", values={"until": until})


def retired(table: Table, deployment_id: str) -> None:
    """Its button is gone."""
    table.update(_pk(deployment_id), "MESSAGE", "REMOVE #live")


def noted(table: Table, deployment_id: str, mark: str) -> None:
    """Remember that the short message of this mark has been posted: it is not posted again."""
    table.update(_pk(deployment_id), "MESSAGE", "ADD #said :mark", values={"mark": {mark}})
