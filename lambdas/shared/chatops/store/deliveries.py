"""What a delivery of Slack's meant when it first came, where that depends on the moment: a copy of it means the same.

Most deliveries name what they are about (a deployment, a card) or start an execution of their own name, and need none.
"""

from __future__ import annotations

from chatops import clock
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

_KEEP_SECONDS = 86_400
"""Longer than any copy can come: a signature holds for five minutes."""


def meant(table: Table, delivery: str, about: str) -> str:
    """What the delivery (an id that only its copies share) was about when it first came: `about`, if this is the
    first."""
    try:
        table.put(_row(delivery, about), "attribute_not_exists(#pk)")
    except Conflict as conflict:
        return str((conflict.old or {}).get("about", ""))
    return about


def once(delivery: str, answer: str) -> Item:
    """The transaction member that insists that this is the delivery's first copy, whose answer the others get."""
    return {"Put": t.put(_row(delivery, answer), "attribute_not_exists(#pk)")}


def told(table: Table, delivery: str) -> str:
    """What the first copy was answered; empty where there was none."""
    return str((table.get(f"DELIVERY#{delivery}", "MEANT") or {}).get("about", ""))


def _row(delivery: str, about: str) -> Item:
    expires_at = int(clock.now()) + _KEEP_SECONDS
    return {"pk": f"DELIVERY#{delivery}", "sk": "MEANT", "about": about, "expires_at": expires_at}
