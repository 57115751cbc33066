"""A platform that the product does not know, with a memory of its own. A release is an image; the service runs one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from chatops.domain.deployment import Deployment
from chatops.domain.release import Release
from chatops.domain.results import Restore, RolloutResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms.platform import Platform, Texts
from chatops.platforms.rollout import Pause, Rollout, RolloutState

MOVING = Rollout(RolloutState.MOVING, "SHIFTING", desired=4)
HEALTHY = replace(MOVING, state=RolloutState.HEALTHY, running=4)


class MadeUp:
    """`says`: how the rollout of what a deployment brought stands. `runs`: the image that is live. `error` is raised by
    every question. Steps are handed the object itself, as what gives a target its platform."""

    kind: ClassVar[str] = "made-up"
    pipeline_only: ClassVar[bool] = False
    client: ClassVar[str] = ""
    lists_lag: ClassVar[bool] = False
    texts: ClassVar[Texts] = Texts("why_no_output", "line_restoring", "status_drift")

    def __init__(self, says: Rollout = MOVING, runs: str = "", error: Exception | None = None) -> None:
        self.says, self.runs, self.error = says, runs, error
        self.calls: list[str] = []

    def __call__(self, target: Target) -> Platform:
        return self

    def _asked(self, call: str) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error

    def live(self, ledger: Sequence[Release]) -> Release | None:
        self._asked("live")
        known = next((release for release in ledger if release.image == self.runs), None)
        return known or (Release(version=self.runs, image=self.runs) if self.runs else None)

    def usable(self, release: Release) -> bool:
        return bool(release.image)

    def architecture(self, release: Release) -> str:
        return ""

    def drifted(self, recorded: Release, running: Release) -> bool:
        return recorded.image != running.image

    def status(self) -> RolloutResult:
        return RolloutResult(status=self.says.status, running=self.says.running, desired=self.says.desired)

    def names(self) -> Mapping[str, str]:
        return {"function": "shop"}

    def reported(self, deployment: Deployment) -> Outputs:
        return deployment.deploy.outputs or Outputs()

    def begun(self, since: float) -> Outputs:
        return Outputs(image=self.runs)

    def rollout(self, deployment: Deployment, outputs: Outputs) -> Rollout | None:
        self._asked("rollout")
        return self.says if outputs else None

    def restore(self, deployment: Deployment) -> Restore:
        self._asked("restore")
        back = deployment.plan.previous
        assert back is not None
        self.runs, self.says = back.image, MOVING
        return Restore("shifted")

    def restored(self, deployment: Deployment) -> Rollout:
        self._asked("restored")
        return self.says

    def restores_again(self, deployment: Deployment, found: Rollout) -> bool:
        return False

    def proceed(self, pause: Pause) -> bool:
        self._asked("proceed")
        self.says = MOVING
        return True

    @staticmethod
    def counts(desired: int | None) -> str:
        return "field_instances"

    @staticmethod
    def by_hand(previous: Release, names: Mapping[str, str]) -> None:
        return None
