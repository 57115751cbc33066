"""One deployment at a time per target. The lock names its deployment and execution, never its user; no clocks."""

from __future__ import annotations

from dataclasses import asdict

from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table
from chatops.values import dataclass


@dataclass(frozen=True)
class Holder:
    """Who holds a target. `since` is an ISO time, for people only."""

    deployment_id: str
    execution_arn: str
    command: str
    version: str
    requester: str
    since: str


def _pk(target: str) -> str:
    return f"TARGET#{target}"


def holder(table: Table, target: str) -> Holder | None:
    """Who holds the target now."""
    item = table.get(_pk(target), "LOCK")
    return Holder(**{k: str(item.get(k, "")) for k in Holder.__dataclass_fields__}) if item else None


def taking(target: str, new: Holder, over: Holder | None = None) -> Item:
    """The transaction member that takes the lock: from nobody, from itself, or from exactly the holder `over`."""
    when, values = "attribute_not_exists(#pk) OR #deployment_id = :me", {"me": new.deployment_id}
    if over is not None:
        when, values = "#deployment_id = :old OR #deployment_id = :me", {**values, "old": over.deployment_id}
    return {"Put": t.put({"pk": _pk(target), "sk": "LOCK", **asdict(new)}, when, values)}


def freeing(target: str, deployment_id: str) -> Item:
    """The transaction member that frees the lock if it is this deployment's."""
    return {"Delete": t.delete(_pk(target), "LOCK", "#deployment_id = :me", {"me": deployment_id})}


def held_check(target: str, deployment_id: str) -> Item:
    """The transaction member that insists that this deployment holds the lock."""
    return {"ConditionCheck": t.check(_pk(target), "LOCK", "#deployment_id = :me", {"me": deployment_id})}


def free_check(target: str, deployment_id: str) -> Item:
    """The transaction member that insists that this deployment does not hold the lock."""
    when = "attribute_not_exists(#pk) OR #deployment_id <> :me"
    return {"ConditionCheck": t.check(_pk(target), "LOCK", when, {"me": deployment_id})}


def free(table: Table, target: str, deployment_id: str) -> bool:
    """Free the lock if it is this deployment's; False if it is not (any more)."""
    try:
        table.delete(_pk(target), "LOCK", "#deployment_id = :me", {"me": deployment_id})
    except Conflict:
        return False
    return True


def holds(table: Table, target: str, deployment_id: str) -> bool:
    """True while the lock is this deployment's."""
    current = holder(table, target)
    return current is not None and current.deployment_id == deployment_id
