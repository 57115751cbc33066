"""The run behind a stage: the one that claimed it; where pipelines claim nothing, the one that carries its name."""

from __future__ import annotations

from chatops import clock
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.stage import Stage
from chatops.domain.target import Target
from chatops.github import runs
from chatops.github.client import GitHub, github
from chatops.github.runs import Run


def may_change(target: Target, row: Stage | None) -> bool:
    """True if a run of this stage may have begun to change the service: it has claimed the stage or, where runs claim
    nothing, it has been asked for."""
    if row is None:
        return False
    return bool(row.run_id) or (not target.claim and bool(row.tried_at))


def find(client: GitHub, target: Target, deployment_id: str, stage: str, row: Stage) -> Run | None:
    """The run; None where there is none (yet). Raises GitHub's errors."""
    if row.run_id:
        return runs.read(runs.get(client, row.run_id).body)
    if target.claim or not row.tried_at:
        return None
    return runs.named(client, runs.run_name(deployment_id, stage), row.tried_at)


def unclaimed(client: GitHub, deployment_id: str, stage: str, row: Stage) -> Run | None:
    """The run of a stage that was asked for and has claimed nothing. It can't claim once the ticket is revoked, but one
    that waits for a review or a runner keeps its concurrency group. Raises GitHub's errors."""
    if row.run_id or not row.tried_at:
        return None
    return runs.named(client, runs.run_name(deployment_id, stage), row.tried_at)


def may_go_on(target: Target, deployment_id: str, stage: str, row: Stage | None) -> bool:
    """True while a run of this stage may still change the service, as GitHub says; where it does not say, too."""
    if row is None or not may_change(target, row):
        return False
    client = github(target.repository)
    try:
        found = find(client, target, deployment_id, stage, row)
    except GitHubRefused as error:
        return not (error.status == 404 and runs.deleted(client))
    except (GitHubUnavailable, GitHubRateLimited):
        return True
    if found is None:  # asked for, and not to be seen: it may be late
        return clock.now() - row.tried_at < target.timing.appear
    return not found.completed
