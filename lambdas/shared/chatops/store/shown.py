"""Deployments whose GitHub Deployment has not got its last status yet. Each is noted with the deployment's record, and
taken out when GitHub has the end.

One function at a time writes to GitHub for a deployment: it holds the row for a minute, which is longer than a function
lasts. What it had begun and did not note is found on GitHub by the deployment's id.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from chatops import clock
from chatops.domain.errors import UnknownSchema
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table
from chatops.values import dataclass

_PK, _SK = "GITHUB", "DEPLOYMENT#"
HELD = 60
"""Seconds for which a row is held."""


@dataclass(frozen=True, slots=True)
class Shown:
    """`number`: GitHub's, 0 while it is not known; `state`: what GitHub was told last; `free_at`: epoch seconds before
    which nobody else writes."""

    deployment_id: str
    number: int = 0
    state: str = ""
    free_at: float = 0.0


def owing(deployment_id: str) -> Item:
    """The transaction member that notes the deployment, together with its record."""
    row = {"pk": _PK, "sk": _SK + deployment_id, "deployment_id": deployment_id, "number": 0, "state": "", "free_at": 0}
    return {"Put": t.put(row)}


def waiting(table: Table, unreadable: Callable[[UnknownSchema], object] | None = None) -> list[Shown]:
    """All of them. The error of a row of another version goes to `unreadable`, else it is raised."""
    return [_read(row) for row in table.query(_PK, _SK, limit=10_000, unknown=unreadable)]


def get(table: Table, deployment_id: str) -> Shown | None:
    """None where GitHub has the end, or nobody wanted it there."""
    row = table.get(_PK, _SK + deployment_id)
    return _read(row) if row else None


def hold(table: Table, seen: Shown) -> bool:
    """Take the row for HELD seconds, unless somebody holds it or has written since it was `seen`."""
    now = clock.now()
    when = "attribute_exists(#pk) AND #state = :state AND #free_at <= :now"
    values = {"state": seen.state, "now": now, "until": now + HELD}
    try:
        table.update(_PK, _SK + seen.deployment_id, "SET #free_at = :until", when, values)
    except Conflict:
        return False
    return True


def note(table: Table, shown: Shown) -> None:
    """What GitHub has now. Nothing is written where somebody else has brought it to its end meanwhile."""
    values = {"number": shown.number, "state": shown.state, "free": shown.free_at}
    change = "SET #number = :number, #state = :state, #free_at = :free"
    with suppress(Conflict):
        table.update(_PK, _SK + shown.deployment_id, change, "attribute_exists(#pk)", values)


def done(table: Table, deployment_id: str) -> None:
    """GitHub has the end."""
    table.delete(_PK, _SK + deployment_id)


def _read(row: Item) -> Shown:
    return Shown(str(row["deployment_id"]), int(row["number"]), str(row["state"]), float(row["free_at"]))
