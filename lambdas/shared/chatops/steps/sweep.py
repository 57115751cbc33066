"""sweep: settle what ended from outside, free what nobody holds any more, deliver what was not delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from chatops import clock
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.event import StepEvent
from chatops.domain.plan import Plan
from chatops.domain.record import Outcome, Unsettled
from chatops.domain.stage import STAGES
from chatops.github import runs
from chatops.github.client import github
from chatops.observability import emit, logger
from chatops.settings.targets import targets
from chatops.steps import notify, stage_run, target_lock
from chatops.steps.settle import settle
from chatops.store import cancels, deployments, locks, outbox, questions, results, stages, wakeups
from chatops.store.outbox import Undelivered
from chatops.store.table import table

_A_MINUTE, _A_DAY = 60, 86_400


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: ids of the deployments that it settled, woke, and whose final message it delivered; names of
    the targets that it freed."""

    settled: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)
    delivered: list[str] = field(default_factory=list)


def run(_event: StepEvent) -> Swept:
    """Check every open deployment, lock and outstanding message, whatever the reason of the call (an execution's end,
    or the clock). An error of one does not keep the others from being checked; the first is raised at the end, so that
    it is retried and, if it stays, reaches the dead-letter queue."""
    done = Swept()
    errors: list[Exception] = []
    for unsettled in deployments.unsettled(table(), errors.append):
        _try(errors, partial(_check, unsettled, done))
    for target in targets():
        _try(errors, partial(_free, target, done))
    for undelivered in outbox.waiting(table(), errors.append):
        _try(errors, partial(_deliver, undelivered, done))
    _report(done)
    if errors:
        raise errors[0]
    return done


def _report(done: Swept) -> None:
    """Whatever was found is a promise that something else did not keep: logged by id, counted for the alarm. A sweep
    that finds nothing counts as well, so that the metric shows that it ran. What it was is counted only where there was
    something: CloudWatch bills a metric by the hours in which it is sent."""
    ids = asdict(done)
    found = sum(map(len, ids.values()))
    if found:
        logger.warning("sweep found something", **ids)
    emit({"SweepFound": found, **{f"Sweep{name.title()}": len(each) for name, each in ids.items() if each}})


def _try(errors: list[Exception], check: Callable[[], None]) -> None:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - raised again when everything has been checked
        logger.error("sweep met trouble", error=type(error).__name__)
        errors.append(error)


def _check(unsettled: Unsettled, done: Swept) -> None:
    """Wake an execution that missed its wake-up; settle the deployment of one that has ended."""
    deployment_id, arn, target = unsettled.deployment_id, unsettled.execution_arn, unsettled.target
    status, error = target_lock.execution(arn, clock.seconds(unsettled.started_at))
    if status == "RUNNING":
        if token := wakeups.undelivered(table(), deployment_id, _last_decision(deployment_id)):
            wakeups.deliver(table(), deployment_id, token)
            done.woken.append(deployment_id)
        _end_cancelled(deployment_id, target)
        return
    record = deployments.get(table(), deployment_id)
    if record and record.outcome:
        return  # it settled itself meanwhile, by all of its results, and its message is in the outbox
    for stage in STAGES:
        _end_stage(deployment_id, target, stage)
    plan = record.plan if record else Plan()
    deployment = results.latest(table(), Deployment(deployment_id, arn, plan, planned=record is not None))
    outcome = settle(deployment, _verdict(deployment, f"{status} {error}".strip()))
    done.settled.append(deployment_id)
    notify.ended(replace(deployment, outcome=outcome))


def _verdict(deployment: Deployment, execution: str) -> Outcome:
    """What Settle was about to record, else that the execution was stopped (`execution`: its status and error). A
    success that somebody has cancelled is neither: nobody rolls back any more, so it is stopped."""
    cancel = cancels.get(table(), deployment.id)
    made = rules.verdict(deployment, cancel)
    if made is None or (made.end == "Deployed" and cancel):
        return Outcome("Stopped", said=execution)
    return made


def _last_decision(deployment_id: str) -> float:
    """When (epoch seconds) something was last recorded that ends a wait: a decision, a cancel, a stage's finish."""
    rows = table()
    approval, cancel = questions.get(rows, deployment_id), cancels.get(rows, deployment_id)
    asked = [*([approval] if approval else []), *questions.pauses(rows, deployment_id)]
    times = [cancel.at if cancel else 0.0, *(question.decided_at for question in asked)]
    times += [row.finished_at for stage in STAGES if (row := stages.get(rows, deployment_id, stage))]
    return max(times)


def _end_cancelled(deployment_id: str, target: str) -> None:
    """A run whose deployment was cancelled a minute ago and that still works: the execution may be unable to ask."""
    cancel = cancels.get(table(), deployment_id)
    if not cancel or clock.now() - cancel.at < _A_MINUTE:
        return
    for stage in sorted(stages.CANCELLABLE):
        if (row := stages.get(table(), deployment_id, stage)) and row.state == "claimed":
            _end_stage(deployment_id, target, stage)


def _end_stage(deployment_id: str, target: str, stage: str) -> None:
    """Revoke the stage's ticket, and ask GitHub to cancel the run that has claimed it. Where GitHub does not
    answer, the deployment is settled all the same: the lock stays until the run has ended."""
    row = stages.revoke(table(), deployment_id, stage)
    if row is None or target not in targets():
        return
    client = github(targets()[target].repository)
    try:
        found = stage_run.find(client, targets()[target], deployment_id, stage, row)
        if found is not None and not found.completed:
            runs.cancel(client, found.id)
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused) as trouble:
        logger.warning("the run was not cancelled", reason=str(trouble))


def _free(target: str, done: Swept) -> None:
    """Free a lock whose deployment has ended and whose run, if it claimed one, has ended too."""
    holder = locks.holder(table(), target)
    if holder is None:
        return
    record = deployments.get(table(), holder.deployment_id)
    if record is not None and not record.outcome:
        return
    if target_lock.abandoned(target, holder):
        if locks.free(table(), target, holder.deployment_id):
            done.freed.append(target)
    elif not target_lock.holder_is_running(holder):
        for stage in STAGES:  # GitHub may not have heard that its run should end
            _end_stage(holder.deployment_id, target, stage)


def _deliver(undelivered: Undelivered, done: Swept) -> None:
    """Post what `notify` could not; after a day nobody waits for it any more."""
    deployment = undelivered.deployment
    if target_lock.execution(deployment.execution_arn, undelivered.kept_at)[0] == "RUNNING":
        return  # it is about to post it itself
    if clock.now() - undelivered.kept_at > _A_DAY:
        logger.error("a final message was never taken", deployment_id=deployment.id)
        outbox.delivered(table(), deployment.id)
    elif notify.ended(deployment):
        done.delivered.append(deployment.id)
