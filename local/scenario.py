"""What a scenario is: the target that it needs, who plays it, and how it must end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatops.domain.target import Target, Timing, default_target
from local import people
from local.driver import Driver
from local.session import Session

TIMING = {
    "poll_min": 1,
    "poll_max": 1,
    "rollout_poll": 1,
    "progress": 1,
    "take_poll": 1,
    "take": 10,
    "approval": 60,
    "reminder": 30,
    "appear": 10,
    "build": 60,
    "deploy": 60,
    "rollout": 60,
    "promotion": 60,
    "restore": 60,
    "cancel": 10,
}
"""Seconds: small, so that nobody has to wait; nothing else about the target is special."""


PAUSE = "PRE_PRODUCTION_TRAFFIC_SHIFT"


class NoTarget(LookupError):
    """The targets have none that the scenario could play with; the text says which it needs."""


@dataclass(frozen=True)
class Scenario:
    """One scenario. `ends` is the name of the last state of the execution that is reported, `timing` what is changed
    of TIMING, `ecs` False makes the target one that only the pipeline can change, `codedeploy` one of CodeDeploy;
    `strategy` is ECS's, with a pause. `kinds`: of the targets that it can be played with."""

    name: str
    about: str
    ends: str
    play: Callable[[Driver], None]
    timing: dict[str, int] = field(default_factory=dict)
    approval: bool = False
    ecs: bool = True
    codedeploy: bool = False
    strategy: str = ""
    kinds: tuple[str, ...] = ("ecs", "codedeploy", "none")

    def targets(self) -> str:
        """The scenario's own targets.yaml: one target, dev."""
        timing = ", ".join(f"{k}: {v}" for k, v in {**TIMING, **self.timing}.items())
        service = "    ecs: {cluster: checkout, service: checkout-api}\n" if self.ecs else ""
        service += f"    strategy: {self.strategy}\n    pause_at: [{PAUSE}]\n" if self.strategy else ""
        service = "    codedeploy: {application: batch, group: live}\n" if self.codedeploy else service
        policy = (
            f"    policy: {{approvers: [U0LEE0001, U0KIM0001], deploy_approval: {str(self.approval).lower()}, "
            "rollback_approval: false}\n"
        )
        return f"targets:\n  dev:\n{service}{policy}    timing: {{{timing}}}\n"

    def target(self, given: Mapping[str, Target]) -> str:
        """Which of these targets it is played with: the default one if that fits, else the first that does.

        Raises NoTarget.
        """
        fitting = [name for name, one in given.items() if one.kind in self.kinds]
        if not fitting:
            wanted = " or ".join(_KINDS[kind] for kind in self.kinds)
            found = ", ".join(f"{name} ({_KINDS[one.kind]})" for name, one in given.items())
            raise NoTarget(f"The scenario {self.name} needs a target with {wanted}; there are {found}.")
        default = default_target(given)
        return default if default in fitting else fitting[0]

    def fitted(self, given: Mapping[str, Target]) -> dict[str, Target]:
        """These targets, with the one that it is played with as it needs it: with short timing and no freeze, with or
        without an approval, and enough approvers. Raises NoTarget."""
        name = self.target(given)
        one = given[name]
        policy = people.enough(one.policy)
        made = replace(
            one,
            policy=replace(policy, deploy_approval=self.approval, rollback_approval=False),
            timing=Timing(**{**TIMING, **self.timing}),
            strategy=self.strategy,
            pause_at=(PAUSE,) if self.strategy else (),
            freeze=(),
        )
        return {**given, name: made}

    def driver(self, session: Session, **more: Any) -> Driver:
        """Whoever plays it in a session of the fitted targets."""
        name = self.target(session.targets)
        target = session.targets[name]
        cast = people.cast(session.slack.space, target)
        return Driver(session, target=name, cast=cast, quorum=target.policy.quorum, **more)


_KINDS = {"ecs": "ecs", "codedeploy": "codedeploy", "none": "neither ecs nor codedeploy"}
