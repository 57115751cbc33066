"""promotion: a rollout that waits for people at a pause. What one observation of it comes to, and going on once they
have promoted it. `approval` asks them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chatops import clock
from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.domain.question import Answer, Question
from chatops.domain.reason import Reason
from chatops.domain.results import PauseResult
from chatops.errors import ServiceRefused
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import CONTINUE, Pause, Rollout
from chatops.steps.dispatch import assert_ours
from chatops.store import cancels, questions
from chatops.store.table import Table, table
from chatops.targets import Target, targets

_LONGEST_WAIT = 300
"""Maximum seconds between two observations of a pause: an alarm or somebody in the console may end it unnoticed."""

_GRACE = 60
"""Seconds that the service has at its own deadline to do what it announced."""

_STATES: dict[Answer | None, Json] = {
    Answer.PROMOTED: {"state": "promoted"},
    Answer.EXPIRED: {"state": "expired", "done": True},
    Answer.ROLLED_BACK: {"state": "cancelled", "done": True},
}


@dataclass(frozen=True)
class Observation:
    """`before`: the result of the observation before; `wake`: the counter as it was before this one."""

    rows: Table
    deployment_id: str
    target: Target
    now: float
    wake: int
    before: Json


def since(seen: Observation, found: Rollout) -> Json:
    """What is kept from one observation to the next: its time, how long people have been waited for, and the last pause
    that the rollout has left."""
    return {"seen_at": seen.now, "held": _held(seen), **_left(seen, found)}


def _held(seen: Observation) -> float:
    """Seconds so far that the rollout has waited for people; they do not count against its deadline."""
    waited = float(seen.before.get("held") or 0)
    if seen.before.get("state") == "paused":
        waited += max(seen.now - float(seen.before.get("seen_at") or seen.now), 0)
    return waited


def at(seen: Observation, found: Rollout) -> Json:
    """The part of the rollout's result that its pause makes: state paused, promoted, expired or cancelled."""
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
    shown = {"pause": _result(question, pause)}
    if question.decision in _STATES:
        return {**_STATES[question.decision], **shown}
    return {"state": "paused", **shown, "wake": seen.wake, "wait_seconds": _wait(question, seen)}


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


def _result(question: Question, pause: Pause | None = None) -> Json:
    """What messages show of a pause; and where the rollout still waits there, what lets it go on."""
    made = PauseResult(
        **(pause.fact() if pause else {}),
        stage=question.stage,
        strategy=question.strategy,
        traffic=question.traffic,
        eligible=question.eligible,
        deadline=clock.iso(question.deadline_at),
        decision=str(question.decision or "pending"),
        by=question.by,
        seconds=question.took(clock.now()),
    )
    return codec.as_json(made)


def _left(seen: Observation, found: Rollout) -> Json:
    """The pause that the rollout has left, as `last_pause`; empty where there was none. One that ended without a
    decision is closed, so that a late click is answered with what happened."""
    known = seen.before.get("last_pause")
    mark = str((seen.before.get("pause") or {}).get("mark") or "")
    still = found.pause is not None and found.pause.mark == mark
    question = questions.get(seen.rows, seen.deployment_id, mark) if mark and not still else None
    if question is None:
        return {"last_pause": known} if known else {}
    if not question.decision:
        late = found.lapsed or seen.now >= question.deadline_at
        answer = Answer.EXPIRED if late else Answer.PASSED
        question = questions.record(seen.rows, seen.deployment_id, answer, mark=mark)
    return {"last_pause": _result(question)}


def promote(event: Json, platform_of: PlatformOf = platform) -> Json:
    """Let a paused rollout go on, at exactly the pause that people saw and promoted. A rollback passes its pauses
    without asking: that release was live before.

    `continued`: whether this call did it; False where it no longer waits there, or nobody promoted it. `refused`: the
    reason, where the service does not allow it; then the rollout cannot go on, and is rolled back.

    Raises AlreadySettled where this deployment must not have an effect any more, ServiceRefused where the service does
    not allow a restored release to go on.
    """
    deployment_id, state, rows = str(event["deployment_id"]), event["state"], table()
    target = targets()[state["plan"]["target"]]
    assert_ours(rows, deployment_id, target.name)
    restoring = state.get("restored") or {}
    seen = (restoring or state["rollout"]).get("pause") or {}
    if not seen or not (restoring or _promoted(rows, deployment_id, str(seen["mark"]))):
        return {"continued": False}
    pause = Pause(id=str(seen["id"]), of=str(seen["of"]))
    try:
        return {"continued": platform_of(target).proceed(pause)}
    except ServiceRefused as refused:
        if restoring:
            raise
        return {"continued": False, "refused": Reason("why_error", said=refused.reason).as_json()}


def _promoted(rows: Table, deployment_id: str, mark: str) -> bool:
    question = questions.get(rows, deployment_id, mark)
    return bool(question and question.decision is Answer.PROMOTED and not cancels.get(rows, deployment_id))
