"""ecs: ask the platform, once: is our version live, is the recorded release back, what is live?"""

from __future__ import annotations

from chatops.domain.errors import Refusal
from chatops.domain.event import StepEvent
from chatops.domain.reason import Refused
from chatops.domain.request import read
from chatops.domain.results import RolloutResult
from chatops.domain.status import Drift, Held, Status
from chatops.messages.catalogue import plain
from chatops.platforms.registry import PlatformOf, platform
from chatops.settings.targets import targets
from chatops.steps import restored, rollout
from chatops.store import deployments, freezes, locks, releases
from chatops.store.table import table

_LAST = {"status": 5, "history": 20}
"""Deployments of the target that are listed."""


def run(event: StepEvent, platform_of: PlatformOf = platform) -> RolloutResult | Status:
    """By `mode`: rollout, restored or status."""
    if event.mode == "rollout":
        return rollout.observe(event.deployment, event.promotion, platform_of)
    if event.mode == "restored":
        return restored.observe(event.deployment, platform_of)
    return _status(event.request, platform_of)


def _status(asked: object, platform_of: PlatformOf) -> Status:
    """What `/platform-status` and `history` answer; a refusal where the question makes no sense."""
    try:
        request = read(asked, targets())
    except Refusal as refusal:
        return Status(refusal=Refused(refusal.reason, plain(refusal.key, refusal.values)))
    target, rows = targets()[request.target], table()
    on = platform_of(target)
    last = tuple(deployments.history(rows, target.name, _LAST[request.command]))
    if request.command == "history":
        locks_of = freezes.history(rows, target.name, _LAST["history"])
        return Status("history", target.name, last=last, locks=tuple(locks_of))
    frozen = freezes.holding(rows, target)
    closed = frozen.sentence(target.name) if frozen else None
    ledger = releases.newest_first(rows, target.name)
    holder = locks.holder(rows, target.name)
    held = Held(holder.deployment_id, holder.version, holder.requester, holder.since) if holder else None
    try:
        running = on.live(ledger)
    except Refusal as missing:
        return Status(None, target.name, on.kind, held, last, freeze=closed, error=plain(missing.key, missing.values))
    drifted = ledger and running and not holder and on.drifted(ledger[0], running)
    return Status(
        target=target.name,
        kind=on.kind,
        holder=held,
        last=last,
        freeze=closed,
        version=running.version if running else None,
        since=running.verified_at if running else None,
        image=running.image if running else None,
        rollout=on.status(),
        drift=Drift(running.version, ledger[0].version) if drifted and running else None,
    )
