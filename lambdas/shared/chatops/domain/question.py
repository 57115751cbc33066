"""A question that a deployment puts to people: may it be deployed (approval), may its paused rollout go on (promotion)?

Both work alike: some people may answer, so many of them have to agree, until a deadline, and the first final answer is
recorded once. Nothing here reads a clock or a table; times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from chatops.domain.reason import Reason
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

SLACK, OPERATOR = "slack", "operator"
"""`via` of an answer: by a button, or by somebody with IAM rights."""


class Answer(StrEnum):
    """What can be recorded. Of an approval: approved, rejected, expired. Of a promotion: promoted, rolled_back,
    expired, passed."""

    APPROVED = "approved"
    REJECTED = "rejected"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    """Nobody answered in time."""
    PASSED = "passed"
    """The rollout went on without an answer: continued in the console, or by the service itself."""

    @classmethod
    def from_json(cls, found: object) -> Answer:
        return cls(str(found))


_DECIDED: dict[Answer, TextKey] = {
    Answer.APPROVED: "decision_approved",
    Answer.REJECTED: "decision_rejected",
    Answer.PROMOTED: "decision_promoted",
    Answer.ROLLED_BACK: "decision_rolled_back",
}
_YES = frozenset({Answer.APPROVED, Answer.PROMOTED})


@dataclass(frozen=True)
class Question:
    """What is asked, and what has been answered so far.

    `mark` identifies the pause whose promotion is asked for, in rows and buttons; it is empty for an approval, as are
    the pause's `stage`, `strategy`, `traffic` (the percentage that the new version gets, None: unknown) and
    `on_timeout` (what the service does at its own deadline, CONTINUE or ROLLBACK). `votes`: who has agreed, and when.
    `decision`: the final answer; `by`: a user id, or an operator's ARN and name. `revision` rises with each answer.
    """

    asked_at: float
    deadline_at: float
    eligible: tuple[str, ...] = ()
    quorum: int = 1
    _: KW_ONLY
    mark: str = ""
    stage: str = ""
    strategy: str = ""
    traffic: float | None = None
    on_timeout: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    revision: int = 0
    decision: Answer | None = None
    by: str = ""
    decided_at: float = 0.0
    reason: str = ""
    via: str = ""

    def answered(self, answer: Answer, by: str, at: float, reason: str = "", via: str = SLACK) -> Question:
        """The question after this answer: one vote more, or decided. An operator's yes is enough for any quorum: there
        may be nobody else to reach."""
        votes = {**self.votes, by: self.votes.get(by, at)} if answer in _YES else self.votes
        counted = replace(self, votes=votes, revision=self.revision + 1)
        if answer in _YES and len(votes) < self.quorum and via != OPERATOR:
            return counted
        return replace(counted, decision=answer, by=by, decided_at=at, reason=reason, via=via)

    def holds(self, answer: Answer, user: str) -> bool:
        """True if this answer of this user is recorded: as the decision, or as one of the votes that count for it."""
        if self.decision is answer and self.by == user:
            return True
        return answer in _YES and self.decision in (answer, None) and user in self.votes

    def refused(
        self, answer: Answer, user: str, *, requester: str, approvers: Collection[str], may_cancel: bool
    ) -> Reason | None:
        """Why this user may not give this answer; None if they may. `approvers`: those of the target's policy;
        `may_cancel`: whether this user may cancel the deployment, which is what rolling it back at a pause does."""
        if user in self.eligible or (answer is Answer.ROLLED_BACK and may_cancel):
            return None
        if answer is Answer.ROLLED_BACK:
            return Reason("click_not_your_pause", deciders=(*self.eligible, *filter(None, [requester])))
        own = user == requester and user in approvers
        if self.mark:
            return Reason("click_promote_own" if own else "click_not_promoter", deciders=self.eligible)
        return Reason("click_own" if own else "click_not_asked", deciders=self.eligible)

    def reminders(self, now: float, every: float) -> int:
        """How many reminders are due, one after each `every` seconds."""
        return int((now - self.asked_at) / every)

    def took(self, now: float) -> float:
        """Seconds from the question to its decision, or until now."""
        return round((self.decided_at or now) - self.asked_at, 1)


def closed(question: Question | None, end: str, cancelled_by: str | None, now: float) -> Reason | None:
    """Why nobody can answer any more; None while it is open. `question` is None where nobody was asked, `end` is empty
    while the deployment goes on, `cancelled_by` is None where nobody cancelled it. The reason's `ago` is in seconds."""
    if question and question.decision:
        return _decided(question, question.decision, now)
    if end:
        return Reason("click_expired", end=end)
    if question is None:
        return Reason("click_unknown")
    if cancelled_by is not None:
        return Reason("click_cancelled", by=cancelled_by)
    late = now - question.deadline_at
    return Reason(_expired(question), ago=late) if late >= 0 else None


def _decided(question: Question, decision: Answer, now: float) -> Reason:
    ago = now - question.decided_at
    if decision is Answer.EXPIRED:
        return Reason(_expired(question), ago=ago)
    if decision is Answer.PASSED:
        return Reason("click_pause_passed", ago=ago)
    return Reason("click_already", by=question.by, decision=Reason(_DECIDED[decision]), ago=ago)


def _expired(question: Question) -> TextKey:
    return "click_pause_expired" if question.mark else "click_already_expired"
