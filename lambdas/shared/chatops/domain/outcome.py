"""The rules that decide how a deployment ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chatops.domain.causes import reason_of
from chatops.domain.reason import Cause, Reason
from chatops.domain.record import Outcome
from chatops.domain.release import Release
from chatops.domain.results import CaughtError, RolloutResult, StageResult

if TYPE_CHECKING:
    from chatops.domain.deployment import Deployment
    from chatops.domain.plan import Plan
    from chatops.domain.record import Cancel


def outcome(deployment: Deployment, cancel: Cancel | None) -> Outcome:
    """Which end the deployment comes to, from its results alone. `cancel` is None where nobody cancelled it.

    The order of the rules is the order of the states, from the last back to the first: what came last decides.
    """
    made = _outcome(deployment, cancel)
    return made if made.superseded is not None else replace(made, superseded=False)


def verdict(deployment: Deployment, cancel: Cancel | None) -> Outcome | None:
    """The outcome that Settle would record now; None while the deployment is still under way. For `sweep`, where the
    execution ended from outside after its last step and before Settle."""
    return outcome(deployment, cancel) if _is_over(deployment) else None


def _is_over(of: Deployment) -> bool:
    if of.restored:
        return of.restored.done
    if of.rollback or of.restore:
        return bool(of.rollback.stage) and of.rollback.done and of.rollback.state != "succeeded"
    if of.rollout:
        return of.rollout.state in ("healthy", "overtaken") and of.rollout.done
    if of.deploy:
        hosts = of.plan.pipeline_only and of.deploy.state == "succeeded"
        return of.deploy.done and (hosts or not of.deploy.claimed)
    if of.approval:
        return of.approval.decision in ("rejected", "expired", "cancelled")
    return of.build.done and of.build.state != "succeeded"


def _outcome(of: Deployment, cancel: Cancel | None) -> Outcome:
    if of.plan.verdict != "go" or of.errors.plan:
        # Plan failed; its error is all that is left in the state, whether it had written the record before or not
        return Outcome("Refused", why=_reason(of.errors.plan, "Plan"))
    by = cancel.by if cancel else ""
    if of.restored:
        return _after_restoring(of, cancel, by)
    if of.errors.rollback:
        return _rollback_broke_off(of, cancel, by)
    if of.rollback.stage:
        return Outcome("Rollback Failed", why=_why(of.rollback, "rollback"), by=by)
    if of.plan.command == "rollback":
        return _people(of, cancel, by) or Outcome("Rollback Failed", why=_reason(of.errors.approval), by="")
    return _deploy(of, cancel, by)


def running(plan: Plan, end: str) -> str:
    """The version that runs after this end; empty where the bot doesn't know it. Ends that people bring about before
    anything was changed, and a build that failed, leave what ran when the plan was made."""
    if end == "Deployed":
        return plan.version
    if end in ("Restored", "Rolled Back"):
        return plan.back
    return plan.before if end in ("Rejected", "Expired", "Cancelled", "Refused", "Build Failed") else ""


def left(of: Deployment, cancel: Cancel | None) -> Release | None:
    """The release that a rollback leaves because it is bad, so that no later rollback returns to it; None where people
    cancelled a deployment that had not broken, or where the release to return to is the same."""
    plan, back = of.plan, of.plan.previous
    if plan.command == "rollback":
        found = plan.live
    elif _only_wished(of, cancel):
        found = None
    else:
        found = Release(version=plan.version, sha=plan.sha)
    return found if found and back and found.version and not found.same(back) else None


def _only_wished(of: Deployment, cancel: Cancel | None) -> bool:
    """Nothing broke: somebody cancelled, or nobody promoted it in time, which people decide as they let an approval
    expire."""
    return bool(cancel or of.rollout.state == "expired") and not _breakage(of)


def _reason(error: CaughtError, step: str = "") -> Cause | None:
    reason = reason_of(error.as_json(), step)
    return Cause(reason) if reason else None


def _why(result: StageResult | RolloutResult, stage: str = "") -> Cause | None:
    """Why it broke, with the stage that it is about; None where it did not break."""
    return Cause(result.why.reason, result.why.stage or stage) if result.why else None


def _after_restoring(of: Deployment, cancel: Cancel | None, by: str) -> Outcome:
    if of.restore.left_alone and of.restored.state != "healthy":
        overtaken = Cause(Reason("why_overtaken")) if of.restored.state == "overtaken" else None
        return Outcome("Deploy Failed", why=overtaken or _breakage(of) or Cause(Reason("why_deploy_broke")), by=by)
    if of.restored.state != "healthy":
        return Outcome("Rollback Failed", why=_why(of.restored) or _reason(of.errors.rollback), by=by)
    if of.plan.command == "rollback":
        return Outcome("Restored", by=of.plan.requester.id)
    if _only_wished(of, cancel):
        return Outcome("Restored", by=by)
    end = "Deploy Failed" if of.restore.left_alone else "Rolled Back"
    return Outcome(end, why=_breakage(of) or Cause(Reason("why_deploy_broke")), by=by)


def _breakage(of: Deployment) -> Cause | None:
    """What broke after the deploy stage was claimed, if anything did (a person's wish is no breakage).

    An error of a phase counts only where the phase has no result of its own: a result that came after it has overcome
    it.
    """
    if found := _why(of.rollout) or _why(of.deploy, "deploy"):
        return found
    if of.rollout.done:
        return None
    return _reason(of.errors.rollout or (CaughtError() if of.deploy.done else of.errors.deploy))


def _rollback_broke_off(of: Deployment, cancel: Cancel | None, by: str) -> Outcome:
    """The Rollback box ended in an error. Some of them are answers: nothing was put back, on purpose."""
    name = of.errors.rollback.name
    if name == "CancelRecorded":
        return _people(of, cancel, by) or Outcome("Cancelled", by=by)
    end = {"TargetHeld": "Refused", "AlreadySettled": "Deploy Failed"}.get(name, "Rollback Failed")
    return Outcome(end, why=_reason(of.errors.rollback), by="" if end == "Refused" else by)


def _people(of: Deployment, cancel: Cancel | None, by: str) -> Outcome | None:
    """The end that people have decided, if they have."""
    decision, decided_by = of.approval.decision, of.approval.by or ""
    if decision == "rejected":
        return Outcome("Rejected", by=decided_by)
    if decision == "expired":
        return Outcome("Expired")
    if cancel or decision == "cancelled":
        return Outcome("Cancelled", by=by or decided_by, superseded=bool(cancel and cancel.superseded_by))
    return None


def _deploy(of: Deployment, cancel: Cancel | None, by: str) -> Outcome:
    errors = of.errors
    if of.build.state != "succeeded":
        if cancel and (people := _people(of, cancel, by)):
            return people
        end = "Deploy Failed" if errors.build.name == "AlreadySettled" else "Build Failed"
        return Outcome(end, why=_why(of.build, "build") or _reason(errors.build))
    if not of.deploy or (of.deploy.done and not of.deploy.claimed):
        if people := _people(of, cancel, by):
            return people
        error = errors.approval or errors.dispatch or errors.deploy
        # a freeze that began meanwhile is what people wanted; nothing broke
        end = "Refused" if error.name == "Frozen" else "Deploy Failed"
        return Outcome(end, why=_why(of.deploy, "deploy") or _reason(error))
    if of.rollout.state == "overtaken":
        return Outcome("Deploy Failed", why=Cause(Reason("why_overtaken")), by=by)
    live = of.rollout.state == "healthy" if not of.plan.pipeline_only else of.deploy.state == "succeeded"
    if live and not errors.settle:
        return Outcome("Deployed")
    # it broke or was cancelled, and there is nothing to put back
    return Outcome("Deploy Failed", why=_breakage(of) or Cause(Reason("why_nothing_before")), by=by)
