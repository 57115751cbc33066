"""A stage's one-use ticket and the run that claimed it.

ready ──claim──▶ claimed ──finish──▶ finished;  ready ──revoke──▶ revoked. There is no way back.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

from chatops import clock
from chatops.domain import codec
from chatops.domain.results import STAGES
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


def trying(table: Table, deployment_id: str, stage: str, target: str) -> bool:
    """Remember that the stage's run is about to be asked for; False if this deployment may not (any more): it has
    ended, was cancelled, lost its target, or its ticket was revoked."""
    change, now = "SET #tried_at = :now", {"now": clock.now(), "ready": "ready"}
    members: list[Item] = [
        {"Update": t.update(_pk(deployment_id), f"STAGE#{stage}", change, "#state = :ready", now)},
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


def claim(table: Table, ticket: str, run_id: int, run_attempt: int) -> tuple[str, str]:
    """Exchange the ticket for permission: `(finish_token, "")`, or `("", why not)` with a catalogue-free reason.

    In one transaction with what it depends on: the ticket is unused, the deployment holds the target, has not ended
    and (for build and deploy) was not cancelled.
    """
    pointer = table.get(f"TICKET#{_hash(ticket)}", "TICKET")
    if pointer is None:
        return "", "unknown ticket"
    if run_attempt != 1:
        return "", "a re-run of a stage deploys nothing; start a new deployment instead"
    deployment_id, stage, target = pointer["deployment_id"], pointer["stage"], pointer["target"]
    row = get(table, deployment_id, stage)
    if row is None:
        return "", "unknown ticket"
    if row.state == "claimed" and row.run_id == run_id:
        return row.finish_token, ""  # the reply to the first claim was lost
    if row.state != "ready":
        return "", f"this {stage} stage's ticket is {'revoked' if row.state == 'revoked' else 'used'}"
    if clock.now() > row.valid_until:
        return "", f"this {stage} stage's ticket has expired"
    # it says where it belongs: `finish` sends nothing else that does
    finish_token = f"{deployment_id}.{stage}.{secrets.token_urlsafe(32)}"  # pragma: no mutate: None means 32, too
    facts = {
        "claimed": "claimed",
        "run": run_id,
        "token": finish_token,
        "now": clock.now(),
        "ready": "ready",
        "ticket": ticket,
    }
    members: list[Item] = [
        {
            "Update": t.update(
                _pk(deployment_id),
                f"STAGE#{stage}",
                "SET #state = :claimed, #run_id = :run, #finish_token = :token, #claimed_at = :now",
                "#state = :ready AND #ticket = :ticket",
                facts,
            )
        },
        {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
        locks.held_check(target, deployment_id),
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
        return "", reasons[conflict.failed[0]]
    return finish_token, ""


def belongs(finish_token: str) -> tuple[str, str] | None:
    """The deployment and stage that a finish token names, if it has a finish token's form."""
    parts = finish_token.rsplit(".", 2)
    return (parts[0], parts[1]) if len(parts) == 3 and parts[0] and parts[1] in STAGES else None


def finish(
    table: Table,
    deployment_id: str,
    stage: str,
    finish_token: str,
    run_id: int,
    outcome: str,
    outputs: Mapping[str, str],
) -> bool:
    """Record what the stage says of itself, once; True also for the same report again (its reply was lost)."""
    try:
        table.update(
            _pk(deployment_id),
            f"STAGE#{stage}",
            "SET #state = :finished, #outcome = :outcome, #outputs = :outputs, #finished_at = :now",
            "#state = :claimed AND #finish_token = :token AND #run_id = :run",
            {
                "finished": "finished",
                "claimed": "claimed",
                "token": finish_token,
                "run": run_id,
                "outcome": outcome,
                "outputs": dict(outputs),
                "now": clock.now(),
            },
        )
    except Conflict as conflict:
        old = conflict.old or {}
        same = old.get("finish_token") == finish_token and old.get("run_id") == run_id
        return bool(same and old.get("state") == "finished" and old.get("outcome") == outcome)
    return True


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
