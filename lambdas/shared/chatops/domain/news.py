"""What EventBridge is told of a deployment: that it has begun, that people have decided, how it ended.

Pure: the same rows give the same event, however often it is sent. docs/events.md says what each field means, and
docs/events.schema.json what it may hold; a field that is None isn't sent.
"""

from __future__ import annotations

from chatops import clock
from chatops.domain.outcome import running
from chatops.domain.plan import ApprovalRule, BreakGlass, Plan, Requester
from chatops.domain.question import Question
from chatops.domain.record import EventKind, Record
from chatops.values import dataclass

SOURCE = "platform-deploy"
VERSION = 1
"""Of the events' form; the number of what the table holds is another one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The deployment. `started_at`: ISO time; `before`: the version that ran when it was planned."""

    id: str
    command: str
    target: str
    kind: str
    repository: str
    version: str
    sha: str
    requester: Requester
    started_at: str
    image: str | None = None
    before: str | None = None
    reason: str | None = None
    break_glass: BreakGlass | None = None
    approval: ApprovalRule | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A final answer. `question`: approval or promotion; `approvers`: who said yes, in that order; `at`: ISO time;
    `seconds`: from the question on."""

    question: str
    decision: str
    approvers: tuple[str, ...]
    at: str
    seconds: float
    by: str | None = None
    reason: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How it ended; `running`: the version that runs now, None where the bot doesn't know; `why`: the key of what
    broke, as domain/text_keys.py lists them, and the stage. Times as in `Answered`."""

    result: str
    at: str
    seconds: float
    superseded: bool
    running: str | None = None
    by: str | None = None
    why: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses for people: the execution in the console, the release or commit, and what it changes."""

    execution: str | None = None
    version: str | None = None
    changes: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """The event's detail. `id` names the event and is the same each time that it is sent."""

    version: int
    id: str
    deployment: Subject
    links: Links
    decision: Answered | None = None
    end: End | None = None


def detail(kind: EventKind, mark: str, record: Record, question: Question | None, execution_url: str) -> Detail:
    """The event about the deployment. `question`: the approval, or of a decision at a pause (`mark`) the promotion;
    None where nobody was asked."""
    plan = record.plan
    decided = question if kind is not EventKind.STARTED and question and question.decision else None
    return Detail(
        version=VERSION,
        id="/".join(filter(None, (record.deployment_id, kind.rpartition(" ")[2].lower(), mark))),
        deployment=subject(record.deployment_id, plan),
        links=Links(execution_url or None, plan.url or None, (plan.changes and plan.changes.url) or None),
        decision=answered(decided) if decided else None,
        end=ended(record) if kind is EventKind.ENDED else None,
    )


def subject(deployment_id: str, plan: Plan) -> Subject:
    """What is deployed, where, and who asked for it."""
    return Subject(
        id=deployment_id,
        command=plan.command,
        target=plan.target,
        kind=plan.kind,
        repository=plan.repository,
        version=plan.version,
        sha=plan.sha,
        requester=plan.requester,
        started_at=clock.iso(plan.started_at),
        image=plan.image or None,
        before=plan.before or None,
        reason=plan.reason or None,
        break_glass=plan.break_glass,
        approval=plan.approval,
    )


def answered(question: Question) -> Answered:
    """The final answer of a question that has one."""
    return Answered(
        question="promotion" if question.mark else "approval",
        decision=str(question.decision),
        approvers=tuple(sorted(question.votes, key=lambda user: question.votes[user])),
        at=clock.iso(question.decided_at),
        seconds=question.took(question.decided_at),
        by=question.by or None,
        reason=question.reason or None,
        via=question.via or None,
    )


def ended(record: Record) -> End:
    """The end of a deployment that has one."""
    outcome = record.outcome
    return End(
        result=outcome.end,
        at=outcome.at or "",
        seconds=outcome.seconds or 0.0,
        superseded=bool(outcome.superseded),
        running=running(record.plan, outcome.end) or None,
        by=outcome.by or None,
        why=outcome.why.reason.key if outcome.why else None,
        stage=(outcome.why and outcome.why.stage) or None,
    )
