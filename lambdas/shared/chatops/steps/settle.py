"""settle: write the outcome to the ledger and free the lock, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from chatops import clock
from chatops.domain import metrics as measures
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import CancelRecorded
from chatops.domain.event import StepEvent
from chatops.domain.record import Cancel, Outcome
from chatops.domain.release import Release
from chatops.domain.results import StageResult
from chatops.domain.stage import Outputs
from chatops.observability import count, emit
from chatops.platforms.registry import platform
from chatops.settings.targets import targets
from chatops.store import cancels, deployments, outbox, releases, results, stages
from chatops.store.table import Item, table

_METRICS = {
    "Deployed": "DeploymentsSucceeded",
    "Rolled Back": "DeploymentsRolledBack",
    "Restored": "DeploymentsRolledBack",
}


def run(event: StepEvent) -> Outcome:
    """The outcome; the recorded one if the deployment was settled before. Raises CancelRecorded for a success
    that somebody cancelled."""
    return settle(event.deployment, began_at=event.began_at)


def settle(deployment: Deployment, forced: Outcome | None = None, *, began_at: float = 0.0) -> Outcome:
    """Settle by the results, or as `forced` says (`sweep`, for what ended from outside; it keeps the lock).

    The results are the execution's with what the phases have kept beside it, which a failed box does not lose.
    """
    rows = table()
    record = deployments.get(rows, deployment.id)
    if record is None or not record.is_of(began_at):
        return rules.outcome(deployment, None)  # nothing was taken, nothing to free
    if record.outcome:
        return record.outcome
    plan = record.plan
    of = replace(results.latest(rows, deployment), plan=plan, planned=True, execution_arn=record.execution_arn)
    cancel = cancels.get(rows, of.id)
    made = forced or rules.outcome(of, cancel)
    success = made.end == "Deployed"
    if success and cancel:
        raise CancelRecorded("Somebody cancelled before the success was recorded.")
    now = clock.now()
    target = targets().get(plan.target)
    seconds = round(now - plan.started_at, 1)
    made = replace(made, at=clock.iso(now), seconds=seconds, place=platform(target).names() if target else {})
    written = deployments.settle(
        rows,
        record,
        made,
        *_ledger(of, made.end, cancel, clock.iso(now)),
        outbox.owing(replace(of, outcome=made)),
        unless_cancelled=success,
        keep_lock=forced is not None or _broke_off(of) or _may_go_on(of.deploy) or _may_go_on(of.rollback),
    )
    if written == "cancelled":
        raise CancelRecorded("Somebody cancelled before the success was recorded.")
    if written == "settled":
        other = deployments.get(rows, of.id)
        return other.outcome if other and other.outcome else made
    count("DeploymentsFinished", plan.target, seconds=seconds)
    if name := _METRICS.get(made.end, "DeploymentsFailed" if "Failed" in made.end else ""):
        count(name, plan.target)
    emit(measures.of(made.end, of, _touched_at(of.id, made.end), now), plan.target)
    return made


def _may_go_on(stage: StageResult) -> bool:
    """True if nobody has seen this stage's run end: given up, or its polls broke off. (`restore` leaves no stage.)"""
    return bool(stage.unconfirmed or (stage.stage and not stage.done))


def _broke_off(of: Deployment) -> bool:
    """True if the rollback ended in an error that is no answer: what it has begun may still be under way."""
    error = of.errors.rollback
    return bool(error) and error.name not in ("AlreadySettled", "CancelRecorded", "TargetHeld")


def _touched_at(deployment_id: str, end: str) -> float:
    """When the deploy stage began to change the service: its claim, or its dispatch where nothing claims."""
    row = stages.get(table(), deployment_id, "deploy") if end == "Rolled Back" else None
    return row.claimed_at or row.created_at if row else 0


def _ledger(of: Deployment, end: str, cancel: Cancel | None, now: str) -> list[Item]:
    """The members that note in the ledger which release is verified healthy and live, which was rolled back from."""
    back, target = of.plan.previous, of.plan.target
    members: list[Item] = []
    if end == "Deployed":
        made = _deployed(of, now)
        if back and back.verified_at and not back.same(made) and not releases.live(table(), target):
            # what ran before the bot came is the way back from its first deployment
            members.append(releases.adding(target, replace(back, deployment_id="before")))
        return [*members, releases.adding(target, made), releases.clearing(target, made)]
    if end in ("Restored", "Rolled Back") and back:
        known = releases.live(table(), target)
        if not known or known.version != back.version or known.task_definition != back.task_definition:
            codedeploy = of.restore.codedeploy_deployment_id or back.codedeploy_deployment_id
            again = replace(back, verified_at=now, deployment_id=of.id, codedeploy_deployment_id=codedeploy)
            members.append(releases.adding(target, again))
    began = of.restore or of.rollback or of.rollout.restoring
    if began and (left := rules.left(of, cancel)):
        members.append(releases.leaving(target, left))
    return members


def _deployed(of: Deployment, now: str) -> Release:
    # where the pipeline reports nothing, what was found to have begun
    built, out = of.build.outputs or Outputs(), of.deploy.outputs or of.rollout.brought or Outputs()
    return Release(
        version=of.plan.version,
        sha=of.plan.sha,
        image=built.image or out.image or "",
        task_definition=of.rollout.task_definition or out.task_definition or "",
        codedeploy_deployment_id=out.codedeploy_deployment_id or "",
        deployment_id=of.id,
        verified_at=now,
    )
