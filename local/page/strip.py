"""The phases of a deployment as a strip: the bot's own, and what the state machine knows sooner or better. Pure.

What static/phases.js draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chatops.messages.catalogue import duration
from chatops.messages.page_phases import Phase, phases
from chatops.messages.view import View
from local.page.story import Facts, Span
from local.words import Names, words

_ENDS = {"good": "done", "bad": "failed", "neutral": "stopped"}
_PLANS = {"refused": "refused", "dry_run": "dry run"}


@dataclass(frozen=True)
class Shown:
    """`state`: of the graph, empty where there is none to go to. `look`: `done`, `now`, `failed`, `caught` (left by an
    error), `stopped` (people ended it there), `skipped` (not reached), or empty for what has not begun."""

    name: str
    state: str
    look: str
    note: str


def strip(
    known: Facts, looks: Mapping[str, str], found: Mapping[str, Span], end: str, tone: str, names: Mapping[str, str]
) -> list[Shown]:
    """The phases from left to right; none for a question. `looks`: how each state of the graph stands; `found`: the
    stays; `end`, `tone`: how the deployment ended, in words; `names`: of people, by id."""
    if known.asked.command in ("status", "history"):
        return []
    over, view = tone in _ENDS, _view(known)
    *inside, done = phases(view)
    if "Rollback" in looks and inside[-1].key != "rollback":
        inside.append(Phase("rollback", "current"))
    made = []
    for one in inside:
        state = one.key.capitalize()
        look = _look(one, looks.get(state, ""), view.plan.verdict) or ("skipped" if over else "")
        note = "" if look in ("", "skipped") else _note(one, view, found.get(state), names)
        made.append(Shown(one.name, state, look, note))
    last = list(found)[-1] if over and found else ""
    return [*made, Shown(done.name, last, _ENDS[tone] if over else "", end if over else "")]


def _view(known: Facts) -> View:
    """As far as there is no plan yet, that of what was asked for."""
    of, view = known.view.deployment, known.view
    if of.planned:
        return view
    return replace(view, deployment=replace(of, plan=replace(of.plan, command=known.asked.command or "deploy")))


def _look(one: Phase, passed: str, verdict: str) -> str:
    """How a phase stands. `passed`: how the state machine has passed it, empty where it has not."""
    if one.key == "plan" and passed:
        return "stopped" if verdict == "refused" else passed
    if passed == "done":  # but it may have come to nothing
        return "caught" if one.state in ("waiting", "current") else one.state
    if passed or one.state in ("waiting", "current"):
        return passed
    return one.state


def _note(one: Phase, view: View, span: Span | None, names: Mapping[str, str]) -> str:
    seconds = one.seconds or (span.seconds if span else 0) or 0
    about = [
        duration(seconds) if seconds >= 1 else "",
        words(one.detail, Names(datetime.fromtimestamp(view.now, UTC), names)),
    ]
    if one.key == "plan":
        about.append(_PLANS.get(view.plan.verdict, ""))
    if one.key == "rollout" and (result := view.deployment.rollout).desired:
        about.append(f"{result.running}/{result.desired}")
    return " · ".join(part for part in about if part)
