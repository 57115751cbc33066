"""ecs: ask the service itself, once: is our version live, is the recorded release back, what is live?"""

from __future__ import annotations

from typing import Any

from chatops import clock
from chatops.ecs import codedeploy, codedeploy_verdict, unclaimed, verdict
from chatops.ecs.codedeploy import Group
from chatops.ecs.service import Service
from chatops.ecs.verdict import Rollout, RolloutState
from chatops.steps import pausing, standing
from chatops.steps.pausing import Look
from chatops.store import approvals, messages, stages, waits
from chatops.store.table import table
from chatops.targets import Target, targets

_OPEN = (RolloutState.MOVING, RolloutState.PAUSED)
_SHOWN = ("status", "lifecycle_stage", "traffic", "running", "desired", "pending")


def run(event: dict[str, Any]) -> dict[str, Any]:
    """By `mode`: rollout, restored or status."""
    mode = event["mode"]
    if mode == "status":
        return standing.report(event)
    return _rollout(event) if mode == "rollout" else _restored(event)


def _began(before: dict[str, Any], now: float) -> float:
    return float(before.get("began_at") or now)


def _rollout(event: dict[str, Any]) -> dict[str, Any]:
    deployment_id, state, rows, now = str(event["deployment_id"]), event["state"], table(), clock.now()
    plan, before = state["plan"], state.get("rollout") or {}
    target, began = targets()[plan["target"]], _began(before, now)
    look = Look(rows, deployment_id, target, now, waits.counter(rows, deployment_id), before)
    outputs = _outputs(deployment_id, target, state)
    found = _ours(target, outputs, plan)
    if found is None:
        nothing = "why_no_deployment" if target.kind == "codedeploy" else "why_no_output"
        why = {"key": nothing if target.claim else "why_nothing_began", "stage": "deploy"}
        return {**Rollout(RolloutState.FAILED, "").fact(), "done": True, "changed": False, "why": why}
    fact = {
        **found.fact(),
        "began_at": began,
        "done": found.state not in _OPEN,
        "why": {},
        **pausing.since(look, found),
    }
    if not target.claim:
        fact["brought"] = outputs
    if found.state is RolloutState.FAILED and found.lapsed:
        fact["state"] = "expired"
    elif found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        fact["why"] = {"key": "why_rollout_failed", "values": {"status": found.status, "said": said}}
    elif found.state is RolloutState.OVERTAKEN:
        fact["why"] = {"key": "why_overtaken"}
    elif found.state in _OPEN:
        fact |= _open(look, found, fact)
    return _news(deployment_id, fact, before, target, now)


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


def _news(
    deployment_id: str, fact: dict[str, Any], before: dict[str, Any], target: Target, now: float
) -> dict[str, Any]:
    """The fact, with whether it shows something new that is due to be shown now."""
    shown = "/".join(str(fact.get(k, "")) for k in _SHOWN)
    news = not fact["done"] and shown != before.get("shown")
    # what is not due now is news still at the next look
    changed = news and messages.may_progress(table(), deployment_id, now, target.timing.progress)
    return {**fact, "changed": changed, "shown": shown if changed else before.get("shown", "")}


def _outputs(deployment_id: str, target: Target, state: dict[str, Any]) -> dict[str, str]:
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
    began = unclaimed.task_definition(service.describe(), service.deployments(), since)
    return {"task_definition": began} if began else {}


def _ours(target: Target, outputs: dict[str, str], plan: dict[str, Any]) -> Rollout | None:
    if target.kind == "codedeploy":
        group, deployment = Group(target), outputs.get("codedeploy_deployment_id", "")
        good = str((plan.get("previous") or {}).get("codedeploy_deployment_id") or "")
        return codedeploy.check(group, group.get(deployment), good) if deployment else None
    task_definition, image = outputs.get("task_definition", ""), outputs.get("image", "")
    if not task_definition and not image:
        return None
    service = Service(target)
    found, brought = service.describe(), service.deployments()
    if not task_definition and not any(d.brings("", image) for d in brought):
        # no service deployment carries the image: does what the service moves to or runs?
        live = verdict.live_task_definition(found)
        task_definition = live if live and service.image(live) == image else ""
    return verdict.rollout(found, brought, task_definition, image)


def _restored(event: dict[str, Any]) -> dict[str, Any]:
    state, now = event["state"], clock.now()
    plan, before = state["plan"], state.get("restored") or {}
    target, began = targets()[plan["target"]], _began(before, now)
    rollback = state.get("rollback") or {}
    if target.kind == "none":
        # the stage's success includes its health check; there is nothing better to ask
        good = rollback.get("state") == "succeeded"
        return {"state": "healthy" if good else "failed", "done": True, "began_at": began, "why": {}}
    if target.kind == "codedeploy":
        found = _redeployed(Group(target), rollback, state.get("rollout") or {})
    else:
        service = Service(target)
        wanted, how = plan["previous"]["task_definition"], str(rollback.get("how", ""))
        found = verdict.restored(service.describe(), service.deployments(), wanted, how)
    fact = {**found.fact(), "began_at": began, "done": found.state not in _OPEN, "why": {}}
    limit = target.timing.restore + found.baking
    if found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        fact["why"] = {"key": "why_restore_failed", "values": {"status": found.status, "said": said}}
    elif found.state is RolloutState.OVERTAKEN:
        fact["why"] = {"key": "why_restore_overtaken"}
    elif found.state in _OPEN and now - began >= limit:
        fact |= {"state": "timed_out", "done": True}
        fact["why"] = {"key": "why_restore_late", "values": {"seconds": limit}}
    elif found.state is RolloutState.MOVING and before.get("state") == "moving" and _asks(rollback, found):
        fact["state"] = "again"
    return _news(str(event["deployment_id"]), fact, before, target, now)


def _redeployed(group: Group, rollback: dict[str, Any], rollout: dict[str, Any]) -> Rollout:
    """CodeDeploy's word for what we made it deploy, or for its own rollback that we left it to."""
    if rollback.get("how") == "waiting":
        return Rollout(RolloutState.MOVING, "")
    made = str(rollback.get("codedeploy_deployment_id") or rollout.get("restored_by") or "")
    return codedeploy.check(group, group.get(made))


def _asks(rollback: dict[str, Any], found: Rollout) -> bool:
    """Is Restore Service to come again: to begin what could not be begun, to end a wait that is nobody's? Never twice
    without a wait between."""
    return rollback.get("how") == "waiting" or found.lifecycle_stage == codedeploy_verdict.TERMINATION
