"""A rollout's pauses and what people decided at each. First valid decision wins by a conditional write.

Decisions: `promoted` and `rolled_back` (a person's; the second is a cancel of the deployment as well, in the same
transaction, so that it is never lost, whatever the rollout does meanwhile), `expired` (nobody in time), and `passed`:
it went on without us, continued in the console or by ECS itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chatops import clock
from chatops.store import approvals, waits
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

PREFIX = "PAUSE#"


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str, mark: str) -> Item | None:
    """The pause of this mark, or None: no such pause has been seen."""
    return table.get(_pk(deployment_id), PREFIX + mark)


def all_of(table: Table, deployment_id: str) -> list[Item]:
    """Every pause of the deployment, the latest first."""
    return sorted(table.query(_pk(deployment_id), PREFIX), key=lambda row: -float(row["asked_at"]))


def opened(table: Table, deployment_id: str, mark: str, facts: Mapping[str, Any], deadline_at: float) -> Item:
    """Note the pause once; the row that stands. `facts`: its `stage`, `strategy`, `traffic` (percent, or None) and
    `on_timeout` (CONTINUE or ROLLBACK); `deadline_at`: epoch seconds."""
    row = {
        "pk": _pk(deployment_id),
        "sk": PREFIX + mark,
        "mark": mark,
        **facts,
        "asked_at": clock.now(),
        "deadline_at": deadline_at,
    }
    return table.put_once(row)


def asks(table: Table, deployment_id: str, mark: str, eligible: Sequence[str]) -> Item:
    """Note once whom it asks; the row that stands."""
    change = "SET #eligible = if_not_exists(#eligible, :eligible)"
    return table.update(_pk(deployment_id), PREFIX + mark, change, "attribute_exists(#pk)", {"eligible": eligible})


def decide(table: Table, deployment_id: str, mark: str, decision: str, by: str = "", via: str = "slack") -> Item:
    """Record the decision unless there is one, or the deployment has ended or was cancelled. The row as it stands:
    without a decision where one of these was in the way. Raises LookupError where there is no such pause."""
    change = "SET #decision = :decision, #by = :by, #via = :via, #decided_at = :now"
    values = {"decision": decision, "by": by, "via": via, "now": clock.now()}
    when = "attribute_exists(#pk) AND attribute_not_exists(#decision)"
    cancel = (
        approvals.cancelling(deployment_id, by, "rolled_back", via=via)
        if decision == "rolled_back"
        else approvals.uncancelled(deployment_id)
    )
    with suppress(Conflict):  # whatever was in the way stands in the row, or in the record
        table.transact(
            {"Update": t.update(_pk(deployment_id), PREFIX + mark, change, when, values)},
            {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
            cancel,
            *([waits.bumping(deployment_id)] if by else []),
        )
    row = get(table, deployment_id, mark)
    if row is None:
        raise LookupError(f"{deployment_id} {mark}")
    return row
