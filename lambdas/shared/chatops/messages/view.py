"""What a message may show of a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from chatops.domain.deployment import Deployment
from chatops.domain.plan import Plan
from chatops.domain.results import PauseResult
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """`now`: epoch seconds. `gifs`: the picture's URL by kind (deploying, success, failure). `next`: the targets that
    come after this one, where the deployment is live. `page_url`: of its page; empty where there are none."""

    deployment: Deployment
    execution_url: str
    now: float
    gifs: Mapping[str, str] = field(default_factory=dict)
    next: tuple[str, ...] = ()
    page_url: str = ""

    @property
    def plan(self) -> Plan:
        return self.deployment.plan

    @property
    def id(self) -> str:
        return self.deployment.id

    @property
    def command(self) -> str:
        return self.plan.command

    @property
    def version(self) -> str:
        return self.plan.version

    @property
    def target(self) -> str:
        return self.plan.target

    @property
    def before(self) -> str:
        """The version that ran when the deployment was planned; empty where that isn't known."""
        return self.plan.before

    @property
    def back(self) -> str:
        """The version to return to; empty where there is none."""
        return self.plan.back or self.plan.before

    @property
    def requester(self) -> str:
        return self.plan.requester.id

    @property
    def end(self) -> str:
        """How it ended; empty while it has not."""
        return self.deployment.outcome.end

    @property
    def pause(self) -> PauseResult | None:
        """The pause that the rollout is at, or the last one that it has left."""
        return self.deployment.rollout.pause or self.deployment.rollout.last_pause

    @property
    def elapsed(self) -> float:
        """Seconds since the plan was made; once it has ended, those that the deployment took, however late Slack takes
        the message."""
        if self.deployment.outcome.seconds is not None:
            return self.deployment.outcome.seconds
        return self.now - (self.plan.started_at or self.now)

    @property
    def phase(self) -> str:
        """The furthest phase that has begun: planned, build, approval, decided, deploy, rollout, paused, restoring or
        ended."""
        of = self.deployment
        if of.outcome:
            return "ended"
        if of.rollback or of.restore or of.restored or of.rollout.restoring:
            return "restoring"
        if of.rollout:
            return "paused" if of.rollout.state == "paused" else "rollout"
        if of.deploy:
            return "deploy"
        if of.approval:
            return "approval" if of.approval.decision == "pending" else "decided"
        return "build" if of.build else "planned"
