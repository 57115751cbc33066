"""What GitHub says of a run that has not begun: what it waits for, why there is none; and how it is given up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.reason import Reason
from chatops.domain.results import StageResult
from chatops.github import runs
from chatops.github.client import GitHub, github
from chatops.github.runs import Run, RunState
from chatops.observability import logger
from chatops.steps.poll_timing import Observation

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


def named_run(seen: Observation, client: GitHub) -> Run | None:
    """The run that carries the stage's name, claimed or not. Raises GitHub's errors."""
    return runs.named(client, runs.run_name(seen.deployment_id, seen.name), seen.row.began_at)


def reviewed(known: StageResult, seen: Observation) -> StageResult:
    """With the environment and the reviewers that the run waits for; GitHub is asked once a wait, and only then."""
    if known.run_state != RunState.IN_REVIEW:
        return known
    before = seen.before
    if before.run_state == known.run_state and before.environment:
        return replace(known, environment=before.environment, reviewers=before.reviewers)
    environment, reviewers = runs.review(github(seen.target.repository, seen.need), int(known.run_id or 0))
    return replace(known, environment=environment or seen.target.environment(seen.name), reviewers=reviewers)


def given_up(seen: Observation) -> bool:
    """True once GitHub has been asked to cancel the unclaimed run, or there is none; for a run past the deadline
    in any case. The run could not claim any more, but one that waits for a review or a runner would keep its
    concurrency group until somebody ends it."""
    if not seen.row.dispatched_at or seen.now >= seen.deadline:
        return True
    if seen.paused:
        return False
    client = github(seen.target.repository)
    try:
        found = named_run(seen, client)
        if found is not None and not found.completed:
            runs.cancel(client, found.id)
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused) as trouble:
        logger.warning("the unclaimed run was not cancelled", reason=str(trouble))
        return False
    return True


def disabled(seen: Observation) -> Reason | None:
    """Why GitHub starts no run, where it says that the target's workflow is disabled."""
    if seen.paused:
        return None
    file = seen.target.workflow_file
    state = runs.disabled(github(seen.target.repository, seen.need), file)
    if not state:
        return None
    key: TextKey = "why_workflow_idle" if state == "disabled_inactivity" else "why_workflow_disabled"
    return Reason(key, file=file, repository=seen.target.repository)
