"""The cancel of a deployment: one row beside its record. Whatever must not happen after a cancel checks for the row in
its own transaction."""

from __future__ import annotations

from typing import Literal

from chatops import clock
from chatops.domain import codec
from chatops.domain.question import SLACK
from chatops.domain.record import Cancel
from chatops.store import locks, wakeups
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

Obstacle = Literal["settled", "already", "rollback"]
_OBSTACLES: tuple[Obstacle, ...] = ("settled", "already", "rollback")
"""Why nothing was recorded, in the order of the transaction's members."""


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Cancel | None:
    """The cancel, or None if nobody asked for one."""
    row = table.get(_pk(deployment_id), "CANCEL")
    return codec.read(Cancel, row) if row else None


def recording(deployment_id: str, by: str, kind: str = "cancelled", superseded_by: str = "", via: str = SLACK) -> Item:
    """The transaction member that records a cancel."""
    row = {
        "pk": _pk(deployment_id),
        "sk": "CANCEL",
        "by": by,
        "kind": kind,
        "superseded_by": superseded_by,
        "via": via,
        "at": clock.now(),
    }
    return {"Put": t.put(row, "attribute_not_exists(#pk)")}


def absent(deployment_id: str) -> Item:
    """The transaction member that checks that nobody has cancelled."""
    return {"ConditionCheck": t.check(_pk(deployment_id), "CANCEL", "attribute_not_exists(#pk)")}


def record(table: Table, deployment_id: str, by: str, via: str = SLACK, rollback_of: str = "") -> Obstacle | None:
    """Record a cancel: None if it is recorded now, `settled` if the deployment has ended, `already` if there was one. A
    rollback of the target `rollback_of` that has taken it can't be cancelled any more: `rollback`."""
    try:
        table.transact(
            {
                "ConditionCheck": t.check(
                    _pk(deployment_id), "RECORD", "attribute_exists(#pk) AND attribute_not_exists(#outcome)"
                )
            },
            recording(deployment_id, by, via=via),
            *([locks.free_check(rollback_of, deployment_id)] if rollback_of else []),
            wakeups.bumping(deployment_id),
        )
    except Conflict as conflict:
        return _OBSTACLES[min(conflict.failed)]
    return None
