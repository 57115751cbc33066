"""How a rollout goes stage by stage, and its pauses, as text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops.domain.plan import ApprovalRule
from chatops.domain.results import RolloutResult
from chatops.messages.catalogue import Markup, duration, say
from chatops.messages.view import View
from chatops.messages.who import asked

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_LINES: dict[str, tuple[str, TextKey]] = {
    "promoted": ("✅", "line_pause_promoted"),
    "passed": ("▶️", "line_pause_passed"),
    "expired": ("⌛", "line_pause_expired"),
    "rolled_back": ("↩️", "line_pause_rolled_back"),
}


def percent(traffic: float | None) -> str:
    """`10 %`, `0.5 %`; empty where it isn't known."""
    return "" if traffic is None else f"{traffic:g} %"


def where(stage: str, traffic: float | None) -> Markup:
    """The stage of a pause, and how much of the traffic goes to the new version there."""
    share = percent(traffic)
    return Markup(say("pause_at_traffic" if share else "pause_at", stage=stage, traffic=share))


def status(rollout: RolloutResult) -> str:
    """The service's status, and the stage that it is at; empty where it reports neither."""
    return " · ".join(part for part in (rollout.status, rollout.lifecycle_stage) if part)


def strategy(rollout: RolloutResult) -> list[str]:
    """The field that says how it is rolled out, where that isn't simply task by task."""
    name, share = rollout.strategy, percent(rollout.traffic)
    if name in ("", "ROLLING"):
        return []
    return [say("field_strategy_traffic" if share else "field_strategy", strategy=name, traffic=share)]


def lines(view: View) -> list[str]:
    """Of the pause that the rollout is at, or of the last one: for whom it waits, or how it ended."""
    pause = view.pause
    if pause is None:
        return []
    place = where(pause.stage, pause.traffic)
    if view.phase == "paused":
        rule = view.plan.approval
        people = asked(ApprovalRule(groups=rule.groups) if rule else None, pause.eligible)
        return [f"⏸️ {say('line_paused', where=place, people=people)}"]
    if view.phase == "ended" or pause.decision not in _LINES:
        return []
    icon, key = _LINES[pause.decision]
    if pause.decision == "promoted" and pause.reason:
        key = "line_pause_promoted_frozen"
    return [f"{icon} {say(key, where=place, by=pause.by, took=duration(pause.seconds), reason=pause.reason)}"]
