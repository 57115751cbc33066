"""plan: complete and check the request; take the target; write the deployment's record."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain import release
from chatops.domain.codec import SCHEMA
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited, GitHubRefused, Refusal
from chatops.domain.event import StepEvent
from chatops.domain.github_budget import Need
from chatops.domain.plan import BreakGlass, Plan, RefusedPlan, Requester
from chatops.domain.reason import Refused
from chatops.domain.reason import running as now_running
from chatops.domain.release import Release
from chatops.domain.request import Request, read, where, with_version
from chatops.domain.results import Taken
from chatops.domain.target import Target
from chatops.github.client import GitHub, github
from chatops.messages.catalogue import plain
from chatops.observability import count
from chatops.platforms.registry import platform
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.slack import approvers, people
from chatops.steps import candidate, policy, show, target_lock
from chatops.store import deployments, freezes, locks, releases
from chatops.store.table import Conflict, table

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_TRIES = 3
PATIENCE = 120
"""Seconds after the command within which a deployment begins, or is refused: nothing begins long after it was asked
for."""
AGAIN = 15
"""Seconds after which the state machine tries again during GitHub's pause."""


def run(event: StepEvent) -> Plan | RefusedPlan | Taken:
    """The plan, or why there is none. With `mode` take: see `target_lock.take`.

    Raises GitHubRateLimited for a pause that ends within PATIENCE: the state machine tries again. A longer one is
    refused at once.
    """
    if event.mode == "take":
        return target_lock.take(event.deployment)
    settings(), targets()  # what is wrong with them is told before anything is done
    deployment_id, source = event.deployment.id, event.request
    if record := deployments.get(table(), deployment_id):
        if record.outcome or not record.is_of(event.began_at):
            return _refused(where(source), Refusal("name_used", id=deployment_id))
        return record.plan  # a step may run twice
    try:
        request = read(source, targets())
        target = targets()[request.target]
        client = _client(event, target) if request.command == "deploy" else None
        return _made(deployment_id, event.deployment.execution_arn, request, target, client)
    except (Refusal, GitHubRefused) as refusal:
        return _refused(where(source), refusal)
    except GitHubRateLimited as pause:
        until = clock.now() + pause.wait_seconds
        if until <= event.began_at + PATIENCE:
            raise
        key: TextKey = "github_low" if isinstance(pause, GitHubPostponed) else "github_pause"
        return _refused(where(source), Refusal(key, until=clock.iso(until)))


def _client(event: StepEvent, target: Target) -> GitHub:
    """Raises GitHubRateLimited where a pause has just ended: those who have waited begin one after the other, at a time
    that is the same at each try, while there is time for another."""
    client = github(target.repository, Need.PLAN)
    if clock.now() < event.began_at + PATIENCE - 2 * AGAIN:
        client.give_way(zlib.crc32(event.deployment.id.encode()) / 2**32)
    return client


def _refused(request: Request, why: Refusal | GitHubRefused) -> RefusedPlan:
    return RefusedPlan(
        schema=SCHEMA,
        verdict="refused",
        command=request.command,
        requester=Requester(request.requester),
        channel=request.channel,
        refusal=Refused(why.reason, plain(why.key, why.values)),
        command_prefix=request.command_prefix,
    )


def _made(deployment_id: str, execution_arn: str, request: Request, target: Target, client: GitHub | None) -> Plan:
    """The plan, made anew where something ended or began while it was made."""
    for _ in range(_TRIES):
        try:
            return _plan(deployment_id, execution_arn, request, target, client)
        except Conflict:
            continue
    raise Refusal("taken_meanwhile", target=target.name)


