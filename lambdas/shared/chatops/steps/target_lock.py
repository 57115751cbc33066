"""Who may take a target, from whom, and when a rollback passes a deployment by."""

from __future__ import annotations

from chatops import aws, clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import CancelRecorded, Refusal, TargetBusy, TargetHeld
from chatops.domain.plan import Plan
from chatops.domain.reason import running
from chatops.domain.results import Taken
from chatops.platforms.registry import PlatformOf, platform
from chatops.settings.config import execution_url, settings
from chatops.settings.targets import targets
from chatops.steps import stage_run
from chatops.store import cancels, deployments, locks, releases, stages, wakeups
from chatops.store import table as t
from chatops.store.locks import Holder, taking
from chatops.store.table import Conflict, table


def holder_for(deployment_id: str, execution_arn: str, plan: Plan) -> Holder:
    """What the lock says about this deployment."""
    return Holder(
        deployment_id=deployment_id,
        execution_arn=execution_arn,
        command=plan.command,
        version=plan.version,
        requester=plan.requester.id,
        since=clock.iso(clock.now()),
    )


YOUNG = 120
"""Seconds after its start in which an execution that Step Functions doesn't know is not believed to be gone: its
answers are eventually consistent. https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html"""


def execution(execution_arn: str, since: float) -> tuple[str, str]:
    """The execution's status, and the name of the error that ended it; GONE for one that Step Functions does not know,
    unless it is younger than YOUNG. `since`: epoch seconds at which it was there."""
    states = aws.client("stepfunctions")
    try:
        found = states.describe_execution(executionArn=execution_arn)
    except states.exceptions.ExecutionDoesNotExist:
        return ("RUNNING" if clock.now() - since < YOUNG else "GONE"), ""
    return str(found["status"]), str(found.get("error", ""))


PAGES = 10
"""Of a thousand each, of the running executions that are listed."""


def running_executions() -> frozenset[str]:
    """The ARNs of executions that ran a moment ago: the list is eventually consistent, and one that is missing may run
    all the same. https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html"""
    states, found = aws.client("stepfunctions"), set[str]()
    asked = {"stateMachineArn": settings().state_machine_arn, "statusFilter": "RUNNING", "maxResults": 1000}
    for _ in range(PAGES):
        page = states.list_executions(**asked)
        found.update(str(one["executionArn"]) for one in page["executions"])
        if not page.get("nextToken"):
            break
        asked["nextToken"] = page["nextToken"]
    return frozenset(found)


def holder_is_running(holder: Holder) -> bool:
    """Whether the execution behind this lock still runs."""
    return execution(holder.execution_arn, clock.seconds(holder.since))[0] == "RUNNING"


def deploy_run_may_go_on(target: str, deployment_id: str) -> bool:
    """True while a run of this deployment's deploy (or rollback) stage may still change the service."""
    return run_may_go_on(target, deployment_id, "deploy", "rollback")


def run_may_go_on(target: str, deployment_id: str, *of: str) -> bool:
    """True while a run of one of these stages of the deployment may still be under way."""
    known = targets().get(target)
    return known is not None and any(
        stage_run.may_go_on(known, deployment_id, stage, stages.get(table(), deployment_id, stage)) for stage in of
    )


def abandoned(target: str, holder: Holder) -> bool:
    """True if nobody goes on behind this lock: its execution has ended, and so has its run."""
    return not holder_is_running(holder) and not deploy_run_may_go_on(target, holder.deployment_id)


def supersedable(target: str, holder: Holder) -> bool:
    """True while the holder's deploy stage changes nothing: a rollback need not wait for it."""
    known = targets().get(target)
    if holder.command != "deploy" or known is None:
        return False
    return not stage_run.may_change(known, stages.get(table(), holder.deployment_id, "deploy"))


def replaceable(target: str, deployment_id: str) -> Holder | None:
    """The abandoned holder whose lock may be taken over, if there is one."""
    current = locks.holder(table(), target)
    if current is None or current.deployment_id == deployment_id:
        return None
    return current if abandoned(target, current) else None


