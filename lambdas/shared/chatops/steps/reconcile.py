"""reconcile: after an error in Deploy or Rollout, the truth is read before anything is decided.

A failed look is no news about the deployment. What GitHub, the service and the table say decides: go on where the
deployment stood, settle what has happened meanwhile, or roll back.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from chatops import aws, clock
from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.errors import ChatOpsError
from chatops.domain.event import StepEvent
from chatops.domain.results import Reconciled
from chatops.domain.stage import Stage
from chatops.domain.target import Target
from chatops.github.client import github
from chatops.github.runs import RunState
from chatops.observability import logger
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.settings.targets import targets
from chatops.steps import rollout, stage_run
from chatops.steps.poll import as_approved
from chatops.store import cancels, results, stages
from chatops.store.table import Table, table

PATIENCE = 7200
"""Seconds in which what cannot be read is read again."""
_PAUSE = 60
_ANOTHER = 2700
"""Seconds without an error after which the next one begins a patience of its own: the longest that a box's own retries
take is less."""


class Found(StrEnum):
    """What is true of the deployment now."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    OVERTAKEN = "overtaken"
    DEPLOYING = "deploying"
    ROLLING_OUT = "rolling_out"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    AGAIN = "again"
    """Under way, and the last error was less than a minute ago: what fails at once must not fill the history."""


_UNDER_WAY = (Found.DEPLOYING, Found.ROLLING_OUT)


def run(event: StepEvent, platform_of: PlatformOf = platform) -> Reconciled:
    """`state` is one of Found; unreadable at most for PATIENCE, then failed."""
    deployment_id, rows, now = event.deployment.id, table(), clock.now()
    before = results.get(rows, deployment_id, "reconciled", Reconciled)
    began, seen = before.began_at or now, before.seen_at or now
    if now - seen > _ANOTHER:
        began = now
    late = now - began >= PATIENCE
    deployment = results.latest(rows, event.deployment)
    try:
        found = _found(deployment, platform_of, late=late)
    except aws.failures(ChatOpsError) as trouble:
        logger.warning("the deployment cannot be read now", error=type(trouble).__name__)
        found = Found.UNREADABLE
    if late and found not in (Found.DEPLOYED, Found.UNCHANGED, Found.OVERTAKEN):
        found = Found.FAILED
    if found in _UNDER_WAY and before.state in _UNDER_WAY and now - seen < _PAUSE:
        found = Found.AGAIN
    results.keep(rows, deployment_id, "reconciled", Reconciled(str(found), began, seen_at=now))
    return Reconciled(str(found), began, wait_seconds=_PAUSE)


def _found(deployment: Deployment, platform_of: PlatformOf, *, late: bool) -> Found:
    """Raises ChatOpsError or `aws.failures()` where it cannot be read."""
    rows, target = table(), targets()[deployment.plan.target]
    row = stages.get(rows, deployment.id, "deploy")
    if row is None or not stage_run.may_change(target, row):
        return _unclaimed(rows, deployment.id, target, late=late)
    if cancels.get(rows, deployment.id):
        return Found.FAILED
    on = platform_of(target)
    if on.pipeline_only:
        return _by_run(deployment, target, row)
    deployment = _reported(deployment, row)
    found = on.rollout(deployment, rollout.outputs_of(deployment, target, on))
    if found is not None and found.state not in rollout.OPEN:
        return _by_service(rows, deployment, found)
    if deployment.deploy.state == "succeeded":
        return Found.ROLLING_OUT
    return Found.FAILED if deployment.deploy.done else Found.DEPLOYING


def _unclaimed(rows: Table, deployment_id: str, target: Target, *, late: bool) -> Found:
    """Nobody has claimed the ticket: the Deploy box goes on waiting for its run, and ends the wait itself."""
    if not late:
        return Found.DEPLOYING
    row = stages.revoke(rows, deployment_id, "deploy")
    return Found.DEPLOYING if row is not None and stage_run.may_change(target, row) else Found.UNCHANGED


def _reported(deployment: Deployment, row: Stage) -> Deployment:
    """With what the deploy stage's run has reported, although no poll has seen that."""
    outputs = deployment.deploy.outputs or row.outputs
    return replace(deployment, deploy=replace(deployment.deploy, outputs=outputs))


def _by_service(rows: Table, deployment: Deployment, found: Rollout) -> Found:
    ended = replace(found.result(), done=True, why=rollout.why_ended(found))
    results.keep(rows, deployment.id, "rollout", codec.over(deployment.rollout, ended))
    known = {RolloutState.HEALTHY: Found.DEPLOYED, RolloutState.OVERTAKEN: Found.OVERTAKEN}
    return known.get(found.state, Found.FAILED)


def _by_run(deployment: Deployment, target: Target, row: Stage) -> Found:
    """Only the stage's run knows."""
    deploy = deployment.deploy
    if not deploy.done:
        return Found.DEPLOYING
    found = stage_run.find(github(target.repository), target, deployment.id, "deploy", row)
    if found is None or not found.completed:
        return Found.FAILED
    good = found.state is RunState.SUCCEEDED and (not target.claim or row.outcome == "success")
    if good:
        ended = replace(deploy, state="succeeded", unconfirmed=False, conclusion=found.conclusion, why=None)
        ended = as_approved(deployment, "deploy", replace(ended, outputs=row.outputs))
        good = ended.state == "succeeded"
        results.keep(table(), deployment.id, "deploy", ended, deploy)
    return Found.DEPLOYED if good else Found.FAILED
