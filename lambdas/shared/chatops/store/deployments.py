"""The deployment's record: what was planned, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from chatops import clock
from chatops.domain import codec
from chatops.domain.errors import UnknownSchema
from chatops.store import locks, releases
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Item | None:
    """The record with its plan decoded, or None."""
    row = table.get(_pk(deployment_id), "RECORD")
    if row and isinstance(row.get("plan"), str):
        row["plan"] = codec.plan(json.loads(row["plan"]))
    return row


def begin(
    table: Table, deployment_id: str, execution_arn: str, plan: Mapping[str, Any], *members: Item
) -> Mapping[str, Any]:
    """Write the record (once) together with `members`, the lock's taking; the plan that stands.

    Raises Conflict with `failed` counted from the first of `members`.
    """
    if row := get(table, deployment_id):
        return dict(row["plan"])
    started = clock.iso(clock.now())
    target = str(plan["target"])
    history = f"DEPLOY#{started}#{deployment_id}"
    summary = {
        "target": target,
        "deployment_id": deployment_id,
        "execution_arn": execution_arn,
        "command": plan["command"],
        "version": plan["version"],
        "before": str((plan.get("live") or {}).get("version") or ""),
        "requester": plan["requester"]["id"],
        "started_at": started,
    }
    try:
        table.transact(
            *members,
            {
                "Put": t.put(
                    {
                        "pk": _pk(deployment_id),
                        "sk": "RECORD",
                        **summary,
                        "history": history,
                        "plan": json.dumps(plan),
                    },
                    "attribute_not_exists(#pk)",
                )
            },
            {"Put": t.put({"pk": f"TARGET#{target}", "sk": history, **summary})},
            {"Put": t.put({"pk": "OPEN", "sk": deployment_id, **summary})},
        )
    except Conflict as conflict:
        if row := get(table, deployment_id):
            return dict(row["plan"])
        raise conflict from None
    return plan


def settle(
    table: Table,
    record: Item,
    outcome: Mapping[str, Any],
    *members: Item,
    unless_cancelled: bool = False,
    keep_lock: bool = False,
) -> str:
    """Write the outcome and free the lock in one transaction, with `members` (the ledger's releases).

    Returns `""` when written, `settled` when there was an outcome already, `cancelled` when `unless_cancelled` and
    somebody has cancelled.
    """
    deployment_id, target = str(record["deployment_id"]), str(record["target"])
    text = json.dumps(outcome)
    change = "SET #outcome = :outcome, #settled_at = :now"
    values = {"outcome": text, "now": clock.iso(clock.now())}
    for _ in range(5):
        work: list[Item] = [
            {"Update": t.update(_pk(deployment_id), "RECORD", change, "attribute_not_exists(#outcome)", values)}
        ]
        if unless_cancelled:
            work.append({"ConditionCheck": t.check(_pk(deployment_id), "CANCEL", "attribute_not_exists(#pk)")})
        work.append({"Update": t.update(f"TARGET#{target}", str(record["history"]), change, values=values)})
        work.append({"Delete": t.delete("OPEN", deployment_id)})
        work.append(releases.ending(target))
        if not keep_lock and locks.holds(table, target, deployment_id):
            work.append(locks.freeing(target, deployment_id))
        try:
            table.transact(*work, *members)
        except Conflict as conflict:
            if 0 in conflict.failed:
                return "settled"
            if unless_cancelled and 1 in conflict.failed:
                return "cancelled"
            continue  # the lock changed hands between the look and the write
        return ""
    raise Conflict


def outcome(record: Item) -> dict[str, Any] | None:
    """How it ended, or None while it has not."""
    text = record.get("outcome")
    return json.loads(text) if text else None


def history(table: Table, target: str, limit: int = 10) -> list[Item]:
    """The target's deployments, newest first, with their outcomes decoded."""
    rows = table.query(f"TARGET#{target}", "DEPLOY#", newest_first=True, limit=limit)
    return [{**row, "outcome": outcome(row)} for row in rows]


def unsettled(table: Table, unknown: Callable[[UnknownSchema], object] | None = None) -> list[Item]:
    """Every deployment without an outcome; those that cannot be read are told to `unknown`."""
    return table.query("OPEN", unknown=unknown)
