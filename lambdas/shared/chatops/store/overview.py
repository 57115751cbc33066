"""What `sweep` must know of a deployment that goes on, in one request: there may be thousands."""

from __future__ import annotations

from chatops.domain import codec
from chatops.domain.record import Cancel
from chatops.store import wakeups
from chatops.store.table import Table
from chatops.store.wakeups import Wait
from chatops.values import dataclass

_TIMES = {"APPROVAL": "decided_at", "CANCEL": "at", "PAUSE": "decided_at", "STAGE": "finished_at"}
"""When a row says that something was recorded that ends a wait."""


@dataclass(frozen=True, slots=True)
class Overview:
    """`token`: of a wait that should have been woken and was not, else empty; `cancelled_at`: epoch seconds, 0 where
    nobody has cancelled."""

    token: str
    cancelled_at: float


def of(table: Table, deployment_id: str) -> Overview:
    """Raises UnknownSchema for a row of another version."""
    rows = {str(row["sk"]): row for row in table.query(f"DEPLOYMENT#{deployment_id}")}
    times = [row.get(_TIMES.get(name.partition("#")[0], "")) for name, row in rows.items()]
    decided_at = max((float(each) for each in times if each), default=0.0)
    wait = codec.read(Wait, rows.get("WAIT"))
    return Overview(wakeups.overdue(wait, decided_at), codec.read(Cancel, rows.get("CANCEL")).at)
