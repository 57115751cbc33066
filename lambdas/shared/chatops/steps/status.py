"""What is live in a target, how its service stands, who holds it, and what was deployed last. `ecs` is asked."""

from __future__ import annotations

from typing import Any

from chatops.domain import codec
from chatops.domain.errors import Refusal
from chatops.domain.request import read
from chatops.messages.catalogue import plain
from chatops.platforms.registry import PlatformOf, platform
from chatops.settings.targets import targets
from chatops.store import deployments, locks, releases
from chatops.store.table import table

_LAST = {"status": 5, "history": 20}


def report(event: dict[str, Any], platform_of: PlatformOf = platform) -> dict[str, Any]:
    """What `/platform-status` and `history` answer, as a fact; a refusal where the question makes no sense."""
    try:
        request = read(event.get("request"), targets())
    except Refusal as refusal:
        return {
            "refusal": {
                **refusal.reason.as_json(),
                "text": plain(refusal.key, refusal.values),
            }
        }
    target, rows = targets()[request.target], table()
    on = platform_of(target)
    last = [codec.as_json(past) for past in deployments.history(rows, target.name, _LAST[request.command])]
    if request.command == "history":
        return {"command": "history", "target": target.name, "last": last}
    ledger = releases.newest_first(rows, target.name)
    holder = locks.holder(rows, target.name)
    fact: dict[str, Any] = {
        "target": target.name,
        "kind": on.kind,
        "holder": {k: getattr(holder, k) for k in ("deployment_id", "version", "requester", "since")} if holder else {},
        "last": last,
    }
    try:
        running = on.live(ledger)
    except Refusal as missing:
        return {**fact, "error": plain(missing.key, missing.values)}
    if running:
        fact |= {"version": running.version, "since": running.verified_at, "image": running.image}
    if not on.pipeline_only:
        fact["rollout"] = dict(on.status())
    if ledger and running and not holder and on.drifted(ledger[0], running):
        fact["drift"] = {"running": running.version, "recorded": ledger[0].version}
    return fact
