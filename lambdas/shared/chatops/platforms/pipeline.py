"""Targets that only the workflow can change, such as hosts over SSH: what it reports is all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from chatops.domain.deployment import Deployment
from chatops.domain.errors import ServiceRefused
from chatops.domain.release import Release
from chatops.domain.results import Restore, StageResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms.platform import Texts
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.values import dataclass


@dataclass(frozen=True)
class Pipeline:
    """A stage's success includes its health check; there is nothing better to ask."""

    target: Target

    kind: ClassVar[str] = "none"
    pipeline_only: ClassVar[bool] = True
    client: ClassVar[str] = ""
    lists_lag: ClassVar[bool] = False
    texts: ClassVar[Texts] = Texts("why_no_output", "line_restoring", "status_drift")

    def live(self, ledger: Sequence[Release]) -> Release | None:
        """The ledger's newest release."""
        return ledger[0] if ledger else None

    def usable(self, release: Release) -> bool:
        """The rollback stage finds out."""
        return True

    def architecture(self, release: Release) -> str:
        """Nobody knows."""
        return ""

    def drifted(self, recorded: Release, running: Release) -> bool:
        """Nobody knows."""
        return False

    def status(self) -> None:
        """Nobody knows."""

    def names(self) -> Mapping[str, str]:
        """None."""
        return {}

    def reported(self, deployment: Deployment) -> Outputs:
        """As the stage reported them."""
        return deployment.deploy.outputs or Outputs()

    def begun(self, since: float) -> Outputs:
        """Nothing."""
        return Outputs()

    def rollout(self, deployment: Deployment, outputs: Outputs) -> Rollout:
        """The deploy stage's result."""
        return _of(deployment.deploy)

    def restore(self, deployment: Deployment) -> Restore:
        """Raises ServiceRefused: the state machine dispatches the rollback stage instead."""
        raise ServiceRefused("by_hand_none", before=deployment.plan.back)

    def restored(self, deployment: Deployment) -> Rollout:
        """The rollback stage's result."""
        return _of(deployment.rollback)

    def restores_again(self, deployment: Deployment, found: Rollout) -> bool:
        """Never."""
        return False

    def proceed(self, pause: Pause) -> bool:
        """A run does not pause."""
        return False

    @staticmethod
    def counts(desired: int | None) -> None:
        """Nothing is counted."""

    @staticmethod
    def by_hand(previous: Release, names: Mapping[str, str]) -> None:
        """None: the pipeline's rollback stage is run by hand."""


def _of(stage: StageResult) -> Rollout:
    if not stage.done:
        return Rollout(RolloutState.MOVING, "")
    return Rollout(RolloutState.HEALTHY if stage.state == "succeeded" else RolloutState.FAILED, "")
