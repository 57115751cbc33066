"""What one look at a paused rollout comes to. `ecs` looks, `promotion` asks people, `promote` acts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from chatops import clock
from chatops.ecs.staged import CONTINUE
from chatops.ecs.verdict import Rollout
from chatops.store import pauses
from chatops.store.table import Item, Table
from chatops.targets import Target

_LONGEST_LOOK = 300
"""Seconds between two looks at a pause, at most: an alarm or somebody in the console may end it and not tell us."""


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
    ours = look.now + look.target.timing.promotion
    # the bot itself never promotes: where ECS goes on by itself, its own deadline is the one that counts
    until = pause.expires_at or ours
    deadline = until if pause.on_timeout == CONTINUE else min(until, ours)
    facts = {
        "stage": found.lifecycle_stage or found.status,
        "strategy": found.strategy,
        "traffic": found.traffic,
        "on_timeout": pause.on_timeout,
    }
    row = pauses.opened(look.rows, look.deployment_id, pause.mark, facts, deadline)
    late = look.now >= float(row["deadline_at"])
    if late and not row.get("decision") and row["on_timeout"] != CONTINUE:
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


def lapsed(look: Look, found: Rollout) -> bool:
    """True if the service itself took it back, or stopped, because nobody decided in time. CodeDeploy does not say why
    a deployment was stopped: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentReadyOption.html"""
    return found.lapsed or (found.status == "Stopped" and look.before.get("state") == "paused")
