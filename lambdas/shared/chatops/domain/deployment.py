"""A deployment: its plan and what its phases have come to. Decoded once, where a step begins:

    deployment = Deployment.of(event)      # event: what the state machine passes to a step
    deployment.plan.target, deployment.deploy.claimed, deployment.rollout.pause

Phases that have not begun are there and false: `if deployment.rollout:`. A step's result is encoded by
`codec.as_json(result)`, which leaves out what is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.domain.outcome import Outcome
from chatops.domain.plan import Plan
from chatops.domain.results import Decision, Restore, RolloutResult, StageResult, Stop

PHASES = ("build", "approval", "deploy", "rollout", "rollback", "restored")
"""Whose results are kept in the table as well: a box of the state machine that fails loses its state."""


@dataclass(frozen=True, slots=True)
class CaughtError:
    """An error as Step Functions passes it on: the exception's name, and a Cause that holds its text."""

    name: str = ""
    cause: str = ""

    def __bool__(self) -> bool:
        return bool(self.name)

    @classmethod
    def from_json(cls, found: object) -> CaughtError:
        """`{"Error", "Cause"}`, or no error."""
        given = found if isinstance(found, Mapping) else {}
        return cls(str(given.get("Error") or ""), str(given.get("Cause") or ""))

    def as_json(self) -> Json:
        """The other way round."""
        return {"Error": self.name, "Cause": self.cause} if self else {}


@dataclass(frozen=True, slots=True)
class Errors:
    """What the Catch of each state has kept. `plan`: Plan failed, and there is nothing else."""

    plan: CaughtError = field(default_factory=CaughtError)
    build: CaughtError = field(default_factory=CaughtError)
    approval: CaughtError = field(default_factory=CaughtError)
    dispatch: CaughtError = field(default_factory=CaughtError)
    deploy: CaughtError = field(default_factory=CaughtError)
    rollout: CaughtError = field(default_factory=CaughtError)
    rollback: CaughtError = field(default_factory=CaughtError)
    settle: CaughtError = field(default_factory=CaughtError)


@dataclass(frozen=True, slots=True)
class Deployment:
    """`rollback` is the stage's result where the workflow puts a release back, `restore` where the platform does;
    `restored` says whether it runs again. `planned`: there is a plan; without one `plan` holds defaults only."""

    id: str
    execution_arn: str = ""
    plan: Plan = field(default_factory=Plan)
    planned: bool = False
    build: StageResult = field(default_factory=StageResult)
    approval: Decision = field(default_factory=Decision)
    deploy: StageResult = field(default_factory=StageResult)
    rollout: RolloutResult = field(default_factory=RolloutResult)
    stop: Stop = field(default_factory=Stop)
    rollback: StageResult = field(default_factory=StageResult)
    restore: Restore = field(default_factory=Restore)
    restored: RolloutResult = field(default_factory=RolloutResult)
    outcome: Outcome = field(default_factory=Outcome)
    errors: Errors = field(default_factory=Errors)

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

    def having(self, results: Mapping[str, Any]) -> Deployment:
        """With the results of these phases (JSON by PHASES) in place of its own."""
        made: dict[str, Any] = {}
        for phase in ("build", "deploy"):
            if phase in results:
                made[phase] = codec.read(StageResult, results[phase])
        for phase in ("rollout", "restored"):
            if phase in results:
                made[phase] = codec.read(RolloutResult, results[phase])
        if "approval" in results:
            made["approval"] = codec.read(Decision, results["approval"])
        if "rollback" in results:
            made |= {"rollback": codec.read(StageResult, results["rollback"])}
            made |= {"restore": codec.read(Restore, results["rollback"])}
        return replace(self, **made) if made else self

    def stage(self, name: str) -> StageResult:
        """The result of the stage build, deploy or rollback."""
        return {"build": self.build, "deploy": self.deploy, "rollback": self.rollback}[name]
