"""The ledger of releases that were verified healthy, and those that were rolled back from."""

from __future__ import annotations

from dataclasses import asdict

from chatops import clock
from chatops.domain import codec
from chatops.domain.release import Release
from chatops.store import table as t
from chatops.store.table import Item, Table

_LOOK_BACK = 200


def adding(target: str, new: Release) -> Item:
    """The transaction member that writes a release verified healthy; it is the live one from now on."""
    return {"Put": t.put({"pk": f"TARGET#{target}", "sk": f"RELEASE#{new.key}", **asdict(new)})}


def _left(target: str, release: Release) -> Item:
    key = {"pk": f"TARGET#{target}", "sk": f"LEFT#{release.mark}"}
    return {**key, "version": release.version, "at": clock.iso(clock.now())}


def leave(table: Table, target: str, release: Release) -> None:
    """Mark a release as rolled back from: its rollback has an effect from now on, however it ends."""
    table.put(_left(target, release))


def leaving(target: str, release: Release) -> Item:
    """The transaction member that does the same."""
    return {"Put": t.put(_left(target, release))}


def clearing(target: str, release: Release) -> Item:
    """The transaction member that clears the mark: the commit was deployed and verified again."""
    return {"Delete": t.delete(f"TARGET#{target}", f"LEFT#{release.mark}")}


def ended(table: Table, target: str) -> int:
    """How many of the target's deployments have ended. Read it before what is live, and write with `unchanged`."""
    row = table.get(f"TARGET#{target}", "LEDGER")
    return int(row.get("n", 0)) if row else 0


def ending(target: str) -> Item:
    """The transaction member that says that one more has ended: what was live may not be live any more."""
    return {"Update": t.update(f"TARGET#{target}", "LEDGER", "ADD #n :one", values={"one": 1})}


def unchanged(target: str, seen: int) -> Item:
    """The transaction member that insists that no deployment has ended since `seen` was read."""
    when = "#n = :seen" if seen else "attribute_not_exists(#n) OR #n = :seen"
    return {"ConditionCheck": t.check(f"TARGET#{target}", "LEDGER", when, {"seen": seen})}


def newest_first(table: Table, target: str) -> list[Release]:
    """The target's releases, the live one first."""
    rows = table.query(f"TARGET#{target}", "RELEASE#", newest_first=True, limit=_LOOK_BACK)
    return [codec.read(Release, row) for row in rows]


def live(table: Table, target: str) -> Release | None:
    """The newest of them, which is the live one."""
    rows = table.query(f"TARGET#{target}", "RELEASE#", newest_first=True, limit=1)
    return codec.read(Release, rows[0]) if rows else None


def left(table: Table, target: str) -> frozenset[str]:
    """The marks of the releases that were rolled back from."""
    return frozenset(str(row["sk"]).removeprefix("LEFT#") for row in table.query(f"TARGET#{target}", "LEFT#"))
