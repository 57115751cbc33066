"""The cancel of a deployment: one row beside its record. Whatever must not happen after a cancel checks for the row in
its own transaction."""

from __future__ import annotations

from chatops import clock
from chatops.domain.question import SLACK
from chatops.store import locks, waits
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Item | None:
    """The cancel's row, or None if nobody asked for one."""
    return table.get(_pk(deployment_id), "CANCEL")


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


def record(table: Table, deployment_id: str, by: str, via: str = SLACK, rollback_of: str = "") -> str:
    """Record a cancel: `""` if it stands now, `settled` if the deployment has ended, `already` if one stood. A rollback
    of the target `rollback_of` that has taken it cannot be cancelled any more: `rollback`."""
    try:
        table.transact(
            {
                "ConditionCheck": t.check(
                    _pk(deployment_id), "RECORD", "attribute_exists(#pk) AND attribute_not_exists(#outcome)"
                )
            },
            recording(deployment_id, by, via=via),
            *([locks.free_check(rollback_of, deployment_id)] if rollback_of else []),
            waits.bumping(deployment_id),
        )
    except Conflict as conflict:
        return {0: "settled", 1: "already", 2: "rollback"}[min(conflict.failed)]
    return ""
