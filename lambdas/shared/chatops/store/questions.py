"""What people are asked and what they answered. The first final answer is recorded by a conditional write.

An approval is the row `APPROVAL`; the promotion of a paused rollout is the row `PAUSE#<mark>`, one for each pause.
"Rolled back" at a pause is a cancel of the deployment as well, in the same transaction, so that it isn't lost whatever
the rollout does meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatops import clock
from chatops.domain.question import SLACK, Answer, PausedAt, Question
from chatops.store import cancels, waits
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

_TRIES = 8
_PAUSE = "PAUSE#"


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def _sk(mark: str) -> str:
    return _PAUSE + mark if mark else "APPROVAL"


def get(table: Table, deployment_id: str, mark: str = "") -> Question | None:
    """The approval, or the promotion at the pause `mark`; None while nobody has asked."""
    row = table.get(_pk(deployment_id), _sk(mark))
    return _read(row) if row else None


def pauses(table: Table, deployment_id: str) -> list[Question]:
    """The promotions at each of the deployment's pauses, the latest first."""
    found = [_read(row) for row in table.query(_pk(deployment_id), _PAUSE)]
    return sorted(found, key=lambda question: -question.asked_at)


def ask(table: Table, deployment_id: str, question: Question) -> Question:
    """Record the question once; the one that stands, whoever asked first."""
    row: Item = {"pk": _pk(deployment_id), "asked_at": question.asked_at, "deadline_at": question.deadline_at}
    if pause := question.pause:
        row |= {"sk": _sk(pause.mark), **vars(pause)}
    else:
        row |= {"sk": _sk(""), "eligible": list(question.eligible), "quorum": question.quorum}
        row |= {"next_reminder_at": question.next_reminder_at, "votes": {}, "revision": 0}
    return _read(table.put_once(row))


def address(table: Table, deployment_id: str, mark: str, eligible: Sequence[str]) -> Question:
    """Record once who may promote at this pause; the question that stands. Raises Conflict where there is no such
    pause."""
    change = "SET #eligible = if_not_exists(#eligible, :eligible)"
    return _read(table.update(_pk(deployment_id), _sk(mark), change, "attribute_exists(#pk)", {"eligible": eligible}))


def record(
    table: Table,
    deployment_id: str,
    answer: Answer,
    by: str = "",
    reason: str = "",
    *,
    mark: str = "",
    via: str = SLACK,
) -> Question:
    """Record the answer, unless there is a decision, or the deployment has ended or was cancelled. The question as it
    stands: without this answer where one of these was in the way. `by` is empty for what a step finds by itself.

    Raises LookupError where nobody has asked, Conflict where so many answer at once that this one never got its turn.
    """
    for _ in range(_TRIES):
        seen = get(table, deployment_id, mark)
        if seen is None:
            raise LookupError(f"{deployment_id} {mark}".strip())
        if seen.decision:
            return seen
        made = seen.answered(answer, by, clock.now(), reason, via)
        try:
            table.transact(
                _change(deployment_id, seen, made),
                {"ConditionCheck": t.check(_pk(deployment_id), "RECORD", "attribute_not_exists(#outcome)")},
                cancels.recording(deployment_id, by, "rolled_back", via=via)
                if answer is Answer.ROLLED_BACK
                else cancels.absent(deployment_id),
                *([waits.bumping(deployment_id)] if by else []),  # a step that finds it expired is awake
            )
        except Conflict as conflict:
            if 0 in conflict.failed:
                continue
            return seen  # it has ended or was cancelled: nothing is decided any more
        return made
    raise Conflict


def _change(deployment_id: str, seen: Question, made: Question) -> Item:
    """The transaction member that writes what an answer changed."""
    values: Item = {}
    if made.decision:
        values = {"decision": str(made.decision), "by": made.by, "decided_at": made.decided_at, "via": made.via}
    if made.pause:
        when = "attribute_exists(#pk) AND attribute_not_exists(#decision)"
    else:
        values |= {"votes": dict(made.votes), "revision": made.revision}
        values |= {"reason": made.reason} if made.decision else {}
        when = "attribute_not_exists(#decision) AND #revision = :seen"
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in values)
    values |= {} if made.pause else {"seen": seen.revision}
    mark = made.pause.mark if made.pause else ""
    return {"Update": t.update(_pk(deployment_id), _sk(mark), change, when, values)}


def reminded(table: Table, deployment_id: str, due: float, following: float) -> bool:
    """True for the one caller that may send the approval's reminder that was due at `due`."""
    try:
        table.update(
            _pk(deployment_id),
            _sk(""),
            "SET #next_reminder_at = :next",
            "#next_reminder_at = :due AND attribute_not_exists(#decision)",
            {"next": following, "due": due},
        )
    except Conflict:
        return False
    return True


def _read(row: Item) -> Question:
    pause = None
    if row.get("mark"):
        traffic = row.get("traffic")
        pause = PausedAt(
            mark=str(row["mark"]),
            stage=str(row.get("stage") or ""),
            strategy=str(row.get("strategy") or ""),
            traffic=None if traffic is None else float(traffic),
            on_timeout=str(row.get("on_timeout") or ""),
        )
    return Question(
        asked_at=float(row["asked_at"]),
        deadline_at=float(row["deadline_at"]),
        eligible=tuple(row.get("eligible") or ()),
        quorum=int(row.get("quorum") or 1),
        next_reminder_at=float(row.get("next_reminder_at") or 0),
        pause=pause,
        votes=dict(row.get("votes") or {}),
        revision=int(row.get("revision") or 0),
        decision=Answer(row["decision"]) if row.get("decision") else None,
        by=str(row.get("by") or ""),
        decided_at=float(row.get("decided_at") or 0),
        reason=str(row.get("reason") or ""),
        via=str(row.get("via") or ""),
    )
