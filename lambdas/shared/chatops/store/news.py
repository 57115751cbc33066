"""Events that EventBridge has not taken yet. Each is noted in the transaction that makes it true.

What they say is read from the deployment's own rows when they are sent.
"""

from __future__ import annotations

from collections.abc import Callable

from chatops import clock
from chatops.domain.errors import UnknownSchema
from chatops.store import table as t
from chatops.store.table import Item, Table
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Unsent:
    """An event to be sent. `kind`: its detail-type; `mark`: the pause that it is about, else empty; `at`: epoch seconds
    at which it became true."""

    deployment_id: str
    kind: str
    mark: str
    at: float

    @property
    def key(self) -> str:
        """Its sort key, so that the events of a deployment stand together."""
        return "#".join((self.deployment_id, self.kind, self.mark))


def owing(deployment_id: str, kind: str, mark: str = "") -> Item:
    """The transaction member that notes an event of this kind."""
    made = Unsent(deployment_id, kind, mark, clock.now())
    row = {"pk": "NEWS", "sk": made.key, "deployment_id": deployment_id, "kind": kind, "mark": mark, "at": made.at}
    return {"Put": t.put(row)}


def waiting(
    table: Table, deployment_id: str = "", unreadable: Callable[[UnknownSchema], object] | None = None
) -> list[Unsent]:
    """The events that wait: of the deployment, or (named none) of all. The error of a row of another version goes to
    `unreadable`, else it is raised."""
    rows = table.query("NEWS", f"{deployment_id}#" if deployment_id else "", limit=10_000, unknown=unreadable)
    return [Unsent(str(r["deployment_id"]), str(r["kind"]), str(r["mark"]), float(r["at"])) for r in rows]


def sent(table: Table, event: Unsent) -> None:
    """EventBridge has taken it."""
    table.delete("NEWS", event.key)
