"""Where a sweep that had no time for everything has stopped."""

from __future__ import annotations

from collections.abc import Sequence

from chatops.store.table import Table


def ordered(table: Table, phase: str, names: Sequence[str]) -> list[str]:
    """The sorted `names`, beginning behind the one at which the phase stopped last time."""
    after = str((table.get("SWEEP", phase) or {}).get("after") or "")
    return [*(each for each in names if each > after), *(each for each in names if each <= after)]


def keep(table: Table, phase: str, after: str) -> None:
    """The phase has stopped behind `after`."""
    table.put({"pk": "SWEEP", "sk": phase, "after": after})
