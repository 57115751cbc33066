"""Which end a deployment comes to, from its facts alone; pure.

The order of the rules is the order of the states, from the last back to the first: what came last decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatops.causes import words

Facts = Mapping[str, Any]


def outcome(state: Facts, cancel: Facts | None) -> dict[str, Any]:
    """`{"end", "why", "by", "superseded"}`. `state`: the state machine's facts; `cancel`: the cancel's row."""
    made = _outcome(state, cancel)
    return {
        "end": made["end"],
        "why": made.get("why") or {},
        "by": made.get("by", ""),
        "superseded": made.get("superseded", False),
    }


def verdict(state: Facts, cancel: Facts | None) -> dict[str, Any] | None:
    """The outcome that Settle would record now; None while the deployment is still under way. For `sweep`, where the
    execution ended from outside after its last step and before Settle."""
    return outcome(state, cancel) if _is_over(state) else None


def _is_over(state: Facts) -> bool:
    if restored := state.get("restored"):
        return bool(restored.get("done"))
    rollback = state.get("rollback") or {}
    if rollback:
        return bool(rollback.get("stage") and rollback.get("done") and rollback.get("state") != "succeeded")
    rollout = state.get("rollout") or {}
    if rollout:
        return rollout.get("state") in ("healthy", "overtaken") and bool(rollout.get("done"))
    deploy, plan = state.get("deploy") or {}, state.get("plan") or {}
    if deploy:
        hosts = plan.get("kind") == "none" and deploy.get("state") == "succeeded"
        return bool(deploy.get("done")) and (hosts or not deploy.get("claimed"))
    if decision := (state.get("approval") or {}).get("decision"):
        return decision in ("rejected", "expired", "cancelled")
    build = state.get("build") or {}
    return bool(build.get("done")) and build.get("state") != "succeeded"


def _outcome(state: Facts, cancel: Facts | None) -> dict[str, Any]:
    plan: Facts = state.get("plan") or {}
    if plan.get("verdict") != "go" or "Error" in state:
        # Plan died; its error is all that is left in the state, whether it had written the record before or not
        return {"end": "Refused", "why": words(state if "Error" in state else {}, "Plan")}
    by = str((cancel or {}).get("by", ""))
    if restored := state.get("restored"):
        return _after_restoring(state, plan, restored, cancel, by)
    if trouble := state.get("rollback_error"):
        return _rollback_broke_off(state, trouble, cancel, by)
    rollback: Facts = state.get("rollback") or {}
    if rollback.get("stage"):
        return {"end": "Rollback Failed", "why": _why(rollback, "rollback"), "by": by}
    if plan.get("command") == "rollback":
        return _rollback_not_begun(state, cancel, by)
    return _deploy(state, plan, cancel, by)


def _why(fact: Facts, stage: str = "") -> dict[str, Any]:
    why = dict(fact.get("why") or {})
    return {**why, "stage": why.get("stage", stage)} if why else {}


def _after_restoring(state: Facts, plan: Facts, restored: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    if restored.get("state") != "healthy":
        return {"end": "Rollback Failed", "why": _why(restored) or words(state.get("rollback_error")), "by": by}
    if plan.get("command") == "rollback":
        return {"end": "Restored", "by": str((plan.get("requester") or {}).get("id", ""))}
    why = _breakage(state)
    if (cancel or _unpromoted(state)) and not why:
        return {"end": "Restored", "by": by}
    return {"end": "Rolled Back", "why": why or {"key": "why_deploy_broke"}, "by": by}


def _unpromoted(state: Facts) -> bool:
    """Nobody promoted it in time: like an approval that expires, people's affair and no breakage."""
    return bool((state.get("rollout") or {}).get("state") == "expired")


def _breakage(state: Facts) -> dict[str, Any]:
    """What broke after the deploy stage was claimed, if anything did (a person's wish is no breakage).

    An error of a phase counts only where the phase has no result of its own: a look that came after it has overcome it.
    """
    rollout, deploy = state.get("rollout") or {}, state.get("deploy") or {}
    if found := _why(rollout) or _why(deploy, "deploy"):
        return found
    if rollout.get("done"):
        return {}
    if deploy.get("done"):
        return words(state.get("rollout_error"))
    return words(state.get("rollout_error") or state.get("deploy_error"))


def _rollback_broke_off(state: Facts, error: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    """What the Rollback box's Catch has seen. Some of its errors are answers: nothing was put back, on purpose."""
    name = error.get("Error")
    if name == "CancelRecorded":
        return _people(state, cancel, by)
    end = {"TargetHeld": "Refused", "AlreadySettled": "Deploy Failed"}.get(str(name), "Rollback Failed")
    return {"end": end, "why": words(error), "by": "" if end == "Refused" else by}


def _rollback_not_begun(state: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    return _people(state, cancel, by) or {"end": "Rollback Failed", "why": words(state.get("approval_error"))}


def _people(state: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    approval = state.get("approval") or {}
    decision = str(approval.get("decision", ""))
    if decision == "rejected":
        return {"end": "Rejected", "by": str(approval.get("by", ""))}
    if decision == "expired":
        return {"end": "Expired"}
    if cancel or decision == "cancelled":
        return {
            "end": "Cancelled",
            "by": by or str(approval.get("by", "")),
            "superseded": (cancel or {}).get("kind") == "superseded",
        }
    return {}


def _deploy(state: Facts, plan: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    build: Facts = state.get("build") or {}
    deploy: Facts = state.get("deploy") or {}
    rollout: Facts = state.get("rollout") or {}
    if build.get("state") != "succeeded":
        if cancel:
            return _people(state, cancel, by)
        error = state.get("build_error") or {}
        end = "Deploy Failed" if error.get("Error") == "AlreadySettled" else "Build Failed"
        return {"end": end, "why": _why(build, "build") or words(error)}
    if not deploy or (deploy.get("done") and not deploy.get("claimed")):
        if people := _people(state, cancel, by):
            return people
        error = state.get("approval_error") or state.get("dispatch_error") or state.get("deploy_error") or {}
        # a freeze that began meanwhile is people's wish, not breakage
        end = "Refused" if error.get("Error") == "Frozen" else "Deploy Failed"
        return {"end": end, "why": _why(deploy, "deploy") or words(error)}
    if rollout.get("state") == "overtaken":
        return {"end": "Deploy Failed", "why": {"key": "why_overtaken"}, "by": by}
    live = rollout.get("state") == "healthy" if plan.get("kind") != "none" else deploy.get("state") == "succeeded"
    if live and not state.get("settle_error"):
        return {"end": "Deployed"}
    # it broke or was cancelled, and there is nothing to put back
    return {"end": "Deploy Failed", "why": _breakage(state) or {"key": "why_nothing_before"}, "by": by}
