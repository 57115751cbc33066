"""rollout: is our version live, healthy and settled, as its platform reports; observed once."""

from __future__ import annotations

import math
from dataclasses import replace

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.reason import Cause, Reason
from chatops.domain.results import Promotion, RolloutResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target, Timing
from chatops.platforms.platform import Platform
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.settings.targets import targets
from chatops.steps import promotion
from chatops.steps.promotion import Observation
from chatops.store import cancels, messages, results, stages, wakeups
from chatops.store.table import table

OPEN = (RolloutState.MOVING, RolloutState.PAUSED)
_SHOWN = ("status", "lifecycle_stage", "traffic", "running", "desired", "pending")


def observe(deployment: Deployment, promoted: Promotion, platform_of: PlatformOf = platform) -> RolloutResult:
    """The rollout's result: `state`, `done`, `why`, counts, and for a pause whom to ask and how long to wait.
    `promoted`: what came of letting it go on."""
    rows, now = table(), clock.now()
    if not deployment.rollout:
        # where the box is entered again after an error, its state is gone and the kept result goes on
        deployment = replace(deployment, rollout=results.get(rows, deployment.id, "rollout", RolloutResult))
    before, target = deployment.rollout, targets()[deployment.plan.target]
    on = platform_of(target)
    seen = Observation(rows, deployment.id, target, now, wakeups.counter(rows, deployment.id), before)
    outputs = outputs_of(deployment, target, on)
    found = on.rollout(deployment, outputs)
    if found is None:
        unknown = Cause(Reason(on.texts.unreported if target.claim else "why_nothing_began"), "deploy")
        failed = Rollout(RolloutState.FAILED, "").result()
        return kept(deployment.id, "rollout", replace(failed, done=True, changed=False, why=unknown), before)
    result = replace(found.result(), began_at=before.began_at or now, done=found.state not in OPEN)
    result = promotion.since(seen, found, result)
    if not target.claim:
        result = replace(result, brought=outputs)
    if found.state is RolloutState.FAILED and found.lapsed:
        result = replace(result, state="expired")
    elif found.state is RolloutState.OVERTAKEN and on.lists_lag and not before:
        # a list that lags does not know ours yet: observed once more
        again = target.timing.rollout_poll
        result = replace(result, state=str(RolloutState.MOVING), done=False, wake=seen.wake, wait_seconds=again)
    elif found.state in OPEN:
        result = _open(seen, found, result)
    else:
        result = replace(result, why=why_ended(found))
    if promoted.refused and result.state == "promoted":
        result = replace(result, state="failed", done=True, why=Cause(promoted.refused))
    return kept(deployment.id, "rollout", news(deployment.id, result, before, target), before)


def why_ended(found: Rollout) -> Cause | None:
    """Why a rollout that has ended isn't healthy; None for one that is."""
    if found.why:
        return Cause(found.why)
    if found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        return Cause(Reason("why_rollout_failed", status=found.status, said=said))
    return Cause(Reason("why_overtaken")) if found.state is RolloutState.OVERTAKEN else None


def _open(seen: Observation, found: Rollout, result: RolloutResult) -> RolloutResult:
    """With what follows for a rollout that has not come to its end."""
    limit = seen.target.timing.rollout + found.baking
    lasted = seen.now - (result.began_at or seen.now) - (result.held or 0)
    result = replace(result, wake=seen.wake, wait_seconds=pace(seen.target.timing, lasted, limit))
    if found.pause:
        result = promotion.at(seen, found, result)
    if cancels.get(seen.rows, seen.deployment_id):
        return replace(result, state="cancelled", done=True)
    if result.state in ("moving", "promoted") and lasted >= limit:
        return replace(result, state="timed_out", done=True, why=Cause(Reason("why_rollout_late", seconds=limit)))
    return result


def pace(timing: Timing, lasted: float, limit: float) -> int:
    """Seconds until the next look at a rollout that has lasted so long and may last until `limit`.

    Its end has an event that wakes at once; stops, bakes and pauses have none, so a look comes when it has lasted one
    and a half times as long, at most a minute later, and at its limit. The longest rollouts have a longer pause: their
    looks must fit in an execution's history.
    """
    seconds, left = max(timing.rollout_poll, min(lasted / 2, timing.widest_rollout(limit))), limit - lasted
    return max(math.ceil(min(seconds, left) if left > 0 else seconds), 1)


def news(deployment_id: str, result: RolloutResult, before: RolloutResult, target: Target) -> RolloutResult:
    """With whether it shows something new that is due to be shown now."""
    shown = "/".join(str(getattr(result, name)) for name in _SHOWN)
    new = not result.done and shown != before.shown
    # what is not due now is still new at the next observation
    changed = new and messages.may_progress(table(), deployment_id, clock.now(), target.timing.progress)
    return replace(result, changed=changed, shown=shown if changed else before.shown or "")


def kept(deployment_id: str, phase: str, result: RolloutResult, before: RolloutResult) -> RolloutResult:
    """The result, kept in the table as well."""
    results.keep(table(), deployment_id, phase, result, before)
    return result


def outputs_of(deployment: Deployment, target: Target, on: Platform) -> Outputs:
    """What the deploy stage brought; for pipelines that report nothing, what began since, found once."""
    outputs = on.reported(deployment)
    if target.claim or outputs:
        return outputs
    if deployment.rollout.brought:
        return deployment.rollout.brought
    row = stages.get(table(), deployment.id, "deploy")
    since = row.tried_at if row else 0.0
    return on.begun(since)
