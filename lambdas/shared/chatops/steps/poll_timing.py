"""What one poll knows of a stage, how long to wait until the next, and the results that it may come to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.github_budget import Need
from chatops.domain.plan import Plan
from chatops.domain.reason import Cause, Reason
from chatops.domain.results import StageResult
from chatops.domain.stage import Stage
from chatops.domain.target import LOOKS, Target
from chatops.steps import pace
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

STILL = ("queued", "in_review", "pending", "running", "finishing")


@dataclass(frozen=True, slots=True)
class Observation:
    """`late`: over the stage's own limit. `stop`: nobody wants the run any more. `refused`: name of the error that kept
    its event from being sent.

    Times are epoch seconds, 0 where there is none. `before` is the result of the poll before. `lengths`: seconds that
    the target's last runs of this stage took, where runs report nothing.
    """

    deployment_id: str
    name: str
    row: Stage
    target: Target
    now: float
    cancelled_at: float = 0.0
    refused: str = ""
    refusal: Reason | None = None
    before: StageResult = StageResult()
    plan: Plan = Plan()
    lengths: tuple[float, ...] = ()

    @property
    def limit(self) -> int:
        timing = self.target.timing
        return {"build": timing.build, "deploy": timing.deploy, "rollback": timing.restore}[self.name]

    @property
    def passed(self) -> float:
        """Seconds since the stage began."""
        return self.now - self.row.began_at

    @property
    def reported(self) -> float:
        """Seconds since the run reported its end."""
        return self.now - (self.row.finished_at or self.now)

    @property
    def late(self) -> bool:
        return self.passed >= self.limit

    @property
    def cancelled(self) -> bool:
        return bool(self.cancelled_at)

    @property
    def stop(self) -> bool:
        return self.cancelled or bool(self.refused) or self.late

    @property
    def need(self) -> Need:
        """What GitHub is asked for now."""
        if self.stop:
            return Need.NOW
        overdue = self.target.claim and not self.row.claimed
        return Need.END if overdue or self.row.state == "finished" else Need.LOOK

    @property
    def paused(self) -> float:
        """Seconds left of a pause that GitHub has asked for."""
        return max((self.before.pause_until or 0) - self.now, 0)

    @property
    def deadline(self) -> float:
        """When waiting for GitHub's answer ends: at the stage's limit, or when a cancel has had its time."""
        limit = self.row.began_at + self.limit
        if not self.stop:
            return limit
        unwanted = self.cancelled_at or (limit if self.late else self.row.began_at)
        return max(unwanted, self.row.cancel_asked_at) + self.target.timing.cancel

    @property
    def known(self) -> StageResult:
        """What the poll before knew of the run, in a result that says nothing else."""
        of = self.before
        return StageResult(
            claimed=self.row.claimed,
            run_id=of.run_id,
            run_number=of.run_number,
            run_url=of.run_url,
            run_state=of.run_state,
            job=of.job,
            step=of.step,
            conclusion=of.conclusion,
            etag=of.etag,
            jobs_etag=of.jobs_etag,
            environment=of.environment,
            reviewers=of.reviewers,
        )

    @property
    def timed_out(self) -> Reason:
        """Over its limit; where the run was waiting for something until then, for what."""
        of, seconds = self.before, self.limit
        if of.state == "in_review" and of.reviewers:
            return Reason("why_not_reviewed", seconds=seconds, environment=of.environment or "", reviewers=of.reviewers)
        if of.state == "in_review":
            where = of.environment or self.target.environment(self.name)
            return Reason("why_rules_not_met", seconds=seconds, environment=where)
        key: dict[str, TextKey] = {"queued": "why_no_runner", "pending": "why_not_its_turn"}
        return Reason(key.get(of.state, "why_timed_out"), seconds=seconds)


def due(seen: Observation) -> float:
    """Seconds until the next poll of a stage that goes on."""
    timing = seen.target.timing
    if seen.row.state == "finished":
        return pace.reported(seen.reported, timing, seen.limit)
    if not seen.target.claim:
        return pace.silent(seen.passed, timing, seen.limit, seen.lengths)
    return pace.reporting(seen.passed, timing, seen.limit, f"{seen.deployment_id} {seen.name}")


def retry(seen: Observation) -> float:
    """Seconds until the next poll after one that GitHub did not answer."""
    if seen.row.state == "finished":
        return pace.reported(seen.reported, seen.target.timing, seen.limit)
    return pace.unanswered(seen.passed, seen.target.timing, seen.limit)


def stopping(seen: Observation) -> float:
    """The pace until a run that nobody wants any more has ended."""
    timing = seen.target.timing
    return max(timing.poll_min, timing.cancel / LOOKS)


def ended(known: StageResult, state: str, why: Reason | None = None) -> StageResult:
    """The stage has come to its end."""
    return replace(known, state=state, done=True, wait_seconds=1, why=Cause(why) if why else None)


def waiting(known: StageResult, state: str, seconds: float, trouble: Reason | None = None) -> StageResult:
    """It has not; poll again in so many seconds. `trouble`: why this poll could not see more."""
    return replace(known, state=state, done=False, wait_seconds=max(math.ceil(seconds), 1), trouble=trouble)


def obeying(result: StageResult, seen: Observation) -> StageResult:
    """The result with its wait no shorter than the pause that GitHub asked for, and that pause remembered: a finish may
    wake us before. The wait does not pass the deadline all the same."""
    if result.done:
        return result
    until = max(result.pause_until or 0, seen.now + seen.paused)
    seconds = max(result.wait_seconds or 0, math.ceil(until - seen.now))
    if seen.deadline > seen.now:
        seconds = min(seconds, math.ceil(seen.deadline - seen.now))
    return replace(result, pause_until=until if until > seen.now else result.pause_until, wait_seconds=seconds)


def trouble_of(error: GitHubRefused | GitHubUnavailable | GitHubRateLimited, seen: Observation) -> Reason | None:
    """What GitHub answered instead, as a reason for people; None where it was not asked: nobody waits for that."""
    if isinstance(error, GitHubPostponed):
        return None
    if isinstance(error, GitHubRefused):
        return error.reason
    if isinstance(error, GitHubRateLimited):
        return paused_until(seen.now + error.wait_seconds, seen)
    return Reason("why_github_down", said=error.reason, seconds=seen.limit)


def paused_until(until: float, seen: Observation) -> Reason:
    """GitHub's rate limit as the reason why a stage did not end in time; `until` in epoch seconds."""
    return Reason("why_github_paused", until=clock.iso(until), seconds=seen.limit)


