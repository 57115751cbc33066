"""The outbox: final messages that Slack has not taken yet.

Apart from `messages`, which the Slack edge imports: that one needs no deployment.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.store import table as t
from chatops.store.table import Item, Table
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A deployment whose final message Slack has not taken; `kept_at`: epoch seconds."""

    deployment: Deployment
    kept_at: float


def owing(deployment: Deployment) -> Item:
    """The transaction member that puts the final message of a deployment into the outbox, together with its outcome:
    `notify` posts it and takes it out again, `sweep` posts what `notify` could not."""
    event = json.dumps(deployment.as_event())
    row = {"pk": "OUTBOX", "sk": deployment.id, "event": event, "kept_at": clock.now()}
    return {"Put": t.put(row)}


def waiting(table: Table, unreadable: Callable[[Exception], object] | None = None) -> list[Undelivered]:
    """Every final message that waits. The error of one that cannot be read goes to `unreadable`, else it is raised."""
    found = []
    for row in table.query("OUTBOX", limit=10_000, unknown=unreadable):
        try:
            found.append(Undelivered(Deployment.of(json.loads(row["event"])), float(row["kept_at"])))
        except Exception as error:
            if unreadable is None:
                raise
            unreadable(error)
    return found


def delivered(table: Table, deployment_id: str) -> None:
    """Slack took it."""
    table.delete("OUTBOX", deployment_id)
