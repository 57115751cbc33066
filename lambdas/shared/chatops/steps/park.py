"""park: store the token that wakes this wait early."""

from __future__ import annotations

from typing import Any

from chatops.domain.errors import AlreadyAwake
from chatops.store import wakeups
from chatops.store.table import table


def run(event: dict[str, Any]) -> dict[str, Any]:
    """Raises AlreadyAwake if something happened since `poll` read the truth."""
    if not wakeups.park(table(), str(event["deployment_id"]), str(event["token"]), int(event["wake"])):
        raise AlreadyAwake("Something happened since the last look.")
    return {}
