"""poll: find this stage's run, report its state once, say how long to wait. Never loops, never sleeps."""

from __future__ import annotations

import math
from dataclasses import replace

from chatops import clock
from chatops.domain import image
from chatops.domain.causes import reason_of
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.event import StepEvent
from chatops.domain.reason import Cause, Reason
from chatops.domain.results import StageResult, Stop
from chatops.domain.stage import Outputs
from chatops.github import runs
from chatops.github.client import GitHub, github
from chatops.github.runs import COMPLETED, Run, RunState
from chatops.observability import logger
from chatops.settings.targets import targets
from chatops.steps import cancelling, freezes, not_begun, pace, run_look, stop
from chatops.steps.build_result import fitting
from chatops.steps.poll_timing import (
    Observation,
    absent,
    due,
    ended,
    give_up,
    obeying,
    paused_until,
    retry,
    stopping,
    trouble_of,
    undecided,
    waiting,
)
from chatops.store import cancels, lengths, messages, results, stages, wakeups
from chatops.store.table import table

_UNCLAIMED = Reason("why_unclaimed")


def run(event: StepEvent) -> StageResult | Stop:
    """The stage's result as it is now. With `mode` stop: see `steps.stop`."""
    return stop.run(event.deployment) if event.mode == "stop" else poll(event.deployment, event.stage)


def poll(deployment: Deployment, name: str) -> StageResult:
    """The result of the stage `name` as it is now; for a wait `wake` and `wait_seconds` say how long."""
    rows, before = table(), deployment.stage(name)
    wake = wakeups.counter(rows, deployment.id)  # the counter first, then the truth
    row = stages.get(rows, deployment.id, name)
    refused = deployment.errors.dispatch.name if name == "deploy" else ""
    refusal = reason_of(deployment.errors.dispatch.as_json()) if refused else None
    if row is None:
        result = ended(StageResult(stage=name, wake=wake), "refused" if refused else "cancelled", refusal)
        results.keep(rows, deployment.id, name, result, before)
        return result
    cancel = cancels.get(rows, deployment.id) if name in stages.CANCELLABLE else None
    cancelled_at = cancel.at if cancel else 0.0
    target, now = targets()[deployment.plan.target], clock.now()
    before_it = () if target.claim else lengths.get(rows, target.name, name).seconds
    facts = (cancelled_at, refused, refusal, before, deployment.plan, before_it)
    seen = Observation(deployment.id, name, row, target, now, *facts)
    found = as_approved(deployment, name, _observe(seen))
    if name == "build":
        found = fitting(found, deployment.plan, target)
    result = replace(obeying(found, seen), stage=name)
    results.keep(rows, deployment.id, name, result, before)
    if result.state == "succeeded" and not target.claim:
        lasted = (result.updated_at or now) - row.began_at
        lengths.add(rows, target.name, name, deployment.id, min(max(lasted, 0), seen.passed))
    shown = _shown(result)
    new = not result.done and shown != before.shown and not _ending(seen)
    # what is not due to be shown now is still new at the next poll
    changed = new and messages.may_progress(rows, deployment.id, now, target.timing.progress)
    return replace(
        result,
        wake=wake,
        changed=changed,
        shown=shown if changed else before.shown or "",
        seconds=round(seen.passed, 1),
    )


def as_approved(deployment: Deployment, name: str, result: StageResult) -> StageResult:
    """The result; failed where the stage reports that it released another image than it was to release."""
    back = deployment.plan.previous
    wanted = {"deploy": (deployment.build.outputs or Outputs()).image, "rollback": back.image if back else ""}.get(name)
    released = (result.outputs or Outputs()).image
    if result.state != "succeeded" or not wanted or not released or image.same(released, wanted):
        return result
    return ended(result, "failed", image.other(released, wanted))


def _shown(result: StageResult) -> str:
    parts = [str(part or "") for part in (result.state, result.run_number, result.job, result.step)]
    return "/".join([*parts, *filter(None, [result.held_until])])


