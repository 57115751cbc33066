"""A deployment: its plan and what its phases have come to. Decoded once, where a step begins:

    deployment = Deployment.of(event)      # event: what the state machine passes to a step
    deployment.plan.target, deployment.deploy.claimed, deployment.rollout.pause

Phases that have not begun are there and false: `if deployment.rollout:`. A step's result is encoded by
`codec.as_json(result)`, which leaves out what is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.domain.plan import Plan
from chatops.domain.record import Outcome
from chatops.domain.results import CaughtError, Decision, Restore, RolloutResult, StageResult, Stop
from chatops.values import dataclass

_KINDS: dict[str, Any] = {
    "build": StageResult,
    "approval": Decision,
    "deploy": StageResult,
    "rollout": RolloutResult,
    "rollback": StageResult,
    "restored": RolloutResult,
}
PHASES = tuple(_KINDS)
"""Whose results are kept in the table as well: a box of the state machine that fails loses its state."""


@dataclass(frozen=True, slots=True)
class Errors:
    """What the Catch of each state has kept. `plan`: Plan failed, and there is nothing else."""

    plan: CaughtError = CaughtError()
    build: CaughtError = CaughtError()
    approval: CaughtError = CaughtError()
    dispatch: CaughtError = CaughtError()
    deploy: CaughtError = CaughtError()
    rollout: CaughtError = CaughtError()
    rollback: CaughtError = CaughtError()
    settle: CaughtError = CaughtError()


@dataclass(frozen=True, slots=True)
class Deployment:
    """`rollback` is the stage's result where the workflow puts a release back, `restore` where the platform does;
    `restored` says whether it runs again. `planned`: there is a plan; without one `plan` holds defaults only."""

    id: str
    execution_arn: str = ""
    plan: Plan = Plan()
    planned: bool = False
    build: StageResult = StageResult()
    approval: Decision = Decision()
    deploy: StageResult = StageResult()
    rollout: RolloutResult = RolloutResult()
    stop: Stop = Stop()
    rollback: StageResult = StageResult()
    restore: Restore = Restore()
    restored: RolloutResult = RolloutResult()
    outcome: Outcome = Outcome()
    errors: Errors = Errors()

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Deployment:
        """From a step's event: `deployment_id`, `execution_arn`, and the execution's `state`. Raises UnknownSchema for
        a plan of another version."""
        found = event.get("state")
        state: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        plan = state.get("plan")
        caught = {name: state.get(f"{name}_error") for name in Errors.__dataclass_fields__}
        return cls(
            id=str(event.get("deployment_id") or ""),
            execution_arn=str(event.get("execution_arn") or ""),
            plan=codec.read(Plan, codec.plan(plan) if isinstance(plan, Mapping) else {}),
            planned=bool(plan),
            errors=codec.read(Errors, {**caught, "plan": state if "Error" in state else None}),
            stop=codec.read(Stop, state.get("stop")),
            outcome=codec.read(Outcome, state.get("outcome")),
        ).having(state)

    def as_event(self) -> Json:
        """The event from which `of` reads the same deployment again."""
        state = {phase: found for phase in PHASES if (found := self.result(phase))}
        caught = {f"{name}_error": error for name, error in codec.as_json(self.errors).items() if error}
        if self.planned:
            state["plan"] = codec.as_json(self.plan)
        if self.outcome:
            state["outcome"] = codec.as_json(self.outcome)
        state |= caught.pop("plan_error", {})
        return {"deployment_id": self.id, "execution_arn": self.execution_arn, "state": {**state, **caught}}

    def result(self, phase: str) -> Json:
        """The phase's result as JSON; empty while it has not begun."""
        if phase not in PHASES:
            return {}
        found: StageResult | RolloutResult | Decision | Restore = getattr(self, phase)
        if phase == "rollback" and not found:
            found = self.restore
        return codec.as_json(found) if found or found == Decision("not_needed") else {}

    def having(self, results: Mapping[str, Any]) -> Deployment:
        """With the results of these phases (JSON by PHASES) in place of its own."""
        made: dict[str, Any] = {
            phase: codec.read(kind, results[phase]) for phase, kind in _KINDS.items() if phase in results
        }
        if "rollback" in results:
            made["restore"] = codec.read(Restore, results["rollback"])
        return replace(self, **made) if made else self

    def stage(self, name: str) -> StageResult:
        """The result of the stage build, deploy or rollback."""
        return {"build": self.build, "deploy": self.deploy, "rollback": self.rollback}[name]