def obstacle(target: str, deployment_id: str, command: str, platform_of: PlatformOf = platform) -> Refusal | None:
    """Why this command cannot have the target now."""
    current = locks.holder(table(), target)
    if current is None or current.deployment_id == deployment_id:
        return None
    if command == "rollback" and supersedable(target, current):
        return None
    if abandoned(target, current):
        return None
    return Refusal(
        "busy_rollback" if current.command == "rollback" else "busy",
        target=target,
        id=current.deployment_id,
        version=current.version,
        user=current.requester,
        since=current.since,
        running=running(_version_now(target, platform_of)),
        execution=execution_url(current.execution_arn),
    )


def _version_now(target: str, platform_of: PlatformOf) -> str:
    ledger = releases.newest_first(table(), target)
    try:
        found = platform_of(targets()[target]).live(ledger)
    except Refusal:
        return ""
    return found.version if found else ""


def take(deployment: Deployment) -> Taken:
    """Take the target for a rollback.

    Raises TargetBusy while whoever holds it may still end in time, TargetHeld when the time is up or what is live has
    changed since the rollback was planned, CancelRecorded when somebody has cancelled it.
    """
    deployment_id, plan, target = deployment.id, deployment.plan, deployment.plan.target
    ended = releases.ended(table(), target)  # the counter first, then the truth
    _still_wanted(deployment_id, target, plan)
    still = (releases.unchanged(target, ended), cancels.absent(deployment_id))
    new = holder_for(deployment_id, deployment.execution_arn, plan)
    current = locks.holder(table(), target)
    if current is None or current.deployment_id == deployment_id:
        _write(taking(target, new), *still)
        return Taken()
    if abandoned(target, current):
        _write(taking(target, new, current), *still)
        return Taken()
    if not supersedable(target, current):
        _wait_or_give_up(deployment_id, plan)
    _supersede(target, new, current, *still)
    wakeups.nudge(table(), current.deployment_id)
    return Taken(current.deployment_id)


def _supersede(target: str, new: Holder, old: Holder, *still: t.Item) -> None:
    """Lock and cancel in one transaction, serialised with the claim (or the dispatch, where runs claim nothing):
    whoever comes second finds the other."""
    unbegun = "attribute_not_exists(#run_id)" if targets()[target].claim else "attribute_not_exists(#tried_at)"
    members = [
        taking(target, new, old),
        *still,
        {"ConditionCheck": t.check(f"DEPLOYMENT#{old.deployment_id}", "STAGE#deploy", unbegun)},
    ]
    if not cancels.get(table(), old.deployment_id):
        members.append(cancels.recording(old.deployment_id, new.requester, "superseded", new.deployment_id))
        members.append(wakeups.bumping(old.deployment_id))
    _write(*members)


def _write(*members: t.Item) -> None:
    try:
        table().transact(*members)
    except Conflict:
        raise TargetBusy("The target changed hands at this moment.") from None


def _still_wanted(deployment_id: str, target: str, plan: Plan) -> None:
    if cancels.get(table(), deployment_id):
        raise CancelRecorded("Somebody cancelled before the rollback began.")
    ledger = releases.newest_first(table(), target)
    planned = plan.before
    if ledger and planned and ledger[0].version != planned and ledger[0].key != plan.ledger:
        raise TargetHeld(
            "held_changed",
            target=target,
            live=ledger[0].version,
            planned=planned,
            version=plan.version,
        )


def _wait_or_give_up(deployment_id: str, plan: Plan) -> None:
    record = deployments.get(table(), deployment_id)
    since = record.take_began_at if record else 0
    if not since:
        since = clock.now()
        table().update(
            f"DEPLOYMENT#{deployment_id}",
            "RECORD",
            "SET #take_began_at = :now",
            values={"now": since},
        )
    if clock.now() - since > plan.timing.take:
        raise TargetHeld("held_busy", target=plan.target, version=plan.version)
    raise TargetBusy(f"{plan.target} is held by a deployment that is changing the service.")
