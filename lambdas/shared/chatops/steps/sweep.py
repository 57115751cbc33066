"""sweep: settle what ended from outside, free what nobody holds any more, deliver what was not delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatops import aws, clock
from chatops.domain import codec
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.outcome import Outcome
from chatops.domain.plan import Plan
from chatops.domain.results import STAGES
from chatops.github import runs
from chatops.github.client import github
from chatops.observability import emit, logger
from chatops.settings.targets import targets
from chatops.steps import notify, stage_run, target_lock
from chatops.steps.settle import settle
from chatops.store import cancels, deployments, locks, messages, questions, results, stages, wakeups
from chatops.store.table import Item, table

_A_MINUTE, _A_DAY = 60, 86_400


def run(_event: dict[str, Any]) -> dict[str, Any]:
    """Whatever the reason of the call (an execution's end, or the clock), look at everything: `{"settled": [ids],
    "woken": [ids], "freed": [targets], "delivered": [ids]}`. One trouble does not keep the others from being seen;
    the first is raised at the end, so that it is retried and, if it stays, reaches the dead-letter queue."""
    done: dict[str, Any] = {"settled": [], "woken": [], "freed": [], "delivered": []}
    troubles: list[Exception] = []
    for row in deployments.unsettled(table(), troubles.append):
        _try(troubles, _look, row, done)
    for target in targets():
        _try(troubles, _lock, target, done)
    for row in messages.outbox(table(), troubles.append):
        _try(troubles, _deliver, row, done)
    _tell(done)
    if troubles:
        raise troubles[0]
    return done


def _tell(done: dict[str, Any]) -> None:
    """Whatever was found is a promise that something else did not keep: logged by id, counted for the alarm. A sweep
    that finds nothing counts as well, so that the metric says that it ran. What it was is counted only where there was
    something: CloudWatch bills a metric by the hours in which it is sent."""
    found = sum(len(ids) for ids in done.values())
    if found:
        logger.warning("sweep found something", **done)
    emit({"SweepFound": found, **{f"Sweep{name.title()}": len(ids) for name, ids in done.items() if ids}})


def _try(troubles: list[Exception], look: Any, *arguments: Any) -> None:
    try:
        look(*arguments)
    except Exception as error:  # noqa: BLE001 - raised again when everything has been looked at
        logger.error("sweep met trouble", error=type(error).__name__)
        troubles.append(error)


def _look(row: Item, done: dict[str, Any]) -> None:
    deployment_id, arn = str(row["deployment_id"]), str(row["execution_arn"])
    status, said = _execution(arn)
    if status == "RUNNING":
        if token := wakeups.undelivered(table(), deployment_id, _last_news(deployment_id)):
            wakeups.deliver(table(), deployment_id, token)
            done["woken"].append(deployment_id)
        _end_cancelled(deployment_id, str(row["target"]))
        return
    record = deployments.get(table(), deployment_id) or {}
    if record.get("outcome"):
        return  # it settled itself meanwhile, with all of its facts, and owes its message
    for stage in STAGES:
        _end_stage(deployment_id, str(row["target"]), stage)
    plan = codec.read(Plan, record.get("plan"))
    deployment = results.latest(table(), Deployment(deployment_id, arn, plan, planned=bool(record)))
    outcome = settle(deployment, _verdict(deployment, said))
    done["settled"].append(deployment_id)
    notify.ended(replace(deployment, outcome=outcome))


def _verdict(deployment: Deployment, said: str) -> Outcome:
    """What Settle was about to record, else that the execution was stopped. A success that somebody has cancelled is
    neither: nobody rolls back any more, so it is stopped."""
    cancel = cancels.get(table(), deployment.id)
    made = rules.verdict(deployment, cancel)
    if made is None or (made.end == "Deployed" and cancel):
        return Outcome("Stopped", said=said)
    return made


def _last_news(deployment_id: str) -> float:
    """When something was last recorded that ends a wait: a decision, a cancel, a stage's finish."""
    rows = table()
    approval, cancel = questions.get(rows, deployment_id), cancels.get(rows, deployment_id)
    asked = [*([approval] if approval else []), *questions.pauses(rows, deployment_id)]
    times = [(cancel or {}).get("at"), *(question.decided_at for question in asked)]
    times += [row.finished_at for stage in STAGES if (row := stages.get(rows, deployment_id, stage))]
    return max(float(time or 0) for time in times)


def _end_cancelled(deployment_id: str, target: str) -> None:
    """A run whose deployment was cancelled a minute ago and that still works: the execution may be unable to ask."""
    cancel = cancels.get(table(), deployment_id)
    if not cancel or clock.now() - float(cancel["at"]) < _A_MINUTE:
        return
    for stage in sorted(stages.CANCELLABLE):
        if (row := stages.get(table(), deployment_id, stage)) and row.state == "claimed":
            _end_stage(deployment_id, target, stage)


def _execution(arn: str) -> tuple[str, str]:
    """The execution's status, and how it ended in AWS's words."""
    states = aws.client("stepfunctions")
    try:
        found = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return "GONE", "GONE"
    return str(found["status"]), " ".join(str(found[k]) for k in ("status", "error") if found.get(k))


def _end_stage(deployment_id: str, target: str, stage: str) -> None:
    """Revoke the stage's ticket, and ask GitHub to cancel the run that has claimed it. GitHub's trouble is no reason
    not to settle: the lock stays until the run has ended."""
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


def _lock(target: str, done: dict[str, Any]) -> None:
    """Free a lock whose deployment has ended and whose run, if it claimed one, has ended too."""
    holder = locks.holder(table(), target)
    if holder is None:
        return
    record = deployments.get(table(), holder.deployment_id)
    if record is not None and not record.get("outcome"):
        return
    if target_lock.abandoned(target, holder):
        if locks.free(table(), target, holder.deployment_id):
            done["freed"].append(target)
    elif not target_lock.execution_is_running(holder.execution_arn):
        for stage in STAGES:  # GitHub may not have heard that its run should end
            _end_stage(holder.deployment_id, target, stage)


def _deliver(row: Item, done: dict[str, Any]) -> None:
    """Say what `notify` could not; after a day nobody waits for it any more."""
    deployment_id, deployment = str(row["sk"]), Deployment.of(row["event"])
    if _execution(deployment.execution_arn)[0] == "RUNNING":
        return  # it is about to say it itself
    if clock.now() - float(row["kept_at"]) > _A_DAY:
        logger.error("a final message was never taken", deployment_id=deployment_id)
        messages.delivered(table(), deployment_id)
    elif notify.ended(deployment):
        done["delivered"].append(deployment_id)
