"""What closes a target now: its own windows, and the row `FREEZE` of somebody who has locked it by hand.

The row is changed, never deleted, by whoever locks and unlocks; each change leaves a row `LOCKING#…` for the history.
"""

from __future__ import annotations

from chatops import clock
from chatops.domain import codec, freeze
from chatops.domain.freeze import Freeze, Lock
from chatops.domain.record import PastLock
from chatops.domain.target import Target
from chatops.store import deliveries
from chatops.store import table as t
from chatops.store.table import Item, Table


def _pk(target: str) -> str:
    return f"TARGET#{target}"


def lock_of(table: Table, target: str) -> Lock | None:
    """The lock that was written last, whether it still holds or not."""
    row = table.get(_pk(target), "FREEZE")
    return codec.read(Lock, row) if row else None


def holding(table: Table, target: Target, at: float | None = None) -> Freeze | None:
    """The freeze that holds now, or held `at` that moment (epoch seconds) by what is known now; None if none does."""
    lock, now = lock_of(table, target.name), clock.now() if at is None else at
    known = [lock] if lock and (at is None or lock.at <= at) else []
    return freeze.holding((*known, *target.freeze), now)


def write(table: Table, target: str, new: Lock, seen: Lock | None, past: PastLock, answer: str) -> None:
    """Lock, or unlock (`until` is now), where `seen` is still what was written last. `new.mark`: the delivery, which is
    carried out once; `answer`: what its copies are told. Raises Conflict, with `failed` 0 where something else was
    written meanwhile, and 1 for a copy."""
    when, values = "attribute_not_exists(#pk)", {}
    if seen:
        when, values = "#mark = :seen", {"seen": seen.mark}
    table.transact(
        {"Put": t.put({"pk": _pk(target), "sk": "FREEZE", **codec.as_json(new)}, when, values)},
        deliveries.once(new.mark, answer),
        _past(target, new.mark, past),
    )


def _past(target: str, mark: str, past: PastLock) -> Item:
    return {"Put": t.put({"pk": _pk(target), "sk": f"LOCKING#{past.at}#{mark}", **codec.as_json(past)})}


def history(table: Table, target: str, limit: int) -> list[PastLock]:
    """Who has locked and unlocked the target, newest first."""
    rows = table.query(_pk(target), "LOCKING#", newest_first=True, limit=limit)
    return [codec.read(PastLock, row) for row in rows]