def _ending(seen: Observation, seconds: float = pace.STEADY) -> bool:
    """The run has reported a moment ago: what comes of it is shown, not that it is about to."""
    return seen.row.state == "finished" and seen.reported < seconds


def _observe(seen: Observation) -> StageResult:
    unclaimed = not seen.row.claimed
    if unclaimed and seen.target.claim:
        return _observe_unclaimed(seen)
    if seen.paused:
        return undecided(seen, seen.paused, seen.before.trouble)
    if unclaimed and seen.before.state == "waiting" and not seen.stop and seen.passed < pace.APPEARS / 2:
        return _observe_unclaimed(seen)  # its event was sent a moment ago
    if _ending(seen, pace.AT_ONCE / 2) and seen.before.run_number and not seen.stop:
        return waiting(replace(seen.known, run_id=seen.row.run_id), "finishing", due(seen))
    client = github(seen.target.repository, seen.need)
    try:
        found = _run(seen, client)
    except GitHubRateLimited as limit:
        return _paused(undecided(seen, limit.again_seconds, trouble_of(limit, seen)), seen, limit)
    except GitHubUnavailable as trouble:
        logger.warning("github did not answer", reason=str(trouble))
        return undecided(seen, retry(seen), trouble_of(trouble, seen))
    except GitHubRefused as refusal:
        if refusal.status == 404 and runs.deleted(client):
            known = replace(seen.known, claimed=True, conclusion="deleted")
            return ended(known, "failed", Reason("why_run_failed_bare"))
        logger.warning("github refused", reason=str(refusal))
        return undecided(seen, pace.TROUBLE, trouble_of(refusal, seen))
    return _observe_unclaimed(seen) if found is None else _observe_run(seen, client, found)


def _run(seen: Observation, client: GitHub) -> StageResult | None:
    """The run that has claimed the stage or, where runs claim nothing, carries its name; None where there is none yet.
    Raises GitHub's errors."""
    if run_id := seen.row.run_id or seen.before.run_id:
        return run_look.look(seen, client, run_id)
    found = not_begun.named_run(seen, client)
    return run_look.of(found, claimed=True) if found else None


def _observe_unclaimed(seen: Observation) -> StageResult:
    """Nobody has claimed the ticket. Its dispatch may be due, its run may be late or never come."""
    row, timing, nothing = seen.row, seen.target.timing, StageResult()
    if seen.stop or row.state == "revoked":
        return _withdraw(seen)
    if not row.dispatched_at:
        left = max(row.not_before, row.again_at) - seen.now
        if left <= 0:
            return waiting(nothing, "undispatched", 1)
        # what is due is not put off to the stage's limit, however seldom the target is polled
        longest = min(retry(seen), timing.appear)
        why = paused_until(row.not_before, seen) if row.not_before > seen.now else None
        return waiting(nothing, "waiting", min(max(left, longest), seen.deadline - seen.now), why)
    if seen.passed < timing.appear:
        seconds = due(seen) if seen.target.claim else pace.appearing(seen.passed, timing)
        return waiting(nothing, "waiting", min(seconds, timing.appear - seen.passed))
    # overdue: a run that waits for a runner is late, not lost
    if seen.paused:
        return waiting(nothing, "waiting", seen.paused, seen.before.trouble)
    try:
        found = not_begun.named_run(seen, github(seen.target.repository, seen.need))
    except GitHubRateLimited as limit:
        seconds = max(limit.again_seconds, retry(seen))
        return _paused(waiting(nothing, "waiting", seconds, trouble_of(limit, seen)), seen, limit)
    except (GitHubUnavailable, GitHubRefused) as trouble:
        return waiting(nothing, "waiting", pace.TROUBLE, trouble_of(trouble, seen))
    if found is not None and not found.completed:
        return waiting(not_begun.reviewed(run_look.of(found), seen), str(found.state), due(seen))
    return _withdraw(replace(seen, before=StageResult()), found)  # what was known before is overcome