def undecided(seen: Observation, seconds: float, trouble: Reason | None) -> StageResult:
    """GitHub does not say (`trouble`: why not), and is asked again in `seconds`, but not faster than that. Past the
    deadline we give up on the answer, not on the run: the lock stays for `sweep`."""
    if seen.stop and seen.now >= seen.deadline:
        return give_up(seen, seen.known, trouble)
    state = seen.before.state if seen.before.state in STILL else "running"
    return waiting(seen.known, state, max(seconds, retry(seen)), trouble)


def give_up(seen: Observation, known: StageResult, trouble: Reason | None = None) -> StageResult:
    """Nobody knows whether the run has ended."""
    known = replace(known, unconfirmed=True)
    if seen.cancelled:
        return ended(known, "cancelled")
    # a run that was asked to end after its limit is late, whatever GitHub does not say now
    late = seen.row.cancel_asked_at or not trouble
    return ended(known, "timed_out", seen.timed_out if late else trouble)


def absent(seen: Observation, known: StageResult) -> StageResult:
    """No run has claimed the ticket in time. "It never appeared" is said only where GitHub was asked and said so."""
    until = 0.0 if seen.row.dispatched_at else seen.row.not_before
    if why := paused_until(until, seen) if until else seen.before.trouble:
        return ended(known, "timed_out", why)
    if seen.late and seen.known.run_id:
        return ended(seen.known, "timed_out", seen.timed_out)
    seconds, event = seen.target.timing.appear, seen.target.event_type
    return ended(known, "never_appeared", Reason("why_never_appeared", seconds=seconds, event_type=event))