def _plan(deployment_id: str, execution_arn: str, request: Request, target: Target, client: GitHub | None) -> Plan:
    """`client`: for a deployment; a rollback asks nothing of GitHub."""
    who = policy.requester(target, request.requester)
    ended = releases.ended(table(), target.name)  # the counter first, then the truth
    ledger = releases.newest_first(table(), target.name)
    running = platform(target).live(ledger)
    changes, glass = None, None
    if client:
        what = candidate.resolve(client, request.version, target)
        candidate.assert_verified(target, what)
        glass = _glass(request, target, what.version, running)
        back = running
        if running and running.sha and running.sha != what.sha:
            changes = candidate.changes(client, running.sha, what.sha)
    else:
        _assert_card(request, target, running)
        request = with_version(request, ledger)
        back = _way_back(target, request.version, ledger, running)
        what = candidate.Candidate(back.version, back.sha, back.image)
    approval, channel = policy.question(target, request.command, who), _channel(request.channel)
    if approval and channel:
        approval = replace(approval, outside=people.outside(channel, approval.eligible))
    plan = Plan(
        verdict="dry_run" if request.dry_run else "go",
        command=request.command,
        target=target.name,
        kind=target.kind,
        repository=target.repository,
        version=what.version,
        sha=what.sha,
        image=what.image,
        architecture=platform(target).architecture(running) if request.command == "deploy" and running else "",
        title=what.title,
        url=what.url,
        committed_at=what.committed_at,
        reason=request.reason,
        card=request.card,
        break_glass=glass,
        requester=Requester(request.requester, request.requester_name),
        channel=channel,
        live=running,
        previous=back,
        ledger=ledger[0].key if ledger else "",
        changes=changes,
        approval=approval,
        timing=target.timing.paced(),
        started_at=clock.now(),
        note=what.note,
        command_prefix=request.command_prefix,
    )
    busy = target_lock.obstacle(target.name, deployment_id, request.command)
    if request.dry_run:
        return replace(plan, refusal=busy.reason if busy else None)
    if busy:
        raise busy
    return _begin(deployment_id, execution_arn, plan, ended)


def _glass(request: Request, target: Target, version: str, running: Release | None) -> BreakGlass | None:
    """Who goes through a freeze or a lock, and why; None where there is none. Raises Refusal with its end and the way
    out."""
    found = freezes.holding(table(), target)
    if found is None:
        return None
    if request.break_glass:
        approvers.break_glass(target, request.requester)
        return BreakGlass(request.requester, request.reason)
    raise Refusal(
        "frozen",
        freeze=found.sentence(target.name),
        target=target.name,
        version=version,
        running=now_running(running.version if running else ""),
    )


def _channel(asked: str) -> str:
    """Where the deployment's message goes: the command's channel, or the configured one where the bot cannot post or
    nobody else reads it. Raises Refusal where there is none."""
    fallback = settings().channel
    if asked.startswith("D") and not fallback:
        raise Refusal("ask_in_channel")
    if not asked or asked == fallback or asked.startswith("D"):
        return fallback
    return asked if people.can_post(asked) else fallback


def _begin(deployment_id: str, execution_arn: str, plan: Plan, ended: int) -> Plan:
    """Record and lock in one transaction, while what the plan was made of still stands: a deployment that ended
    meanwhile may have changed what is live, and so the way back. A rollback takes the target later, after its approval.

    Raises Conflict where it does not stand any more, Refusal where somebody else has the target.
    """
    target, members = plan.target, []
    if plan.command == "deploy":
        over = target_lock.replaceable(target, deployment_id)
        taking = locks.taking(target, target_lock.holder_for(deployment_id, execution_arn, plan), over)
        members = [taking, releases.unchanged(target, ended)]
    try:
        made = deployments.begin(table(), deployment_id, execution_arn, plan, *members, *show.owing(deployment_id))
    except Conflict:
        if busy := target_lock.obstacle(target, deployment_id, plan.command):
            raise busy from None
        raise
    count("DeploymentsStarted", target)
    return made


def _assert_card(request: Request, target: Target, running: Release | None) -> None:
    """A Roll back button acts only while its card's release is live."""
    if not request.card or (running and running.deployment_id == request.card):
        return
    record = deployments.get(table(), request.card)
    now, version = now_running(running.version if running else ""), record.plan.version if record else ""
    if not version:
        raise Refusal("rollback_stale_unknown", target=target.name, running=now)
    raise Refusal("rollback_stale", version=version, target=target.name, running=now)


def _way_back(target: Target, wanted: str, ledger: list[Release], running: Release | None) -> Release:
    """The release that a rollback returns to. Raises Refusal with the reason and how to name a version."""
    now, left = running.version if running else "", releases.left(table(), target.name)
    if wanted:
        found = release.named(ledger, wanted)
        if found is None:
            raise Refusal("never_ran", target=target.name, version=wanted, running=now_running(now))
        if running and found.same(running):
            raise Refusal("already_live", target=target.name, version=now)
        found = release.named(release.older(ledger, running), wanted)
        if found is None or found.mark in left:
            raise Refusal("not_back", target=target.name, version=wanted, running=now_running(now))
    else:
        found = release.way_back(ledger, running, left)
        if found is None:
            raise Refusal("no_way_back", target=target.name, running=now_running(now))
    if not platform(target).usable(found):
        raise Refusal(
            "gone",
            target=target.name,
            version=found.version,
            task_definition=found.task_definition,
            running=now_running(now),
        )
    return found
