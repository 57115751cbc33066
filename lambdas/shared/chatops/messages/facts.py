"""The deployment as its facts in the state machine tell it: read once, then everything else is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class View:
    """What a message may show of a deployment. `now` is epoch seconds."""

    deployment_id: str
    execution_url: str
    plan: Facts
    now: float
    build: Facts = field(default_factory=dict)
    deploy: Facts = field(default_factory=dict)
    rollback: Facts = field(default_factory=dict)
    rollout: Facts = field(default_factory=dict)
    restored: Facts = field(default_factory=dict)
    approval: Facts = field(default_factory=dict)
    outcome: Facts = field(default_factory=dict)
    gifs: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        return str(self.plan.get("command", "deploy"))

    @property
    def version(self) -> str:
        return str(self.plan.get("version") or "")

    @property
    def target(self) -> str:
        return str(self.plan.get("target") or "")

    @property
    def before(self) -> str:
        """The version that ran when the deployment was planned; empty where nobody knew."""
        return str((self.plan.get("live") or {}).get("version") or "")

    @property
    def back(self) -> str:
        """The version to return to; empty where there is none."""
        return str((self.plan.get("previous") or {}).get("version") or self.before)

    @property
    def requester(self) -> str:
        return str((self.plan.get("requester") or {}).get("id", ""))

    @property
    def elapsed(self) -> float:
        return self.now - float(self.plan.get("started_at") or self.now)

    @property
    def phase(self) -> str:
        """The furthest thing that has begun."""
        if self.outcome:
            return "ended"
        if self.rollback or self.restored or (self.rollout.get("restoring")):
            return "restoring"
        if self.rollout:
            return "paused" if self.rollout.get("state") == "paused" else "rollout"
        if self.deploy:
            return "deploy"
        if self.approval:
            return "approval" if self.approval.get("decision") == "pending" else "decided"
        return "build" if self.build else "planned"


def view(deployment_id: str, execution_url: str, state: Facts, now: float, gifs: Mapping[str, str]) -> View:
    """The view of a state machine's state."""
    keys = ("build", "deploy", "rollback", "rollout", "restored", "approval", "outcome")
    found = {k: state[k] for k in keys if isinstance(state.get(k), Mapping)}
    if found.get("approval", {}).get("decision") == "not_needed":
        del found["approval"]  # nobody was asked: there is nothing to show
    return View(deployment_id, execution_url, state.get("plan") or {}, now, gifs=gifs, **found)
