"""park: store the token that wakes this wait early. Apart from `approval`: its function starts cold far more often,
and needs neither Slack nor GitHub."""

from __future__ import annotations

from chatops.domain.errors import AlreadyAwake
from chatops.domain.event import StepEvent
from chatops.store import wakeups
from chatops.store.table import table


def run(event: StepEvent) -> None:
    """Raises AlreadyAwake if something happened since `poll` read the truth."""
    if not wakeups.park(table(), event.deployment.id, event.token, event.wake):
        raise AlreadyAwake("Something happened since the last look.")
