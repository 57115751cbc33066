"""What people are asked and what they answered. The first final answer is recorded by a conditional write.

An approval is the row `APPROVAL`; the promotion of a paused rollout is the row `PAUSE#<mark>`, one for each pause.
"Rolled back" at a pause is a cancel of the deployment as well, in the same transaction, so that it isn't lost whatever
the rollout does meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatops import clock
from chatops.domain import codec
from chatops.domain.question import SLACK, Answer, Question
from chatops.domain.record import EventKind
from chatops.store import cancels, news, wakeups
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table

_TRIES = 8
_PAUSE = "PAUSE#"
_ASKED = ("asked_at", "deadline_at")
_OF_APPROVALS = (*_ASKED, "eligible", "quorum", "votes", "revision")
_OF_PAUSES = (*_ASKED, "mark", "stage", "strategy", "traffic", "on_timeout")
_DECIDED = ("decision", "by", "decided_at", "via")


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
    made = codec.as_json(question)
    row = {name: made.get(name) for name in (_OF_PAUSES if question.mark else _OF_APPROVALS)}
    return _read(table.put_once({"pk": _pk(deployment_id), "sk": _sk(question.mark), **row}))


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
                *([wakeups.bumping(deployment_id)] if by else []),  # a step that finds it expired is awake
                *([news.owing(deployment_id, EventKind.DECIDED, mark)] if made.decision else []),
            )
        except Conflict as conflict:
            if 0 in conflict.failed:
                continue
            return seen  # it has ended or was cancelled: nothing is decided any more
        return made
    raise Conflict


def _change(deployment_id: str, seen: Question, made: Question) -> Item:
    """The transaction member that writes what an answer changed."""
    written: tuple[str, ...] = (*_DECIDED, "reason") if made.decision else ()
    when, condition = "attribute_exists(#pk) AND attribute_not_exists(#decision)", {}
    if not made.mark:
        written += ("votes", "revision")
        when, condition = "attribute_not_exists(#decision) AND #revision = :seen", {"seen": seen.revision}
    found = codec.as_json(made)
    change = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
    values = {name: found[name] for name in written} | condition
    return {"Update": t.update(_pk(deployment_id), _sk(made.mark), change, when, values)}


def _read(row: Item) -> Question:
    return codec.read(Question, row)
