"""Put back by CodeDeploy: the recorded deployment's revision is deployed once more, by CodeDeploy itself or by us."""

from __future__ import annotations

from typing import Any

from chatops import clock
from chatops.errors import ServiceRefused
from chatops.platforms.codedeploy_group import Group, GroupBusy
from chatops.platforms.codedeploy_verdict import Deployment, named, newest, same

_SKEW = 300
"""Seconds by which CodeDeploy's clock and ours may differ."""


def put_back(deployment_id: str, state: dict[str, Any], group: Group) -> dict[str, Any]:
    """`how` it is being put back, and by which deployment.

    - `codedeploy`: by one of ours; whatever became of it, a second call finds it and makes no other.
    - `codedeploy_rollback`: by CodeDeploy's own rollback of what we began, to the same revision.
    - `unchanged`: the group's last attempt was good and brought just that.
    - `waiting`: not yet, a group deploys one at a time; what we began has been asked to stop.

    Raises ServiceRefused where nothing can be put back, in words.
    """
    id_of_good = str(state["plan"]["previous"].get("codedeploy_deployment_id") or "")
    if not id_of_good:
        raise ServiceRefused("codedeploy_no_record")
    good = group.get(id_of_good)
    recent = group.since(float(state["plan"]["started_at"]) - _SKEW)
    mark = f"platform-deploy {deployment_id} restore"
    if ours := newest([each for each in recent if each.description == mark]):
        if ours.terminating:
            group.end_waiting(ours.id)
        return _by("codedeploy", ours.id)
    last = group.attempts()
    began = begun(deployment_id, state, recent)
    if began and not began.ended:
        leads_there = bool(last.good) and same(group.get(last.good).revision, good.revision)
        group.stop(began.id, roll_back=leads_there)
        return {"how": "waiting", "at": clock.now(), "behind": began.id}
    if began and (rollback := _own_rollback(began, recent, good)):
        if rollback.terminating:
            group.end_waiting(rollback.id)
        return _by("codedeploy_rollback", rollback.id)
    if last.good and last.good == last.tried and same(group.get(last.good).revision, good.revision):
        return _by("unchanged", last.good)
    try:
        return _by("codedeploy", group.deploy_again(good, mark))
    except GroupBusy:
        return {"how": "waiting", "at": clock.now(), "behind": last.tried}


def begun(deployment_id: str, state: dict[str, Any], recent: list[Deployment]) -> Deployment | None:
    """What the deploy stage began, as it says, or as its description says where the stage could not say it any more."""
    said = (state.get("deploy") or {}).get("outputs") or (state.get("rollout") or {}).get("brought") or {}
    known = str(said.get("codedeploy_deployment_id") or "")
    return next((each for each in recent if each.id == known), None) or named(recent, deployment_id)


def _own_rollback(began: Deployment, recent: list[Deployment], good: Deployment) -> Deployment | None:
    """CodeDeploy's, of what we began, unless it failed or leads elsewhere."""
    found = next((each for each in recent if each.is_rollback_of(began)), None)
    return found if found and not found.broken and same(found.revision, good.revision) else None


def _by(how: str, deployment_id: str) -> dict[str, Any]:
    return {"how": how, "codedeploy_deployment_id": deployment_id}
