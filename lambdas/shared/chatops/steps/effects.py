"""What comes before a step's effect: the deployment may still have one, and what a rollback leaves is marked."""

from __future__ import annotations

from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import AlreadySettled
from chatops.domain.record import Record
from chatops.store import cancels, deployments, locks, releases, results
from chatops.store.table import Table


def assert_ours(rows: Table, deployment_id: str, target: str) -> Record:
    """The record of a deployment that may still have an effect. Raises AlreadySettled otherwise."""
    record = deployments.get(rows, deployment_id)
    if record is None or record.outcome:
        raise AlreadySettled("why_ended")
    if not locks.holds(rows, target, deployment_id):
        raise AlreadySettled("why_lost")
    return record


def leave(rows: Table, deployment: Deployment) -> None:
    """Its rollback has its effect from now on: mark the release that it leaves, however it ends."""
    of = results.latest(rows, deployment)
    if left := rules.left(of, cancels.get(rows, of.id)):
        releases.leave(rows, of.plan.target, left)
