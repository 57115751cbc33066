"""wake: something has changed at a target's service; wake the deployment that waits for it.

Only that. What the event says is not believed: the look that follows reads the truth. So an event that never comes
costs time, and one that comes twice, late, or made up costs a look.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chatops import aws
from chatops.observability import logger
from chatops.platforms.changes import changed, place
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.steps.handler import translated
from chatops.store import locks, wakeups
from chatops.store.table import table


def run(event: object) -> dict[str, Any]:
    """`woken`: ids of the deployments. What concerns no target asks the table nothing."""
    about = changed(event)
    if not about:
        return {"woken": []}
    account, region = settings().state_machine_arn.split(":")[4], settings().region
    return {"woken": _wake(t.name for t in targets().values() if place(t, account, region) in about)}


def _wake(names: Iterable[str]) -> list[str]:
    """Whoever holds these targets. Raises ServiceUnavailable where AWS does not answer: Lambda invokes again."""
    try:
        holders = [holder.deployment_id for name in names if (holder := locks.holder(table(), name))]
        for deployment_id in holders:
            wakeups.wake(table(), deployment_id)
            logger.info("woken", deployment_id=deployment_id)
    except aws.failures() as error:
        raise translated(error) from None
    return holders
