"""The strip on top of a deployment's page: its phases in order, and how far each is. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from chatops.domain.results import RolloutResult, StageResult
from chatops.messages import outcome as ending
from chatops.messages import paused
from chatops.messages.catalogue import duration, end_text, plain
from chatops.messages.lines import run_link
from chatops.messages.view import View
from chatops.messages.who import asked_of, people, voters
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

State = Literal["done", "current", "failed", "stopped", "waiting", "skipped"]
_NAMES: dict[str, TextKey] = {
    "plan": "page_plan",
    "build": "page_build",
    "approval": "page_approval",
    "deploy": "page_deploy",
    "rollout": "page_rollout",
    "rollback": "page_rollback",
    "done": "page_done",
}
_SAID: dict[State, TextKey] = {
    "done": "page_is_done",
    "current": "page_is_current",
    "failed": "page_is_failed",
    "stopped": "page_is_stopped",
    "waiting": "page_is_waiting",
    "skipped": "page_is_skipped",
}
_SUCCESSES = ("Deployed", "Restored")
_ROLLOUTS: dict[str, State] = {"healthy": "done", "expired": "stopped", "cancelled": "stopped"}


@dataclass(frozen=True, slots=True)
class Phase:
    """`key`: plan, build, approval, deploy, rollout, rollback or done; `state`: stopped where people ended it, skipped
    where it ended before; `detail`: mrkdwn; `seconds`: it took, None where that isn't known."""

    key: str
    state: State = "waiting"
    detail: str = ""
    seconds: float | None = None

    @property
    def name(self) -> str:
        return plain(_NAMES[self.key])

    @property
    def said(self) -> str:
        """The state in a word."""
        return plain(_SAID[self.state])


def phases(view: View) -> list[Phase]:
    """Those that the deployment has, or may still come to, in their order."""
    of, rollback = view.deployment, view.command == "rollback"
    found = [Phase("plan", "done")]
    if not rollback:
        found.append(_stage("build", of.build))
    if (view.plan.approval or of.approval) and of.approval.decision != "not_needed":
        found.append(_approval(view))
    if not rollback:
        found.append(_stage("deploy", of.deploy))
        if not view.plan.pipeline_only:
            found.append(_rollout(of.rollout, ended=bool(view.end)))
    if rollback or view.phase == "restoring" or of.rollback or of.restore or of.restored:
        reached = [one if one.state != "waiting" or rollback else replace(one, state="skipped") for one in found]
        found = [*reached, _rollback(view)]
    return _ended(view, found) if view.end else [*_going_on(found), Phase("done")]


def _ended(view: View, found: list[Phase]) -> list[Phase]:
    """Nothing is under way any more."""
    after: dict[State, State] = {"waiting": "skipped", "current": "stopped"}
    last: State = "failed" if view.end in ending.BREAKAGES else "done" if view.end in _SUCCESSES else "stopped"
    took = view.deployment.outcome.seconds
    shown = [replace(one, state=after.get(one.state, one.state)) for one in found]
    return [*shown, Phase("done", last, end_text(view.end), took)]


def _going_on(found: list[Phase]) -> list[Phase]:
    """Between two phases the next one is under way."""
    if any(one.state in ("current", "failed", "stopped") for one in found):
        return found
    upcoming = next((n for n, one in enumerate(found) if one.state == "waiting"), None)
    return [replace(one, state="current") if n == upcoming else one for n, one in enumerate(found)]


def _stage(key: str, stage: StageResult) -> Phase:
    if not stage:
        return Phase(key)
    run = run_link(stage).strip()
    if not stage.done:
        return Phase(key, "current", run)
    broken: State = "stopped" if stage.state == "cancelled" else "failed"
    return Phase(key, "done" if stage.state == "succeeded" else broken, run, stage.seconds)


def _approval(view: View) -> Phase:
    approval = view.deployment.approval
    if approval.decision == "pending":
        return Phase("approval", "current", asked_of(view))
    if approval.decision == "approved":
        who = people(voters(approval) or [approval.by or ""])
        return Phase("approval", "done", who, approval.seconds)
    if not approval:
        return Phase("approval")
    return Phase("approval", "stopped", people([approval.by]) if approval.by else "", approval.seconds)


def _rollout(rollout: RolloutResult, *, ended: bool) -> Phase:
    if not rollout:
        return Phase("rollout")
    state = _ROLLOUTS.get(rollout.state, "failed") if rollout.done else "current"
    detail = "" if state == "failed" else paused.status(rollout, ended=ended)  # which then is that of what was put back
    if rollout.state == "paused" and rollout.pause:
        detail = str(paused.where(rollout.pause.stage, rollout.pause.traffic))
    return Phase("rollout", state, detail)


def _rollback(view: View) -> Phase:
    of, version = view.deployment, f"`{view.back}`" if view.back else ""
    if of.restored.done:
        return Phase("rollback", "done" if of.restored.state == "healthy" else "failed", version)
    if of.rollback.done and of.rollback.state != "succeeded":
        return Phase("rollback", "failed", run_link(of.rollback).strip())
    if of.restore.left_alone:
        return Phase("rollback", "skipped")
    if of.rollback.done and view.plan.pipeline_only:  # nothing else says whether it runs again
        return Phase("rollback", "done", version)
    begun = of.rollback or of.restore or of.restored or view.phase == "restoring"
    return Phase("rollback", "current" if begun else "waiting", version)


def took(phase: Phase) -> str:
    """`7s`; empty where that isn't known."""
    return duration(phase.seconds) if phase.seconds else ""
