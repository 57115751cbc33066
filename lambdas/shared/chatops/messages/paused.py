"""How a rollout goes stage by stage, and its pauses, as text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops.domain.results import PauseResult, RolloutResult
from chatops.messages import statuses
from chatops.messages.catalogue import Markup, date, duration, say
from chatops.messages.view import View
from chatops.messages.who import deciders
from chatops.platforms.rollout import CONTINUE

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

LINES: dict[str, tuple[str, TextKey]] = {
    "promoted": ("✅", "line_pause_promoted"),
    "passed": ("▶️", "line_pause_passed"),
    "expired": ("⌛", "line_pause_expired"),
    "rolled_back": ("⏪", "line_pause_rolled_back"),
}


def percent(traffic: float | None) -> str:
    """`10%`, `0.5%`; empty where it isn't known."""
    return "" if traffic is None else f"{traffic:g}%"


def where(stage: str, traffic: float | None) -> Markup:
    """Where a pause is, and how much of the traffic goes to the new version there: `before production traffic (0%)`."""
    at, share = statuses.place(stage), percent(traffic)
    return Markup(say("pause_at_traffic", where=at, traffic=share) if share else at)


def status(rollout: RolloutResult, *, ended: bool = False) -> str:
    """`Rolling out · 10%`; empty where the service reports no status. Where the traffic isn't known, the stage is
    shown, if there are words for it. `ended`: see `statuses.rollout`."""
    reported = statuses.rollout(rollout.status, ended=ended)
    if ended or not reported or rollout.done:
        return reported
    stage = statuses.place(rollout.lifecycle_stage) if rollout.lifecycle_stage in statuses.PLACES else ""
    return " · ".join(part for part in (reported, percent(rollout.traffic) or stage) if part)


def strategy(rollout: RolloutResult) -> list[str]:
    """The field that says how it is rolled out, where that isn't simply task by task."""
    name = rollout.strategy
    return [] if name in ("", "ROLLING") else [say("field_strategy", strategy=statuses.strategy(name))]


def lines(view: View) -> list[str]:
    """Of the pause that the rollout is at, or of the last one: for whom it waits, or how it ended."""
    pause = view.pause
    if pause is None:
        return []
    place = where(pause.stage, pause.traffic)
    if view.phase == "paused":
        return [f"⏸️ {_waiting(view, pause, place)}"]
    if view.phase == "ended" or pause.decision not in LINES:
        return []
    icon, key = LINES[pause.decision]
    if pause.decision == "promoted" and pause.reason:
        key = "line_pause_promoted_frozen"
    return [f"{icon} {say(key, where=place, by=pause.by, took=duration(pause.seconds), reason=pause.reason)}"]


def _waiting(view: View, pause: PauseResult, place: Markup) -> str:
    rule = view.plan.approval
    people = deciders(rule.groups if rule else (), pause.eligible)
    then: TextKey = "paused_then_continue" if pause.on_timeout == CONTINUE else "paused_then_rollback"
    after = Markup(say(then, deadline=Markup(date(pause.deadline))) if pause.deadline else "")
    return say("line_paused", where=place, people=people, then=after).strip()
