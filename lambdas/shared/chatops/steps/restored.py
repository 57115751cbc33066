"""restored: does the recorded release run again, as the service itself says; looked at once."""

from __future__ import annotations

from typing import Any

from chatops import clock
from chatops.platforms import codedeploy_group, codedeploy_verdict, ecs_verdict
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.ecs_service import Service
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.steps import stage_run
from chatops.steps.rollout import OPEN, began_at, news
from chatops.store import results, stages
from chatops.store.table import table
from chatops.targets import Target, targets


def look(event: dict[str, Any]) -> dict[str, Any]:
    """The fact of what is being put back: `state`, `done`, `why`, counts."""
    state, now = event["state"], clock.now()
    plan, before = state["plan"], state.get("restored") or {}
    target, began = targets()[plan["target"]], began_at(before, now)
    rollback = state.get("rollback") or {}
    rows, deployment_id = table(), str(event["deployment_id"])
    if target.kind == "none":
        # the stage's success includes its health check; there is nothing better to ask
        good = rollback.get("state") == "succeeded"
        fact: dict[str, Any] = {"state": "healthy" if good else "failed", "done": True, "began_at": began, "why": {}}
        results.keep(rows, deployment_id, "restored", fact, before)
        return fact
    if target.kind == "codedeploy":
        found = _redeployed(Group(target), rollback, state.get("rollout") or {})
    else:
        service = Service(target)
        wanted, how = plan["previous"]["task_definition"], str(rollback.get("how", ""))
        found = ecs_verdict.restored(service.describe(), service.deployments(), wanted, how)
    fact = {**found.fact(), "began_at": began, "done": found.state not in OPEN, "why": {}}
    beside = _Beside(deployment_id, target, now) if (state.get("stop") or {}).get("unconfirmed") else None
    limit = target.timing.restore + found.baking
    if found.state is RolloutState.FAILED:
        said = f": {found.reason}" if found.reason else ""
        fact["why"] = {"key": "why_restore_failed", "values": {"status": found.status, "said": said}}
    elif found.state is RolloutState.OVERTAKEN and beside and not beside.late:
        fact |= {"state": "again", "done": False}  # by the run that could not be stopped
    elif found.state is RolloutState.OVERTAKEN:
        fact["why"] = {"key": "why_restore_overtaken"}
    elif found.state in OPEN and now - began >= limit:
        fact |= {"state": "timed_out", "done": True}
        fact["why"] = {"key": "why_restore_late", "values": {"seconds": limit}}
    elif found.state is RolloutState.MOVING and before.get("state") == "moving" and _asks(rollback, found):
        fact["state"] = "again"
    elif found.state is RolloutState.HEALTHY and beside and beside.goes_on():
        fact |= {"state": str(RolloutState.MOVING), "done": False}
    results.keep(rows, deployment_id, "restored", fact, before)
    return news(deployment_id, fact, before, target, now)


class _Beside:
    """A deploy run that could not be stopped and may still change the service. It is watched until it has ended, at
    most until its stage's deadline (`late`)."""

    def __init__(self, deployment_id: str, target: Target, now: float) -> None:
        self._deployment_id, self._target = deployment_id, target
        self._row = stages.get(table(), deployment_id, "deploy") or {}
        began = float(self._row.get("dispatched_at") or self._row.get("created_at") or now)
        self.late = now >= began + target.timing.deploy

    def goes_on(self) -> bool:
        """Whether it is still to be waited for; once it has ended, that is kept for `settle`."""
        if self.late or stage_run.may_go_on(self._target, self._deployment_id, "deploy", self._row):
            return not self.late
        known = results.kept(table(), self._deployment_id).get("deploy") or {}
        results.keep(table(), self._deployment_id, "deploy", {**known, "done": True, "unconfirmed": False}, known)
        return False


def _redeployed(group: Group, rollback: dict[str, Any], rollout: dict[str, Any]) -> Rollout:
    """CodeDeploy's word for what we made it deploy, or for its own rollback that we left it to."""
    if rollback.get("how") == "waiting":
        return Rollout(RolloutState.MOVING, "")
    made = str(rollback.get("codedeploy_deployment_id") or rollout.get("restored_by") or "")
    return codedeploy_group.check(group, group.get(made))


def _asks(rollback: dict[str, Any], found: Rollout) -> bool:
    """Is Restore Service to come again: to begin what could not be begun, to end a wait that is nobody's? Never twice
    without a wait between."""
    return rollback.get("how") == "waiting" or found.lifecycle_stage == codedeploy_verdict.TERMINATION
