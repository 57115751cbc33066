"""The deployment's record: what was planned, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from chatops import clock
from chatops.domain import codec
from chatops.domain.errors import UnknownSchema
from chatops.domain.plan import Plan
from chatops.domain.record import EventKind, Outcome, PastDeployment, Record, Unsettled
from chatops.store import locks, news, releases
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Record | None:
    """The record, or None. Raises UnknownSchema for a row or a plan of another version."""
    row = table.get(_pk(deployment_id), "RECORD")
    return read(row) if row else None


def read(row: Item) -> Record:
    """The row of a record. Raises UnknownSchema for a plan of another version."""
    plan = codec.plan(json.loads(row["plan"]))
    return replace(codec.read(Record, {**row, "plan": plan, "outcome": None}), outcome=_outcome(row))


def _outcome(row: Item) -> Outcome:
    """False while the deployment goes on."""
    text = row.get("outcome")
    return codec.read(Outcome, json.loads(text)) if text else Outcome()


def begin(table: Table, deployment_id: str, execution_arn: str, plan: Plan, *members: Item) -> Plan:
    """Write the record (once) together with `members`, the lock's taking; the plan that stands.

    Raises Conflict with `failed` counted from the first of `members`.
    """
    if record := get(table, deployment_id):
        return record.plan
    started = clock.iso(clock.now())
    target = plan.target
    history = f"DEPLOY#{started}#{deployment_id}"
    summary = {
        "target": target,
        "deployment_id": deployment_id,
        "execution_arn": execution_arn,
        "command": plan.command,
        "version": plan.version,
        "before": plan.before,
        "requester": plan.requester.id,
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
                        "plan": json.dumps(codec.as_json(plan)),
                    },
                    "attribute_not_exists(#pk)",
                )
            },
            {"Put": t.put({"pk": f"TARGET#{target}", "sk": history, **summary})},
            {"Put": t.put({"pk": "OPEN", "sk": deployment_id, **summary})},
            news.owing(deployment_id, EventKind.STARTED),
        )
    except Conflict as conflict:
        if record := get(table, deployment_id):
            return record.plan
        raise conflict from None
    return plan


def settle(
    table: Table,
    record: Record,
    outcome: Outcome,
    *members: Item,
    unless_cancelled: bool = False,
    keep_lock: bool = False,
) -> str:
    """Write the outcome and free the lock in one transaction, with `members` (the ledger's releases).

    Returns `""` when written, `settled` when there was an outcome already, `cancelled` when `unless_cancelled` and
    somebody has cancelled.
    """
    deployment_id, target = record.deployment_id, record.plan.target
    change = "SET #outcome = :outcome, #settled_at = :now"
    values = {"outcome": json.dumps(codec.as_json(outcome)), "now": clock.iso(clock.now())}
    for _ in range(5):
        work: list[Item] = [
            {"Update": t.update(_pk(deployment_id), "RECORD", change, "attribute_not_exists(#outcome)", values)}
        ]
        if unless_cancelled:
            work.append({"ConditionCheck": t.check(_pk(deployment_id), "CANCEL", "attribute_not_exists(#pk)")})
        work.append({"Update": t.update(f"TARGET#{target}", record.history, change, values=values)})
        work.append({"Delete": t.delete("OPEN", deployment_id)})
        work.append(releases.ending(target))
        if not keep_lock and locks.holds(table, target, deployment_id):
            work.append(locks.freeing(target, deployment_id))
        try:
            table.transact(*work, *members, news.owing(deployment_id, EventKind.ENDED))
        except Conflict as conflict:
            if 0 in conflict.failed:
                return "settled"
            if unless_cancelled and 1 in conflict.failed:
                return "cancelled"
            continue  # the lock changed hands between the look and the write
        return ""
    raise Conflict


def history(table: Table, target: str, limit: int = 10) -> list[PastDeployment]:
    """The target's deployments, newest first."""
    rows = table.query(f"TARGET#{target}", "DEPLOY#", newest_first=True, limit=limit)
    return [_past(row) for row in rows]


def _past(row: Item) -> PastDeployment:
    ended = _outcome(row)
    return replace(codec.read(PastDeployment, row), end=ended.end, seconds=ended.seconds)


def unsettled(table: Table, unknown: Callable[[UnknownSchema], object] | None = None) -> list[Unsettled]:
    """Every deployment without an outcome. The error of a row that cannot be read goes to `unknown`."""
    return [codec.read(Unsettled, row) for row in table.query("OPEN", limit=10_000, unknown=unknown)]
