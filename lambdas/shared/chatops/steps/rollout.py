"""rollout: is our version live, healthy and settled, as its platform reports; observed once."""

from __future__ import annotations

from typing import Any

from chatops import clock
from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.results import Outputs
from chatops.platforms.platform import Platform
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.steps import promotion
from chatops.steps.promotion import Observation
from chatops.store import cancels, messages, results, stages, waits
from chatops.store.table import table
from chatops.targets import Target, targets

OPEN = (RolloutState.MOVING, RolloutState.PAUSED)
_SHOWN = ("status", "lifecycle_stage", "traffic", "running", "desired", "pending")


def began_at(before: dict[str, Any], now: float) -> float:
    return float(before.get("began_at") or now)


def look(event: dict[str, Any], platform_of: PlatformOf = platform) -> dict[str, Any]:
    """The rollout's result: `state`, `done`, `why`, counts, and for a pause whom to ask and how long to wait."""
    deployment, state, rows, now = Deployment.of(event), event["state"], table(), clock.now()
    # where the box is entered again after an error, its state is gone and the kept result goes on
    before = state.get("rollout") or results.kept(rows, deployment.id).get("rollout") or {}
    target = targets()[deployment.plan.target]
    on = platform_of(target)
    seen = Observation(rows, deployment.id, target, now, waits.counter(rows, deployment.id), before)
    outputs = outputs_of(deployment, target, on)
    found = on.rollout(deployment, outputs)
    if found is None:
        why = {"key": on.texts.unreported if target.claim else "why_nothing_began", "stage": "deploy"}
        result = {**Rollout(RolloutState.FAILED, "").fact(), "done": True, "changed": False, "why": why}
        results.keep(rows, deployment.id, "rollout", result, before)
        return result
    result = {
        **found.fact(),
        "began_at": began_at(before, now),
        "done": found.state not in OPEN,
        "why": {},
        **promotion.since(seen, found),
    }
    if not target.claim:
        result["brought"] = codec.as_json(outputs)
    if found.state is RolloutState.FAILED and found.lapsed:
        result["state"] = "expired"
    elif found.state is RolloutState.OVERTAKEN and on.lists_lag and not before:
        # a list that lags does not know ours yet: observed once more
        result |= {"state": str(RolloutState.MOVING), "done": False}
    elif found.state in OPEN:
        result |= _open(seen, found, result)
    else:
        result["why"] = why_ended(found)
    refused = (state.get("promotion") or {}).get("refused")
    if refused and result["state"] == "promoted":
        result |= {"state": "failed", "done": True, "why": refused}
    results.keep(rows, deployment.id, "rollout", result, before)
    return news(deployment.id, result, before, target, now)


def why_ended(found: Rollout) -> dict[str, Any]:
    """Why a rollout that has ended isn't healthy; empty for one that is."""
    if found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        return {"key": "why_rollout_failed", "values": {"status": found.status, "said": said}}
    return {"key": "why_overtaken"} if found.state is RolloutState.OVERTAKEN else {}


def _open(look: Observation, found: Rollout, result: dict[str, Any]) -> dict[str, Any]:
    """What is still to be said of a rollout that has not come to its end."""
    made = promotion.at(look, found) if found.pause else {}
    if cancels.get(look.rows, look.deployment_id):
        return {**made, "state": "cancelled", "done": True}
    limit = look.target.timing.rollout + found.baking
    if made.get("state", "promoted") == "promoted" and look.now - result["began_at"] - result["held"] >= limit:
        why = {"key": "why_rollout_late", "values": {"seconds": limit}}
        return {**made, "state": "timed_out", "done": True, "why": why}
    return made


def news(
    deployment_id: str, result: dict[str, Any], before: dict[str, Any], target: Target, now: float
) -> dict[str, Any]:
    """The result, with whether it shows something new that is due to be shown now."""
    shown = "/".join(str(result.get(k, "")) for k in _SHOWN)
    news = not result["done"] and shown != before.get("shown")
    # what is not due now is news still at the next look
    changed = news and messages.may_progress(table(), deployment_id, now, target.timing.progress)
    return {**result, "changed": changed, "shown": shown if changed else before.get("shown", "")}


def outputs_of(deployment: Deployment, target: Target, on: Platform) -> Outputs:
    """What the deploy stage brought; for pipelines that report nothing, what began since, found once."""
    outputs = on.reported(deployment)
    if target.claim or outputs:
        return outputs
    if deployment.rollout.brought:
        return deployment.rollout.brought
    since = float((stages.get(table(), deployment.id, "deploy") or {}).get("tried_at") or 0)
    return on.begun(since)
