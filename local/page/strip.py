"""The phases of a deployment as a strip: which are passed, which one it is in, and a word about each. Pure.

What static/phases.js draws; a rollback takes its place in it where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatops.domain.results import RolloutResult, StageResult
from chatops.messages.catalogue import duration
from chatops.messages.who import voters
from local.page.story import Facts, Span

FORWARD = ("Build", "Approval", "Deploy", "Rollout")
_TASKS = "{running} of {desired} tasks"


@dataclass(frozen=True)
class Phase:
    """`state`: of the graph. `look`: `done`, `now`, `failed`, `caught` (left by an error), `stopped` (people ended it
    there), `skipped` (not needed), or empty for what has not begun."""

    name: str
    state: str
    look: str
    note: str


def strip(
    known: Facts, looks: Mapping[str, str], found: Mapping[str, Span], end: str, tone: str, names: Mapping[str, str]
) -> list[Phase]:
    """The phases from left to right; none for a question. `looks`: how each state of the graph stands; `found`: the
    stays; `end`, `tone`: how the deployment ended, in words."""
    if known.asked.command in ("status", "history"):
        return []
    of = known.view.deployment
    back = known.view.command == "rollback" or known.asked.command == "rollback"
    inside = ("Approval", "Rollback") if back else FORWARD + (("Rollback",) if "Rollback" in looks else ())
    over = tone not in ("now", "wait")
    last = list(found)[-1] if over and found else ""
    furthest = max((at for at, name in enumerate(inside) if name in looks), default=-1)
    made = [Phase("Plan", "Plan", _plan(looks, of.plan.verdict), _plan_note(known, found.get("Plan")))]
    for at, name in enumerate(inside):
        look = _look(known, name, looks.get(name, ""))
        if look == "skipped" or (not look and (over or at < furthest)):
            made.append(Phase(name, name, "skipped", "not needed" if at < furthest or look else "not reached"))
        else:
            made.append(Phase(name, name, look, _note(known, name, look, found.get(name), names)))
    ends = {"good": "done", "bad": "failed", "neutral": "stopped"}
    return [*made, Phase("Done", last, ends[tone] if over else "", end if over else "")]


def _plan(looks: Mapping[str, str], verdict: str) -> str:
    return "stopped" if verdict == "refused" else looks.get("Plan", "")


def _plan_note(known: Facts, span: Span | None) -> str:
    took = _took(span)
    word = {"go": "reserved", "refused": "refused", "dry_run": "preview"}.get(known.view.plan.verdict, "")
    return " · ".join(part for part in (took, word) if part)


def _look(known: Facts, name: str, look: str) -> str:
    """How a phase stands for people: the state machine has passed it, but it may have come to nothing."""
    of = known.view.deployment
    if look != "done":
        return look
    if name in ("Build", "Deploy"):
        stage = of.stage(name.lower())
        return "done" if stage.state == "succeeded" else "failed" if stage.done else "caught"
    if name == "Approval":
        return {"approved": "done", "not_needed": "skipped"}.get(of.approval.decision, "stopped")
    result = of.rollout if name == "Rollout" else of.restored
    if name == "Rollback" and (of.restore.left_alone or (of.rollback.state == "succeeded" and not result)):
        return "done"
    return "done" if result.state == "healthy" else "failed"


def _note(known: Facts, name: str, look: str, span: Span | None, names: Mapping[str, str]) -> str:
    of = known.view.deployment
    if not look:
        return ""
    if name == "Approval":
        return _people(known, look, names)
    about = {
        "Build": _run(of.build),
        "Deploy": _run(of.deploy),
        "Rollout": _tasks(of.rollout),
        "Rollback": f"→ {known.view.back}" if known.view.back else _tasks(of.restored),
    }[name]
    return " · ".join(part for part in (_took(span), about) if part)


def _people(known: Facts, look: str, names: Mapping[str, str]) -> str:
    of, rule = known.view.deployment.approval, known.view.plan.approval
    if look == "now":
        asked = of.eligible or (rule.eligible if rule else ())
        shown = [names.get(one, one) for one in asked if one not in voters(of)]
        return " or ".join(shown) if len(shown) < 4 else f"{len(shown)} people"
    people = voters(of) if of.decision == "approved" else [of.by or ""]
    who = ", ".join(names.get(one, one) for one in people if one)
    word = "" if of.decision == "approved" else of.decision
    return " · ".join(part for part in (who, word, _shown(of.seconds or 0)) if part)


def _run(stage: StageResult) -> str:
    return f"run #{stage.run_number}" if stage.run_number else ""


def _tasks(result: RolloutResult) -> str:
    return _TASKS.format(running=result.running, desired=result.desired) if result.desired else ""


def _took(span: Span | None) -> str:
    return _shown(span.seconds or 0) if span else ""


def _shown(seconds: float) -> str:
    """A duration; nothing below a second."""
    return duration(seconds) if seconds >= 1 else ""
