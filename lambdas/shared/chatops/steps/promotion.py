"""promotion: a rollout that waits for people at a pause. What one observation of it comes to, and going on once they
have promoted it. `approval` asks them."""

from __future__ import annotations

import math
from dataclasses import replace

from chatops import clock
from chatops.domain.errors import ServiceRefused
from chatops.domain.event import StepEvent
from chatops.domain.question import Answer, Question
from chatops.domain.reason import Reason
from chatops.domain.results import PauseResult, Promotion, RolloutResult
from chatops.domain.target import Target
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import CONTINUE, Pause, Rollout
from chatops.settings.targets import targets
from chatops.steps.effects import assert_ours
from chatops.store import cancels, questions
from chatops.store.table import Table, table
from chatops.values import dataclass

_LONGEST_WAIT = 300
"""Maximum seconds between two observations of a pause: an alarm or somebody in the console may end it unnoticed."""

_GRACE = 60
"""Seconds that the service has at its own deadline to do what it announced."""

_STATES: dict[Answer | None, str] = {
    Answer.PROMOTED: "promoted",
    Answer.EXPIRED: "expired",
    Answer.ROLLED_BACK: "cancelled",
}


@dataclass(frozen=True)
class Observation:
    """`before`: the result of the observation before; `wake`: the counter as it was before this one."""

    rows: Table
    deployment_id: str
    target: Target
    now: float
    wake: int
    before: RolloutResult


def since(seen: Observation, found: Rollout, result: RolloutResult) -> RolloutResult:
    """With what is kept from one observation to the next: its time, how long people have been waited for, and the last
    pause that the rollout has left."""
    return replace(result, seen_at=seen.now, held=_held(seen), last_pause=_left(seen, found))


def _held(seen: Observation) -> float:
    """Seconds so far that the rollout has waited for people; they do not count against its deadline."""
    waited = seen.before.held or 0
    if seen.before.state == "paused":
        waited += max(seen.now - (seen.before.seen_at or seen.now), 0)
    return waited


def at(seen: Observation, found: Rollout, result: RolloutResult) -> RolloutResult:
    """With what its pause makes of the rollout's result: state paused, promoted, expired or cancelled."""
    pause = found.pause
    if pause is None:
        raise ValueError("The rollout is not paused.")
    asking = Question(
        asked_at=seen.now,
        deadline_at=_deadline(pause, seen),
        mark=pause.mark,
        stage=found.lifecycle_stage or found.status,
        strategy=found.strategy,
        traffic=found.traffic,
        on_timeout=pause.on_timeout,
    )
    question = questions.ask(seen.rows, seen.deployment_id, asking)
    if not question.decision and seen.now >= _ends_here(pause, question):
        question = questions.record(seen.rows, seen.deployment_id, Answer.EXPIRED, mark=pause.mark)
    result = replace(result, pause=pause.result().answered(question, clock.now()))
    if question.decision in _STATES:
        state = _STATES[question.decision]
        return replace(result, state=state, done=state != "promoted")
    return replace(result, state="paused", wake=seen.wake, wait_seconds=_wait(question, seen))


def _deadline(pause: Pause, seen: Observation) -> float:
    """Ours or the service's own, whichever is sooner; the service's own where it goes on by itself then: the bot never
    promotes anything, and never takes back what was meant to go on unless somebody objects."""
    ours = seen.now + seen.target.timing.promotion
    if not pause.expires_at:
        return ours
    return pause.expires_at if pause.on_timeout == CONTINUE else min(pause.expires_at, ours)


def _ends_here(pause: Pause, question: Question) -> float:
    """When we take it back: at our own deadline. At its own the service acts by itself, which we only watch; where it
    was to take it back and has not, we do so a little later."""
    if question.deadline_at != pause.expires_at:
        return question.deadline_at
    return question.deadline_at + _GRACE if pause.on_timeout != CONTINUE else math.inf


def _wait(question: Question, seen: Observation) -> int:
    """Seconds: until the deadline, but no longer than a tenth of what has passed, since something may change before."""
    longest = max(seen.target.timing.rollout_poll, min((seen.now - question.asked_at) / 10, _LONGEST_WAIT))
    left = question.deadline_at - seen.now
    return max(math.ceil(min(longest, left) if left > 0 else longest), 1)


def _left(seen: Observation, found: Rollout) -> PauseResult | None:
    """The pause that the rollout has left last; None where there was none. One that ended without a decision is closed,
    so that a late click is answered with what happened."""
    mark = (seen.before.pause.mark if seen.before.pause else "") or ""
    still = found.pause is not None and found.pause.mark == mark
    question = questions.get(seen.rows, seen.deployment_id, mark) if mark and not still else None
    if question is None:
        return seen.before.last_pause
    if not question.decision:
        late = found.lapsed or seen.now >= question.deadline_at
        answer = Answer.EXPIRED if late else Answer.PASSED
        question = questions.record(seen.rows, seen.deployment_id, answer, mark=mark)
    return PauseResult().answered(question, clock.now())


def promote(event: StepEvent, platform_of: PlatformOf = platform) -> Promotion:
    """Let a paused rollout go on, at exactly the pause that people saw and promoted. A rollback passes its pauses
    without asking: that release was live before.

    `continued`: whether this call did it; False where it no longer waits there, or nobody promoted it. `refused`: the
    reason, where the service does not allow it; then the rollout cannot go on, and is rolled back.

    Raises AlreadySettled where this deployment must not have an effect any more, ServiceRefused where the service does
    not allow a restored release to go on.
    """
    deployment, rows = event.deployment, table()
    target = targets()[deployment.plan.target]
    assert_ours(rows, deployment.id, target.name)
    restoring = bool(deployment.restored)
    seen = (deployment.restored or deployment.rollout).pause
    if seen is None or not (restoring or _promoted(rows, deployment.id, seen.mark or "")):
        return Promotion()
    try:
        return Promotion(platform_of(target).proceed(Pause(id=seen.id or "", of=seen.of or "")))
    except ServiceRefused as refused:
        if restoring:
            raise
        return Promotion(refused=Reason("why_error", said=refused.reason))


def _promoted(rows: Table, deployment_id: str, mark: str) -> bool:
    question = questions.get(rows, deployment_id, mark)
    return bool(question and question.decision is Answer.PROMOTED and not cancels.get(rows, deployment_id))
