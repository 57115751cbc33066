"""sweep: settle what ended from outside, free what nobody holds any more, deliver what was not delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, field, replace
from functools import partial

from chatops import aws, clock
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.event import StepEvent
from chatops.domain.github_budget import Need
from chatops.domain.plan import Plan
from chatops.domain.record import Outcome, Unsettled
from chatops.domain.stage import STAGES
from chatops.github import runs
from chatops.github.client import github
from chatops.observability import emit, logger
from chatops.settings.targets import targets
from chatops.steps import notify, publish, show, stage_run, target_lock
from chatops.steps.settle import settle
from chatops.store import cancels, cursors, deployments, locks, news, outbox, overview, results, stages, wakeups
from chatops.store.outbox import Undelivered
from chatops.store.table import table
from chatops.values import dataclass

_A_MINUTE, _A_DAY = 60, 86_400
MANY = 100
"""So many open deployments that the running executions are listed, a thousand in one request: of DescribeExecution an
account has a bucket of 250 to 300, refilled by ten or fifteen a second.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
POOL, ALONE = 16, 3
"""Jobs that are carried out at once; so few jobs that they are carried out one after the other."""
OUTBOX, OPEN, LOCKS, EVENTS, LATER = 4.0, 14.0, 17.0, 17.0, 17.0
"""Seconds after the function's begin at which nothing of the kind is begun any more. A message to Slack takes at most
12 seconds where Slack hangs, a question to GitHub 11: all has ended within the function's 30."""


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
    it is retried and, if it stays, reaches the dead-letter queue.

    Nothing waits for a service that hangs: each phase begins nothing after its own time, and the next sweep goes on
    where it stopped. What GitHub is asked for comes last.
    """
    done, began = Swept(), time.monotonic()
    errors: list[Exception] = []
    later: list[Callable[[], None]] = []
    waiting = outbox.waiting(table(), errors.append)
    messages = {each.deployment.id: partial(_deliver, each, done) for each in waiting}
    _all("outbox", messages, began + OUTBOX, errors)
    unsettled = deployments.unsettled(table(), errors.append)
    running = _running() if len(unsettled) > MANY else frozenset[str]()
    checks = {each.deployment_id: partial(_check, each, running, done, later) for each in unsettled}
    _all("open", checks, began + OPEN, errors)
    _all("locks", {name: partial(_free, name, done) for name in targets() if _is_held(name)}, began + LOCKS, errors)
    _all("events", _events(errors), began + EVENTS, errors)
    _all("", {str(n): each for n, each in enumerate(later)}, began + LATER, errors)
    shown = {each.deployment_id: partial(show.bring_up, each, began + LATER) for each in show.waiting(errors.append)}
    _all("github", shown, began + LATER, errors)
    _report(done)
    if errors:
        raise errors[0]
    return done


def _events(errors: list[Exception]) -> dict[str, Callable[[], None]]:
    """A job for each request that EventBridge is to be sent, by its first event."""
    waiting = news.waiting(table(), unreadable=errors.append)
    batches = [waiting[at : at + publish.BATCH] for at in range(0, len(waiting), publish.BATCH)]
    return {batch[0].key: partial(publish.send, batch) for batch in batches}


def _is_held(target: str) -> bool:
    return locks.holder(table(), target) is not None


def _all(phase: str, jobs: Mapping[str, Callable[[], None]], until: float, errors: list[Exception]) -> None:
    """Carry the jobs out, several at once, and return when all that were begun have ended: a thread that is left over
    would be frozen with the function. None is begun at or after `until` (by the monotonic clock). The `phase` begins
    where it stopped last time."""
    ids = cursors.ordered(table(), phase, sorted(jobs)) if len(jobs) > ALONE and phase else list(jobs)

    def begin(name: str) -> bool:
        if time.monotonic() >= until:
            return False
        _try(errors, jobs[name])
        return True

    if len(ids) <= ALONE:
        begun = sum(map(begin, ids))
    else:
        with ThreadPoolExecutor(min(POOL, len(ids))) as pool:
            begun = sum(pool.map(begin, ids))
    if begun < len(ids):
        logger.warning("sweep had no time for everything", phase=phase, begun=begun, of=len(ids))
        if phase and len(jobs) > ALONE:
            cursors.keep(table(), phase, ids[begun - 1] if begun else "")


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


def _running() -> frozenset[str]:
    """Nothing where Step Functions does not answer: then each is asked about by itself."""
    try:
        return target_lock.running_executions()
    except aws.failures() as error:
        logger.warning("executions were not listed", error=aws.error_code(error) or type(error).__name__)
        return frozenset()


def _check(unsettled: Unsettled, running: frozenset[str], done: Swept, later: list[Callable[[], None]]) -> None:
    """Wake an execution that missed its wake-up; settle the deployment of one that has ended. `running`: executions
    that are known to run. What GitHub and Slack are to be told is put into `later`."""
    deployment_id, arn, target = unsettled.deployment_id, unsettled.execution_arn, unsettled.target
    since = clock.seconds(unsettled.started_at)
    status, error = ("RUNNING", "") if arn in running else target_lock.execution(arn, since)
    if status == "RUNNING":
        seen = overview.of(table(), deployment_id)
        if seen.token:
            wakeups.deliver(table(), deployment_id, seen.token)
            done.woken.append(deployment_id)
        if seen.cancelled_at and clock.now() - seen.cancelled_at >= _A_MINUTE:
            later.append(partial(_end_cancelled, deployment_id, target))
        return
    record = deployments.get(table(), deployment_id)
    if record and record.outcome:
        return  # it settled itself meanwhile, by all of its results, and its message is in the outbox
    begun = [stage for stage in STAGES if stages.revoke(table(), deployment_id, stage)]
    later.extend(partial(_end_stage, deployment_id, target, stage) for stage in begun)
    plan = record.plan if record else Plan()
    deployment = results.latest(table(), Deployment(deployment_id, arn, plan, planned=record is not None))
    outcome = settle(deployment, _verdict(deployment, f"{status} {error}".strip()))
    done.settled.append(deployment_id)
    later.append(partial(_tell, replace(deployment, outcome=outcome)))


def _tell(deployment: Deployment) -> None:
    notify.ended(deployment)  # what Slack does not take now is in the outbox


def _verdict(deployment: Deployment, execution: str) -> Outcome:
    """What Settle was about to record, else that the execution was stopped (`execution`: its status and error). A
    success that somebody has cancelled is neither: nobody rolls back any more, so it is stopped."""
    cancel = cancels.get(table(), deployment.id)
    made = rules.verdict(deployment, cancel)
    if made is None or (made.end == "Deployed" and cancel):
        return Outcome("Stopped", execution_status=execution)
    return made


def _end_cancelled(deployment_id: str, target: str) -> None:
    """A run whose deployment was cancelled a minute ago and that still works: the execution may be unable to ask."""
    for stage in sorted(stages.CANCELLABLE):
        if (row := stages.get(table(), deployment_id, stage)) and row.state == "claimed":
            _end_stage(deployment_id, target, stage, Need.NOW)


def _end_stage(deployment_id: str, target: str, stage: str, need: Need = Need.LOOK) -> None:
    """Revoke the stage's ticket, and ask GitHub to cancel its run, claimed or not. Where GitHub does not
    answer, the deployment is settled all the same: the lock stays until the run has ended."""
    row = stages.revoke(table(), deployment_id, stage)
    if row is None or target not in targets():
        return
    client = github(targets()[target].repository, need)
    try:
        found = stage_run.find(client, targets()[target], deployment_id, stage, row)
        found = found or stage_run.unclaimed(client, deployment_id, stage, row)
        if found is not None and not found.completed:
            runs.cancel(client, found.id)
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused) as trouble:
        logger.warning("the run was not cancelled", reason=str(trouble))


def _free(target: str, done: Swept) -> None:
    """Free a lock whose deployment has ended and whose runs have ended too. A build's keeps nobody else from the target
    (`target_lock.abandoned`); without the lock nobody would ask GitHub again to cancel it."""
    holder = locks.holder(table(), target)
    if holder is None:
        return
    record = deployments.get(table(), holder.deployment_id)
    if record is not None and not record.outcome:
        return
    if target_lock.holder_is_running(holder):
        return
    if target_lock.run_may_go_on(target, holder.deployment_id, *STAGES):
        for stage in STAGES:  # GitHub may not have heard that its run should end
            _end_stage(holder.deployment_id, target, stage)
    elif locks.free(table(), target, holder.deployment_id):
        done.freed.append(target)


def _deliver(undelivered: Undelivered, done: Swept) -> None:
    """Post what `notify` could not; after a day nobody waits for it any more."""
    deployment = undelivered.deployment
    if target_lock.execution(deployment.execution_arn, undelivered.kept_at)[0] == "RUNNING":
        return  # it is about to post it itself
    if notify.ended(deployment):
        done.delivered.append(deployment.id)
    elif clock.now() - undelivered.kept_at > _A_DAY:  # it has just been tried, whatever kept the sweeps before
        logger.error("a final message was never taken", deployment_id=deployment.id)
        outbox.delivered(table(), deployment.id)
