"""rollout: is our version live, healthy and settled, as the service itself says; looked at once."""

from __future__ import annotations

from typing import Any

from chatops import clock
from chatops.platforms import codedeploy_group, codedeploy_verdict, ecs_verdict
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.ecs_service import Service
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.steps import pausing
from chatops.steps.pausing import Look
from chatops.store import approvals, messages, results, stages, waits
from chatops.store.table import table
from chatops.targets import Target, targets

OPEN = (RolloutState.MOVING, RolloutState.PAUSED)
_SHOWN = ("status", "lifecycle_stage", "traffic", "running", "desired", "pending")


def began_at(before: dict[str, Any], now: float) -> float:
    return float(before.get("began_at") or now)


def look(event: dict[str, Any]) -> dict[str, Any]:
    """The rollout's fact: `state`, `done`, `why`, counts, and for a pause whom to ask and how long to wait."""
    deployment_id, state, rows, now = str(event["deployment_id"]), event["state"], table(), clock.now()
    # where the box is entered again after an error, its state is gone and the kept result goes on
    plan, before = state["plan"], state.get("rollout") or results.kept(rows, deployment_id).get("rollout") or {}
    target, began = targets()[plan["target"]], began_at(before, now)
    seen = Look(rows, deployment_id, target, now, waits.counter(rows, deployment_id), before)
    outputs = outputs_of(deployment_id, target, state)
    found = ours(target, outputs, plan)
    if found is None:
        nothing = "why_no_deployment" if target.kind == "codedeploy" else "why_no_output"
        why = {"key": nothing if target.claim else "why_nothing_began", "stage": "deploy"}
        fact = {**Rollout(RolloutState.FAILED, "").fact(), "done": True, "changed": False, "why": why}
        results.keep(rows, deployment_id, "rollout", fact, before)
        return fact
    fact = {
        **found.fact(),
        "began_at": began,
        "done": found.state not in OPEN,
        "why": {},
        **pausing.since(seen, found),
    }
    if not target.claim:
        fact["brought"] = outputs
    if found.state is RolloutState.FAILED and found.lapsed:
        fact["state"] = "expired"
    elif found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        fact["why"] = {"key": "why_rollout_failed", "values": {"status": found.status, "said": said}}
    elif found.state is RolloutState.OVERTAKEN and target.kind == "ecs" and not before:
        # what ECS lists lags behind its updates by seconds: who is overtaken at first sight is looked at once more
        fact |= {"state": str(RolloutState.MOVING), "done": False}
    elif found.state is RolloutState.OVERTAKEN:
        fact["why"] = {"key": "why_overtaken"}
    elif found.state in OPEN:
        fact |= _open(seen, found, fact)
    refused = (state.get("promotion") or {}).get("refused")
    if refused and fact["state"] == "promoted":
        fact |= {"state": "failed", "done": True, "why": refused}
    results.keep(rows, deployment_id, "rollout", fact, before)
    return news(deployment_id, fact, before, target, now)


def _open(look: Look, found: Rollout, fact: dict[str, Any]) -> dict[str, Any]:
    """What is still to be said of a rollout that has not come to its end."""
    made = pausing.at(look, found) if found.pause else {}
    if approvals.cancelled(look.rows, look.deployment_id):
        return {**made, "state": "cancelled", "done": True}
    limit = look.target.timing.rollout + found.baking
    if made.get("state", "promoted") == "promoted" and look.now - fact["began_at"] - fact["held"] >= limit:
        why = {"key": "why_rollout_late", "values": {"seconds": limit}}
        return {**made, "state": "timed_out", "done": True, "why": why}
    return made


def news(
    deployment_id: str, fact: dict[str, Any], before: dict[str, Any], target: Target, now: float
) -> dict[str, Any]:
    """The fact, with whether it shows something new that is due to be shown now."""
    shown = "/".join(str(fact.get(k, "")) for k in _SHOWN)
    news = not fact["done"] and shown != before.get("shown")
    # what is not due now is news still at the next look
    changed = news and messages.may_progress(table(), deployment_id, now, target.timing.progress)
    return {**fact, "changed": changed, "shown": shown if changed else before.get("shown", "")}


def outputs_of(deployment_id: str, target: Target, state: dict[str, Any]) -> dict[str, str]:
    """What the deploy stage says that it brought; for pipelines that say nothing, what began since, found once."""
    said: dict[str, str] = (state.get("deploy") or {}).get("outputs") or {}
    if target.claim and target.kind == "codedeploy" and not said.get("codedeploy_deployment_id"):
        # its run may have ended between CreateDeployment and its last step
        found = codedeploy_verdict.named(Group(target).since(float(state["plan"]["started_at"])), deployment_id)
        return {**said, "codedeploy_deployment_id": found.id} if found else said
    if target.claim or said:
        return said
    if known := (state.get("rollout") or {}).get("brought"):
        return dict(known)
    since = float((stages.get(table(), deployment_id, "deploy") or {}).get("tried_at") or 0)
    if target.kind == "codedeploy":
        found = codedeploy_verdict.brought(Group(target).since(since))
        return {"codedeploy_deployment_id": found.id} if found else {}
    service = Service(target)
    began = ecs_verdict.brought(service.describe(), service.deployments(), since)
    return {"task_definition": began} if began else {}


def ours(target: Target, outputs: dict[str, str], plan: dict[str, Any]) -> Rollout | None:
    if target.kind == "codedeploy":
        group, deployment = Group(target), outputs.get("codedeploy_deployment_id", "")
        good = str((plan.get("previous") or {}).get("codedeploy_deployment_id") or "")
        return codedeploy_group.check(group, group.get(deployment), good) if deployment else None
    task_definition, image = outputs.get("task_definition", ""), outputs.get("image", "")
    if not task_definition and not image:
        return None
    service = Service(target)
    found, brought = service.describe(), service.deployments()
    if not task_definition and not any(d.brings("", image) for d in brought):
        # no service deployment carries the image: does what the service moves to or runs?
        live = ecs_verdict.live_task_definition(found)
        task_definition = live if live and service.image(live) == image else ""
    return ecs_verdict.rollout(found, brought, task_definition, image)
