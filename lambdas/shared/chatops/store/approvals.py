"""What people decided. First valid decision wins by a conditional write; a cancel is a record of its own beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatops import clock
from chatops.store import locks, waits
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

_TRIES = 8
OPERATOR = "operator"
"""`via` of a decision by somebody with IAM rights, where a decision by button says `slack`."""


@dataclass(frozen=True)
class Question:
    """What an approval asks: of whom, how many, by when (epoch seconds)."""

    eligible: tuple[str, ...]
    quorum: int
    deadline_at: float
    next_reminder_at: float


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def get(table: Table, deployment_id: str) -> Item | None:
    """The approval's row, or None while nobody has asked."""
    return table.get(_pk(deployment_id), "APPROVAL")


def open_question(table: Table, deployment_id: str, question: Question) -> Item:
    """Ask once; the row that stands, whoever asked first."""
    row = {
        "pk": _pk(deployment_id),
        "sk": "APPROVAL",
        "eligible": list(question.eligible),
        "quorum": question.quorum,
        "asked_at": clock.now(),
        "deadline_at": question.deadline_at,
        "next_reminder_at": question.next_reminder_at,
        "votes": {},
        "revision": 0,
    }
    return table.put_once(row)


def vote(table: Table, deployment_id: str, user: str, via: str = "slack") -> Item:
    """Count one approver's yes; the quorum's last one decides. The row as it stands afterwards: without this yes where
    the deployment has ended or was cancelled."""
    return _revise(table, deployment_id, "approved", user, "", via)


def decide(table: Table, deployment_id: str, decision: str, by: str, reason: str = "", via: str = "slack") -> Item:
    """Record `approved`, `rejected` or `expired` unless something is recorded already, a cancel or an end as well. The
    row as it stands: without a decision where the deployment has ended or was cancelled.

    An operator's yes is enough, whatever the quorum: there may be nobody else to reach.
    """
    return _revise(table, deployment_id, decision, by, reason, via)


def _revise(table: Table, deployment_id: str, decision: str, by: str, reason: str, via: str) -> Item:
    for _ in range(_TRIES):
        row = get(table, deployment_id)
        if row is None:
            raise LookupError(deployment_id)
        if row.get("decision"):
            return row
        votes = dict(row.get("votes") or {})
        final = decision
        if decision == "approved":
            votes.setdefault(by, clock.now())
            if len(votes) < int(row["quorum"]) and via != OPERATOR:
                final = ""
        made: Item = {"votes": votes, "revision": int(row["revision"]) + 1}
        if final:
            made |= {"decision": final, "by": by, "decided_at": clock.now(), "reason": reason, "via": via}
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in made)
        values = {**made, "seen": int(row["revision"])}
        when = "attribute_not_exists(#decision) AND #revision = :seen"
        try:
            table.transact(
                {"Update": t.update(_pk(deployment_id), "APPROVAL", change, when, values)},
                {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
                uncancelled(deployment_id),
                *([waits.bumping(deployment_id)] if by else []),  # what the step itself finds expired wakes nobody
            )
        except Conflict as conflict:
            if 0 not in conflict.failed:
                return row  # it has ended or was cancelled: nothing is decided any more
            continue
        return {**row, **made}
    raise Conflict


def reminded(table: Table, deployment_id: str, due: float, following: float) -> bool:
    """True for the one caller that may send the reminder that was due at `due`."""
    try:
        table.update(
            _pk(deployment_id),
            "APPROVAL",
            "SET #next_reminder_at = :next",
            "#next_reminder_at = :due AND attribute_not_exists(#decision)",
            {"next": following, "due": due},
        )
    except Conflict:
        return False
    return True


def cancelled(table: Table, deployment_id: str) -> Item | None:
    """The cancel's row, if somebody asked for one."""
    return table.get(_pk(deployment_id), "CANCEL")


def cancelling(
    deployment_id: str, by: str, kind: str = "cancelled", superseded_by: str = "", via: str = "slack"
) -> Item:
    """The transaction member that records a cancel."""
    row = {
        "pk": _pk(deployment_id),
        "sk": "CANCEL",
        "by": by,
        "kind": kind,
        "superseded_by": superseded_by,
        "via": via,
        "at": clock.now(),
    }
    return {"Put": t.put(row, "attribute_not_exists(#pk)")}


def uncancelled(deployment_id: str) -> Item:
    """The transaction member that insists that nobody has cancelled."""
    return {"ConditionCheck": t.check(_pk(deployment_id), "CANCEL", "attribute_not_exists(#pk)")}


def cancel(table: Table, deployment_id: str, by: str, via: str = "slack", rollback_of: str = "") -> str:
    """Record a cancel: `""` if it stands now, `settled` if the deployment has ended, `already` if one stood. A rollback
    of the target `rollback_of` that has taken it cannot be cancelled any more: `rollback`."""
    try:
        table.transact(
            {
                "ConditionCheck": t.check(
                    _pk(deployment_id), "RECORD", "attribute_exists(#pk) AND attribute_not_exists(#outcome)"
                )
            },
            cancelling(deployment_id, by, via=via),
            *([locks.free_check(rollback_of, deployment_id)] if rollback_of else []),
            waits.bumping(deployment_id),
        )
    except Conflict as conflict:
        return {0: "settled", 1: "already", 2: "rollback"}[min(conflict.failed)]
    return ""


def may_decide(row: Item, user: str) -> bool:
    """True if the question was put to this user."""
    eligible: Iterable[str] = row.get("eligible") or ()
    return user in set(eligible)
