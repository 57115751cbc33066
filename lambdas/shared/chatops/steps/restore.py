"""restore: put the recorded healthy release back, by its platform's own API."""

from __future__ import annotations

from typing import Any

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.platforms.registry import PlatformOf, platform
from chatops.settings.targets import targets
from chatops.steps.dispatch import assert_ours, leave
from chatops.store import results, stages
from chatops.store.table import table


def run(event: dict[str, Any], platform_of: PlatformOf = platform) -> dict[str, Any]:
    """`how` it is being put back. Raises AlreadySettled where this deployment must not have an effect any more, and
    ServiceRefused where it cannot be put back."""
    deployment, rows = Deployment.of(event), table()
    target = targets()[deployment.plan.target]
    assert_ours(rows, deployment.id, target.name)
    stages.revoke(rows, deployment.id, "deploy")  # no late run of it may come after what is put back
    how = codec.as_json(platform_of(target).restore(deployment))
    leave(rows, deployment)
    results.keep(rows, deployment.id, "rollback", how)
    return how
