"""What one look at a paused rollout comes to. `ecs` looks, `promotion` asks people, `promote` acts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from chatops import clock
from chatops.platforms.rollout import CONTINUE, Pause, Rollout
from chatops.store import pauses
from chatops.store.table import Item, Table
from chatops.targets import Target

_LONGEST_LOOK = 300
"""Seconds between two looks at a pause, at most: an alarm or somebody in the console may end it and not tell us."""


_GRACE = 60
"""Seconds that the service has to do at its own deadline what it said."""


@dataclass(frozen=True)
class Look:
    """One look. `before`: the fact of the look before; `wake`: the counter as it was before this look."""

    rows: Table
    deployment_id: str
    target: Target
    now: float
    wake: int
    before: dict[str, Any]


def since(look: Look, found: Rollout) -> dict[str, Any]:
    """What is remembered from look to look: when this one was, how long people have been waited for, and the pause
    that was left behind."""
    return {"seen_at": look.now, "held": _held(look), **_left(look, found)}


def _held(look: Look) -> float:
    """Seconds so far that the rollout has waited for people: they do not count against its deadline."""
    waited = float(look.before.get("held") or 0)
    if look.before.get("state") == "paused":
        waited += max(look.now - float(look.before.get("seen_at") or look.now), 0)
    return waited


def at(look: Look, found: Rollout) -> dict[str, Any]:
    """The part of the rollout's fact that its pause makes: state paused, promoted, expired or cancelled."""
    pause = found.pause
    if pause is None:
        raise ValueError("The rollout is not paused.")
    facts = {
        "stage": found.lifecycle_stage or found.status,
        "strategy": found.strategy,
        "traffic": found.traffic,
        "on_timeout": pause.on_timeout,
    }
    row = pauses.opened(look.rows, look.deployment_id, pause.mark, facts, _deadline(pause, look))
    if not row.get("decision") and look.now >= _ends_here(pause, row):
        row = pauses.decide(look.rows, look.deployment_id, pause.mark, "expired")
    shown = {**pause.fact(), **told(row)}
    decision = row.get("decision")
    if decision == "promoted":
        return {"state": "promoted", "pause": shown}
    if decision == "expired":
        return {"state": "expired", "done": True, "pause": shown}
    if decision == "rolled_back":
        return {"state": "cancelled", "done": True, "pause": shown}
    return {"state": "paused", "pause": shown, "wake": look.wake, "wait_seconds": _wait(row, look)}


def _deadline(pause: Pause, look: Look) -> float:
    """Ours or the service's own, whichever is sooner; the service's own where it goes on by itself then: the bot never
    promotes anything, and never takes back what was meant to go on unless somebody objects."""
    ours = look.now + look.target.timing.promotion
    if not pause.expires_at:
        return ours
    return pause.expires_at if pause.on_timeout == CONTINUE else min(pause.expires_at, ours)


def _ends_here(pause: Pause, row: Item) -> float:
    """When we take it back: at our own deadline. At its own the service acts by itself, which we only watch; where it
    was to take it back and has not, we do so a little later."""
    deadline = float(row["deadline_at"])
    if deadline != pause.expires_at:
        return deadline
    return deadline + _GRACE if pause.on_timeout != CONTINUE else math.inf


def _wait(row: Item, look: Look) -> int:
    """As long as until the deadline, less where something may change before: a tenth of what has passed."""
    longest = max(look.target.timing.rollout_poll, min((look.now - float(row["asked_at"])) / 10, _LONGEST_LOOK))
    left = float(row["deadline_at"]) - look.now
    return max(math.ceil(min(longest, left) if left > 0 else longest), 1)


def told(row: Item) -> dict[str, Any]:
    """A pause as messages show it."""
    ended = float(row.get("decided_at") or clock.now())
    return {
        "stage": str(row.get("stage") or ""),
        "strategy": str(row.get("strategy") or ""),
        "traffic": row.get("traffic"),
        "eligible": list(row.get("eligible") or []),
        "deadline": clock.iso(float(row["deadline_at"])),
        "decision": str(row.get("decision") or "pending"),
        "by": str(row.get("by") or ""),
        "seconds": round(ended - float(row["asked_at"]), 1),
    }


def _left(look: Look, found: Rollout) -> dict[str, Any]:
    """The pause that the rollout has left behind, as `last_pause`; nothing where there was none. One that ended without
    a decision of ours is closed, so that a late click is told."""
    known = look.before.get("last_pause")
    mark = str((look.before.get("pause") or {}).get("mark") or "")
    row = pauses.get(look.rows, look.deployment_id, mark) if mark and not _still(mark, found) else None
    if row is None:
        return {"last_pause": known} if known else {}
    if not row.get("decision"):
        late = look.now >= float(row["deadline_at"])
        row = pauses.decide(look.rows, look.deployment_id, mark, "expired" if found.lapsed or late else "passed")
    return {"last_pause": told(row)}


def _still(mark: str, found: Rollout) -> bool:
    return found.pause is not None and found.pause.mark == mark