def _withdraw(seen: Observation, found: Run | None = None) -> StageResult:
    """Make the ticket worthless; whoever claims at this moment wins, and is followed to its end."""
    row = stages.revoke(table(), seen.deployment_id, seen.name) or seen.row
    if row.claimed:
        return _observe(replace(seen, row=row))
    known = run_look.of(found) if found else StageResult()
    if (seen.cancelled or seen.late) and not not_begun.given_up(seen):
        # the run would stay, and with it its concurrency group
        pause = max(stopping(seen), seen.target.timing.cancel / 4)
        return waiting(seen.known, seen.before.state or "waiting", pause, seen.before.trouble)
    if seen.cancelled:
        return ended(known, "cancelled")
    if seen.refused:
        return ended(known, "refused", seen.refusal)
    if found is not None:
        begun = freezes.stopping(table(), seen.deployment_id, seen.plan, seen.target, seen.name)  # refused its claim
        return ended(known, "failed", freezes.reason(begun, seen.plan, seen.target) if begun else _UNCLAIMED)
    result = absent(seen, known)
    if result.state == "never_appeared" and (why := not_begun.disabled(seen)):
        return replace(result, why=Cause(why))
    return result


def _paused(result: StageResult, seen: Observation, pause: GitHubRateLimited) -> StageResult:
    if isinstance(pause, GitHubPostponed):
        # of our own making, so nothing to remember: a cancel or the run's report wakes us before, and asks at once
        left = max(math.ceil(seen.deadline - seen.now), 1)
        return replace(result, wait_seconds=min(result.wait_seconds or left, left))
    return replace(result, pause_until=seen.now + pause.wait_seconds)


def _observe_run(seen: Observation, client: GitHub, known: StageResult) -> StageResult:
    if known.run_state in COMPLETED:
        if seen.row.state != "finished":
            # it may have finished after its row was read and before GitHub was asked
            seen = replace(seen, row=stages.get(table(), seen.deployment_id, seen.name) or seen.row)
        return _completed(seen, client, known)
    if seen.stop:
        return _stop_run(seen, client, known)
    known = not_begun.reviewed(known, seen)
    return waiting(known, "finishing" if seen.row.state == "finished" else str(known.run_state), due(seen))


def _stop_run(seen: Observation, client: GitHub, known: StageResult) -> StageResult:
    """Ask GitHub to cancel, and report until the run has ended: nobody goes on beside a run that may deploy."""
    asked = seen.row.cancel_asked_at
    try:
        cancelling.ask(table(), seen.deployment_id, seen.name, seen.row, client, int(known.run_id or 0))
    except GitHubRateLimited as limit:
        known = _paused(known, seen, limit)
    except (GitHubUnavailable, GitHubRefused) as trouble:
        logger.warning("the run was not cancelled", reason=str(trouble))
    if asked and seen.now >= seen.deadline:
        return give_up(seen, known)
    return waiting(known, str(known.run_state), stopping(seen))


def _completed(seen: Observation, client: GitHub, known: StageResult) -> StageResult:
    """The run has ended: success is GitHub's conclusion and the run's own report, together."""
    outputs, good = seen.row.outputs, known.run_state == RunState.SUCCEEDED
    known = replace(known, outputs=outputs)
    if seen.cancelled and seen.name == "build":
        return ended(known, "cancelled")
    if good and not seen.target.claim:
        return ended(known, "succeeded")
    if good and seen.row.state != "finished":
        return ended(known, "failed", Reason("why_unfinished"))
    if good:
        agreed = seen.row.outcome == "success"
        return ended(known, "succeeded") if agreed else ended(known, "failed", Reason("why_mismatch"))
    known = run_look.blamed(known, client)  # also for the failed job's log, which the run cannot report itself
    if outputs.failed_job:
        known = replace(known, job=outputs.failed_job, step=outputs.failed_step or "")
    if seen.cancelled:
        return ended(known, "cancelled")
    if seen.late:
        return ended(known, "timed_out", seen.timed_out)
    return ended(known, "failed", Reason("why_run_failed" if known.job and known.step else "why_run_failed_bare"))
