"""What is live in a target, how its service stands, who holds it, and what was deployed last. `ecs` is asked."""

from __future__ import annotations

from typing import Any

from chatops.domain.release import Release
from chatops.domain.request import read
from chatops.errors import InvalidRequest, ServiceRefused
from chatops.messages.catalogue import plain
from chatops.platforms import ecs_verdict, live
from chatops.platforms.codedeploy_group import Group
from chatops.platforms.ecs_service import Service
from chatops.store import deployments, locks, releases
from chatops.store.table import Item, table
from chatops.targets import Target, targets

_LAST = {"status": 5, "history": 20}


def report(event: dict[str, Any]) -> dict[str, Any]:
    """What `/platform-status` and `history` answer, as a fact; a refusal where the question makes no sense."""
    try:
        request = read(event.get("request"), targets())
    except InvalidRequest as refusal:
        return {
            "refusal": {
                **refusal.reason.as_json(),
                "text": plain(refusal.key, refusal.values),
            }
        }
    target, rows = targets()[request.target], table()
    last = [_past(row) for row in deployments.history(rows, target.name, _LAST[request.command])]
    if request.command == "history":
        return {"command": "history", "target": target.name, "last": last}
    ledger = releases.newest_first(rows, target.name)
    holder = locks.holder(rows, target.name)
    fact: dict[str, Any] = {
        "target": target.name,
        "kind": target.kind,
        "holder": {k: getattr(holder, k) for k in ("deployment_id", "version", "requester", "since")} if holder else {},
        "last": last,
    }
    try:
        running = live.now(target, ledger)
    except InvalidRequest as missing:
        return {**fact, "error": plain(missing.key, missing.values)}
    if running and holder and running not in ledger:
        # its rollout is under way: live is what was live when it was planned
        planned = (deployments.get(rows, holder.deployment_id) or {}).get("plan") or {}
        running = releases.release(planned.get("live")) or running
    if running:
        fact |= {"version": running.version, "since": running.verified_at, "image": running.image}
    if target.kind != "none":
        fact["rollout"] = _service_now(target) if target.kind == "ecs" else _group_now(target)
        recorded = ledger[0] if ledger else None
        if recorded and running and not holder and _differ(target, recorded, running):
            fact["drift"] = {"running": running.version, "recorded": recorded.version}
    return fact


def _differ(target: Target, recorded: Release, running: Release) -> bool:
    if target.kind == "ecs":
        return recorded.task_definition != running.task_definition
    return recorded.version != running.version


def _past(row: Item) -> dict[str, Any]:
    """A deployment as reports show it; `seconds` is absent while it is in flight."""
    ended = row["outcome"] or {}
    known = {k: row.get(k, "") for k in ("deployment_id", "version", "before", "requester", "started_at")}
    return {**known, "end": ended.get("end", ""), **({"seconds": ended["seconds"]} if "seconds" in ended else {})}


def _service_now(target: Target) -> dict[str, Any]:
    service = Service(target)
    try:
        found, brought = service.describe(), service.deployments()
    except ServiceRefused:
        return {}
    newest = max(brought, key=lambda d: d.created_at, default=None)
    counts = ecs_verdict.counts(found)
    shown = {**counts, "events": list(counts["events"])}
    if newest is None:
        return {**shown, "status": str(ecs_verdict.primary(found).get("rolloutState", ""))}
    if newest.status == "SUCCESSFUL":
        return {**shown, "status": newest.status}
    return {**shown, **newest.shown, "status": newest.status}


def _group_now(target: Target) -> dict[str, Any]:
    group = Group(target)
    try:
        tried = group.attempts().tried
        last = group.get(tried) if tried else None
    except ServiceRefused:
        return {}
    if last is None:
        return {}
    return {"status": last.status, "running": last.done, "desired": last.instances, "pending": last.pending}
