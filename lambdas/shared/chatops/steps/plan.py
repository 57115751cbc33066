"""plan: complete and check the request; take the target; write the deployment's record."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain import release
from chatops.domain.codec import SCHEMA
from chatops.domain.command_text import is_version
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited, GitHubRefused, GitHubUnavailable, Refusal
from chatops.domain.event import StepEvent
from chatops.domain.github_budget import Need
from chatops.domain.plan import BreakGlass, Changes, Plan, RefusedPlan, Requester
from chatops.domain.reason import Reason, Refused
from chatops.domain.reason import running as now_running
from chatops.domain.release import Release
from chatops.domain.request import Request, read, where, with_version
from chatops.domain.results import Taken
from chatops.domain.target import Target
from chatops.github import versions
from chatops.github.client import GitHub, github
from chatops.messages.catalogue import plain
from chatops.observability import count, logger
from chatops.platforms.registry import platform
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.slack import approvers, people
from chatops.steps import policy, show, target_lock
from chatops.store import deployments, freezes, locks, releases
from chatops.store.table import Conflict, table
from chatops.values import dataclass

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


@dataclass(frozen=True)
class _What:
    """What will be live when all goes well."""

    version: str
    sha: str
    image: str = ""
    title: str = ""
    url: str = ""
    committed_at: str = ""
    note: Reason | None = None


def _plan(deployment_id: str, execution_arn: str, request: Request, target: Target, client: GitHub | None) -> Plan:
    """`client`: for a deployment; a rollback asks nothing of GitHub."""
    who = policy.requester(target, request.requester)
    ended = releases.ended(table(), target.name)  # the counter first, then the truth
    ledger = releases.newest_first(table(), target.name)
    running = platform(target).live(ledger)
    changes, glass = None, None
    if client:
        what = _version(client, request.version, target)
        _assert_verified(target, what)
        glass = _glass(request, target, what.version, running)
        back = running
        if running and running.sha and running.sha != what.sha:
            changes = _changes(client, running.sha, what.sha)
    else:
        _assert_card(request, target, running)
        request = with_version(request, ledger)
        back = _way_back(target, request.version, ledger, running)
        what = _What(back.version, back.sha, back.image)
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
    if request.dry_run:
        return plan
    busy = target_lock.obstacle(target.name, deployment_id, request.command)
    if busy:
        raise busy
    return _begin(deployment_id, execution_arn, plan, ended)


def _changes(client: GitHub, base: str, head: str) -> Changes | None:
    """For people to read; None where GitHub doesn't say. Nothing waits for it: of a large difference GitHub answers 5xx
    every time."""
    for counts_only in (False, True):
        try:
            return versions.changes(client, base, head, counts_only=counts_only)
        except GitHubUnavailable as error:
            logger.warning("github did not compare", reason=error.text)
    return None


def _assert_verified(target: Target, what: _What) -> None:
    """Raises Refusal for a commit that was not verified healthy where the policy wants it first, or was rolled back
    from there."""
    before, rows = target.policy.after, table()
    if not before:
        return
    values = {"target": target.name, "version": what.version, "before": before}
    if not any(one.sha == what.sha and one.verified_at for one in releases.newest_first(rows, before)):
        raise Refusal("after_first", **values)
    if what.sha in releases.left(rows, before):
        raise Refusal("after_left", **values)


def _pinned(target: Target) -> tuple[str, ...]:
    """Branches whose commits the targets before this one admit: what was verified there may go on."""
    found = list[str]()
    while target.policy.after and (before := targets().get(target.policy.after)):
        found, target = [*found, *before.policy.branches], before
    return tuple(found)


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


def _version(client: GitHub, wanted: str, target: Target) -> _What:
    admitted = target.policy.branches
    commit = versions.resolve(client, wanted, target.tags, admitted, _pinned(target))
    if commit is None:
        if not wanted:
            raise Refusal("nothing_to_deploy", repository=target.repository)
        if branch := versions.branch_meant(client, wanted):
            key: TextKey = "branch_not_admitted" if admitted else "branches_not_admitted"
            raise Refusal(key, target=target.name, branch=branch, branches=", ".join(admitted))
        if meant := versions.similar(client, wanted, target.tags):
            raise Refusal("similar_version", repository=target.repository, version=wanted, meant=meant)
        if target.tags:
            raise Refusal("unknown_own_version", repository=target.repository, version=wanted, tags=target.tags)
        raise Refusal("unknown_version", repository=target.repository, version=wanted)
    if not is_version(commit.version):
        # the newest release's tag is GitHub's word, not the requester's; the allow-list holds for it all the same
        raise Refusal("bad_version", word=commit.version[:80])
    if commit.bare and not versions.admitted(client, commit.sha, target.tags, admitted):
        raise Refusal("commit_elsewhere", repository=target.repository, version=wanted)
    return _What(
        commit.version,
        commit.sha,
        title=commit.title,
        url=commit.url,
        committed_at=commit.committed_at,
        note=Reason("tag_and_branch", version=commit.version, branch=commit.branch) if commit.branch else None,
    )


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
