"""A stage's one-use ticket and the run that claimed it.

ready ──claim──▶ claimed ──finish──▶ finished;  ready ──revoke──▶ revoked. There is no way back.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Literal

from chatops import clock
from chatops.domain import codec
from chatops.domain.run_token import ExpectedRun
from chatops.domain.stage import Stage
from chatops.store import cancels, locks
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

CANCELLABLE = frozenset({"build", "deploy"})
_KEEP_SECONDS = 30 * 86_400  # GitHub lets a run be re-run for 30 days; its ticket must stay known (and used) as long


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def get(table: Table, deployment_id: str, stage: str) -> Stage | None:
    """The stage, or None if it was never prepared."""
    row = table.get(_pk(deployment_id), f"STAGE#{stage}")
    return codec.read(Stage, row) if row else None


def prepare(table: Table, deployment_id: str, stage: str, target: str, valid_seconds: int) -> Stage:
    """The stage with its ticket: made now, or the one that was made before (a step runs twice)."""
    if known := get(table, deployment_id, stage):
        return known
    ticket, now = secrets.token_urlsafe(32), clock.now()  # pragma: no mutate: None means 32, too
    row = {
        "pk": _pk(deployment_id),
        "sk": f"STAGE#{stage}",
        "state": "ready",
        "ticket": ticket,
        "target": target,
        "created_at": now,
        "valid_until": now + valid_seconds,
    }
    pointer = {
        "pk": f"TICKET#{_hash(ticket)}",
        "sk": "TICKET",
        "deployment_id": deployment_id,
        "stage": stage,
        "target": target,
        "expires_at": int(now) + _KEEP_SECONDS,
    }
    try:
        table.transact({"Put": t.put(row, "attribute_not_exists(#pk)")}, {"Put": t.put(pointer)})
    except Conflict:
        found = get(table, deployment_id, stage)
        if found is None:
            raise
        return found
    return codec.read(Stage, row)


def note(table: Table, deployment_id: str, stage: str, **times: float) -> None:
    """Write these times of the stage (epoch seconds, by the names of `Stage`)."""
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in times)
    table.update(_pk(deployment_id), f"STAGE#{stage}", change, "attribute_exists(#pk)", times)


def trying(
    table: Table, deployment_id: str, stage: str, target: str, expected: ExpectedRun, origin_etag: str = ""
) -> bool:
    """Remember that the stage's run is about to be asked for, and which run may claim it; False if this deployment may
    not ask (any more): it has ended, was cancelled, lost its target, or its ticket was revoked."""
    facts = {"now": clock.now(), "ready": "ready", "expected": codec.as_json(expected)}
    change = "SET #tried_at = :now, #expected = :expected"
    if origin_etag:
        facts, change = {**facts, "origin_etag": origin_etag}, f"{change}, #origin_etag = :origin_etag"
    members: list[Item] = [
        {"Update": t.update(_pk(deployment_id), f"STAGE#{stage}", change, "#state = :ready", facts)},
        {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
        locks.held_check(target, deployment_id),
    ]
    if stage in CANCELLABLE:
        members.append(cancels.absent(deployment_id))
    try:
        table.transact(*members)
    except Conflict:
        return False
    return True


def of_ticket(table: Table, ticket: str) -> tuple[str, str, Stage] | None:
    """The deployment, the name of its stage and the stage that the ticket belongs to; None for an unknown ticket."""
    pointer = table.get(f"TICKET#{_hash(ticket)}", "TICKET")
    if pointer is None:
        return None
    deployment_id, stage = str(pointer["deployment_id"]), str(pointer["stage"])
    row = get(table, deployment_id, stage)
    return (deployment_id, stage, row) if row else None


def claim(table: Table, deployment_id: str, stage: str, run_id: int) -> str:
    """Let this run carry out the stage: `""`, or why not, with a catalogue-free reason. A run that has claimed it gets
    the same answer until it has finished.

    In one transaction with what it depends on: nobody has claimed it, the deployment holds the target, has not ended
    and (for build and deploy) was not cancelled.
    """
    row = get(table, deployment_id, stage)
    if row is None:
        return "unknown ticket"
    if row.state == "claimed" and row.run_id == run_id:
        return ""
    if row.state != "ready":
        return f"this {stage} stage's ticket is {'revoked' if row.state == 'revoked' else 'used'}"
    if clock.now() > row.valid_until:
        return f"this {stage} stage's ticket has expired"
    members: list[Item] = [
        {
            "Update": t.update(
                _pk(deployment_id),
                f"STAGE#{stage}",
                "SET #state = :claimed, #run_id = :run, #claimed_at = :now",
                "#state = :ready",
                {"claimed": "claimed", "run": run_id, "now": clock.now(), "ready": "ready"},
            )
        },
        {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
        locks.held_check(row.target, deployment_id),
    ]
    if stage in CANCELLABLE:
        members.append(cancels.absent(deployment_id))
    try:
        table.transact(*members)
    except Conflict as conflict:
        reasons = (
            "its ticket is used",
            "the deployment has ended",
            "the deployment no longer holds its target",
            "the deployment was cancelled",
        )
        return reasons[conflict.failed[0]]
    return ""


Finished = Literal["recorded", "other_report", "not_claimed"]


def finish(
    table: Table, deployment_id: str, stage: str, run_id: int, outcome: str, outputs: Mapping[str, str]
) -> Finished:
    """Record what the run that has claimed the stage says of it, once.

    `recorded` also for the same report again (its reply was lost); `other_report` where this run has reported something
    else before; `not_claimed` for another run, and for a stage that nobody has claimed.
    """
    try:
        table.update(
            _pk(deployment_id),
            f"STAGE#{stage}",
            "SET #state = :finished, #outcome = :outcome, #outputs = :outputs, #finished_at = :now",
            "#state = :claimed AND #run_id = :run",
            {
                "finished": "finished",
                "claimed": "claimed",
                "run": run_id,
                "outcome": outcome,
                "outputs": dict(outputs),
                "now": clock.now(),
            },
        )
    except Conflict as conflict:
        old = conflict.old or {}
        if old.get("state") != "finished" or old.get("run_id") != run_id:
            return "not_claimed"
        same = old.get("outcome") == outcome and dict(old.get("outputs") or {}) == dict(outputs)
        return "recorded" if same else "other_report"
    return "recorded"


def revoke(table: Table, deployment_id: str, stage: str) -> Stage | None:
    """Make the ticket worthless if nobody has claimed it; the stage as it is now (None: there never was a ticket)."""
    try:
        row = table.update(
            _pk(deployment_id),
            f"STAGE#{stage}",
            "SET #state = :revoked",
            "#state = :ready",
            {"revoked": "revoked", "ready": "ready"},
        )
    except Conflict:
        return get(table, deployment_id, stage)
    return codec.read(Stage, row)
