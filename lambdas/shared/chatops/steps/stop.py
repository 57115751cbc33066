"""stop: before anything is put back, the deploy stage is ended and waited for."""

from __future__ import annotations

import math
from dataclasses import replace

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.results import StageResult, Stop
from chatops.domain.stage import Stage
from chatops.domain.target import Target
from chatops.github import runs
from chatops.github.client import github
from chatops.observability import logger
from chatops.platforms.registry import platform
from chatops.settings.targets import targets
from chatops.steps import cancelling, stage_run
from chatops.store import results, stages, wakeups
from chatops.store.table import table

STAGE = "deploy"
SECONDS = 120
"""How long ECS and CodeDeploy targets wait for the run: their own API restores also beside it, and GitHub may be down.
Hosts can only be restored by another run, and wait until the stage's deadline."""


def run(deployment: Deployment) -> Stop:
    """`done` when the rollback may go on, else `wait_seconds` until the next call. `untouched`: the deploy stage was
    never claimed, and can't be any more. `unconfirmed`: its run is not known to have ended."""
    rows, target = table(), targets()[deployment.plan.target]
    wake = wakeups.counter(rows, deployment.id)  # the counter first, then the truth
    row = stages.revoke(rows, deployment.id, STAGE)
    if row is None or not stage_run.may_change(target, row):
        if row is not None:
            _spare(target, deployment.id, row)
        return Stop(done=True, untouched=deployment.plan.command == "deploy", wake=wake)
    known = results.get(rows, deployment.id, STAGE, StageResult)
    if known.done and not known.unconfirmed:
        return Stop(done=True, wake=wake)
    now = clock.now()
    began = row.stop_began_at or now
    if not row.stop_began_at:
        stages.note(rows, deployment.id, STAGE, stop_began_at=now)
    conclusion = _stopped(target, deployment.id, row)
    ended = replace(known, stage=STAGE, state=known.state or "cancelled", done=True, claimed=True)
    if conclusion is not None:
        confirmed = replace(ended, unconfirmed=False, conclusion=conclusion)
        results.keep(rows, deployment.id, STAGE, confirmed, known)
        return Stop(done=True, wake=wake)
    if now >= began + SECONDS and now >= _limit(target, row):
        results.keep(rows, deployment.id, STAGE, replace(ended, unconfirmed=True), known)
        return Stop(done=True, unconfirmed=True, wake=wake)
    seconds = max((now - began) / 10, target.timing.poll_min)
    return Stop(wake=wake, wait_seconds=max(math.ceil(seconds), 1))


def _spare(target: Target, deployment_id: str, row: Stage) -> None:
    """Cancel the run that has claimed nothing. Trouble doesn't matter: it changes nothing any more."""
    client = github(target.repository)
    try:
        found = stage_run.unclaimed(client, deployment_id, STAGE, row)
        if found is not None and not found.completed:
            runs.cancel(client, found.id)
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused) as trouble:
        logger.warning("the unclaimed run was not cancelled", reason=str(trouble))


def _limit(target: Target, row: Stage) -> float:
    """Epoch seconds until which a run is waited for that nobody but GitHub can end."""
    return row.began_at + target.timing.deploy if platform(target).pipeline_only else 0


def _stopped(target: Target, deployment_id: str, row: Stage) -> str | None:
    """The run's conclusion once it has ended; until then GitHub is asked to cancel it, and None is returned."""
    client = github(target.repository)
    try:
        found = stage_run.find(client, target, deployment_id, STAGE, row)
        if found is not None and found.completed:
            return found.conclusion
        if found is None:  # asked for and not to be seen: it may be late
            return "none" if clock.now() - row.tried_at >= target.timing.appear else None
        cancelling.ask(table(), deployment_id, STAGE, row, client, found.id)
    except GitHubRefused as error:
        if error.status == 404 and runs.deleted(client):
            return "deleted"
        logger.warning("the run was not stopped", reason=str(error))
    except (GitHubUnavailable, GitHubRateLimited) as trouble:
        logger.warning("the run was not stopped", reason=str(trouble))
    return None
