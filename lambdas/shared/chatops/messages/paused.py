"""How a rollout goes stage by stage, and its pauses, in words; `pause` is the fact that `ecs` makes of one. Pure."""

from __future__ import annotations

from chatops.messages.catalogue import Markup, duration, say
from chatops.messages.facts import Facts, View
from chatops.messages.who import asked

_ICONS = {"promoted": "✅", "passed": "▶️", "expired": "⌛", "rolled_back": "↩️"}


def percent(traffic: object) -> str:
    """`10 %`, `0.5 %`; nothing where nobody says."""
    return f"{traffic:g} %" if isinstance(traffic, int | float) and not isinstance(traffic, bool) else ""


def where(pause: Facts) -> Markup:
    """The stage, and how much of the traffic goes to the new version there."""
    share = percent(pause.get("traffic"))
    return Markup(say("pause_at_traffic" if share else "pause_at", stage=pause.get("stage", ""), traffic=share))


def status(rollout: Facts) -> str:
    """The service's own words: its status, and the stage that it is at; empty where it says neither."""
    words = [str(rollout.get("status") or ""), str(rollout.get("lifecycle_stage") or "")]
    return " · ".join(word for word in words if word)


def strategy(rollout: Facts) -> list[str]:
    """The field that says how it is rolled out, where that is not simply task by task."""
    name, share = str(rollout.get("strategy") or ""), percent(rollout.get("traffic"))
    if name in ("", "ROLLING"):
        return []
    return [say("field_strategy_traffic" if share else "field_strategy", strategy=name, traffic=share)]


def lines(view: View) -> list[str]:
    """Of the pause that the rollout is at, or of the last one: for whom it waits, or how it ended."""
    pause = view.rollout.get("pause") or view.rollout.get("last_pause") or {}
    decision = str(pause.get("decision", ""))
    if view.phase == "paused":
        people = asked({"groups": (view.plan.get("approval") or {}).get("groups") or []}, pause)
        return [f"⏸️ {say('line_paused', where=where(pause), people=people)}"]
    if view.phase == "ended" or decision not in _ICONS:
        return []
    took = duration(float(pause.get("seconds") or 0))
    text = say(f"line_pause_{decision}", where=where(pause), by=str(pause.get("by", "")), took=took)
    return [f"{_ICONS[decision]} {text}"]
