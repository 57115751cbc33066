"""restore: put the recorded healthy release back, by its platform's own API."""

from __future__ import annotations

from chatops.domain.event import StepEvent
from chatops.domain.results import Restore
from chatops.platforms.registry import PlatformOf, platform
from chatops.settings.targets import targets
from chatops.steps.effects import assert_ours, leave
from chatops.store import results, stages
from chatops.store.table import table


def run(event: StepEvent, platform_of: PlatformOf = platform) -> Restore:
    """`how` it is being put back, or why it isn't. Raises AlreadySettled where this deployment must not have an effect
    any more, and ServiceRefused where it cannot be put back."""
    deployment, rows = event.deployment, table()
    target = targets()[deployment.plan.target]
    assert_ours(rows, deployment.id, target.name)
    stages.revoke(rows, deployment.id, "deploy")  # no late run of it may come after what is put back
    how = platform_of(target).restore(deployment)
    if not how.left_alone:
        leave(rows, deployment)
    results.keep(rows, deployment.id, "rollback", how)
    return how
