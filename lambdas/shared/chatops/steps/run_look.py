"""One look at a stage's run on GitHub, with as few requests as tell whether it has ended, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.results import StageResult
from chatops.github import runs
from chatops.github.client import GitHub
from chatops.github.runs import Run, RunState
from chatops.steps.poll_timing import Observation

OFTEN = 30
"""Seconds. After a shorter pause jobs that have not changed are answer enough."""


def of(found: Run, *, claimed: bool = False) -> StageResult:
    """A result that says nothing but what GitHub says of the run."""
    return StageResult(
        claimed=claimed,
        run_id=found.id,
        run_number=found.number,
        run_url=found.url,
        run_state=str(found.state),
        conclusion=found.conclusion,
        etag=found.etag,
        updated_at=found.updated_at or None,
    )


def look(seen: Observation, client: GitHub, run_id: int) -> StageResult:
    """What GitHub says of the run, in a result that says nothing else. Both questions are conditional: what has not
    changed costs nothing of the rate limit, and is as the look before saw it. Raises GitHub's errors.

    While a job is at work the run has not ended, so a change of the jobs needs no second request; the run itself is
    asked where no job is at work, and where nothing has changed for a while.
    """
    known = replace(seen.known, claimed=True)
    if known.run_id != run_id or not known.run_number:
        return _run(StageResult(run_id=run_id), client)
    if known.run_state != RunState.RUNNING or seen.stop or seen.row.state == "finished":
        return _run(known, client)
    try:
        jobs, etag = runs.jobs(client, run_id, known.jobs_etag or "")
    except (GitHubUnavailable, GitHubRefused):
        return _run(known, client)
    if jobs is None:
        often = (seen.before.wait_seconds or 0) < OFTEN
        return known if often else _run(known, client)
    known = replace(_with(known, jobs), jobs_etag=etag)
    return known if runs.at_work(jobs) else _run(known, client)


def _run(known: StageResult, client: GitHub) -> StageResult:
    reply = runs.get(client, int(known.run_id or 0), known.etag or "")
    if reply.body is None:
        return replace(known, claimed=True)
    found = of(runs.read(reply.body, reply.etag), claimed=True)
    return replace(found, job=known.job, step=known.step, jobs_etag=known.jobs_etag)


def _with(known: StageResult, jobs: list[Mapping[str, Any]]) -> StageResult:
    job, step = runs.job_and_step(jobs)
    return replace(known, job=job, step=step, log_url=runs.log_url(jobs) or None)


def blamed(known: StageResult, client: GitHub) -> StageResult:
    """With the job and step that failed, and its log, as far as GitHub says."""
    try:
        jobs, _ = runs.jobs(client, int(known.run_id or 0))
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused):
        return known
    return _with(known, jobs or [])
