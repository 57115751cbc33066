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


def _outcome(state: Facts, cancel: Facts | None) -> dict[str, Any]:
    plan: Facts = state.get("plan") or {}
    if plan.get("verdict") != "go" or "Error" in state:
        # Plan died; its error is all that is left in the state, whether it had written the record before or not
        return {"end": "Deploy Failed", "why": words(state if "Error" in state else state.get("error"), "Plan")}
    by = str((cancel or {}).get("by", ""))
    if restored := state.get("restored"):
        return _after_restoring(state, plan, restored, cancel, by)
    if trouble := state.get("rollback_error"):
        settled = trouble.get("Error") == "AlreadySettled"
        return {"end": "Deploy Failed" if settled else "Rollback Failed", "why": words(trouble), "by": by}
    rollback: Facts = state.get("rollback") or {}
    if rollback.get("stage"):
        return {"end": "Rollback Failed", "why": _why(rollback, "rollback"), "by": by}
    if plan.get("command") == "rollback":
        return _rollback_before_it_began(state, plan, cancel, by)
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

    An error counts only where it was the last thing that happened: a look that came after it has overcome it.
    """
    rollout, deploy = state.get("rollout") or {}, state.get("deploy") or {}
    error = state.get("error") or {}
    overcome = rollout.get("done") if rollout else deploy.get("done") and deploy.get("state") != "succeeded"
    found = _why(rollout) or _why(deploy, "deploy")
    if found or overcome or error.get("Error") == "CancelRecorded":
        return found
    return words(error)


def _rollback_before_it_began(state: Facts, plan: Facts, cancel: Facts | None, by: str) -> dict[str, Any]:
    if people := _people(state, cancel, by):
        return people
    error = state.get("error") or {}
    if error.get("Error") == "TargetHeld":
        return {"end": "Refused", "why": words(error)}
    return {"end": "Deploy Failed", "why": words(error)}


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
    error: Facts = state.get("error") or {}
    build: Facts = state.get("build") or {}
    deploy: Facts = state.get("deploy") or {}
    rollout: Facts = state.get("rollout") or {}
    if build.get("state") != "succeeded":
        if cancel:
            return _people(state, cancel, by)
        if error.get("Error") == "AlreadySettled":
            return {"end": "Deploy Failed", "why": words(error)}
        return {"end": "Build Failed", "why": _why(build, "build") or words(error)}
    if not deploy or (deploy.get("done") and not deploy.get("claimed")):
        if people := _people(state, cancel, by):
            return people
        # a freeze that began meanwhile is people's wish, not breakage
        end = "Refused" if error.get("Error") == "Frozen" else "Deploy Failed"
        return {"end": end, "why": _why(deploy, "deploy") or words(error)}
    if rollout.get("state") == "overtaken":
        return {"end": "Deploy Failed", "why": {"key": "why_overtaken"}, "by": by}
    live = rollout.get("state") == "healthy" if plan.get("kind") != "none" else deploy.get("state") == "succeeded"
    if live and error.get("Error") != "CancelRecorded":
        return {"end": "Deployed"}
    # it broke or was cancelled, and there is nothing to put back
    return {"end": "Deploy Failed", "why": _breakage(state) or {"key": "why_nothing_before"}, "by": by}
