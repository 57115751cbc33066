"""What every platform says of a rollout, in one form."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from enum import StrEnum
from typing import Any

from chatops.domain.reason import Reason
from chatops.domain.results import PauseResult, RolloutResult
from chatops.values import dataclass

ROLLBACK, CONTINUE = "ROLLBACK", "CONTINUE"


@dataclass(frozen=True)
class Pause:
    """A stop at which the service waits for a word: ECS at a PAUSE hook, CodeDeploy before it moves the traffic.

    `id`: the hook's; `of`: the ARN of ECS's service deployment, or the id of CodeDeploy's deployment. `expires_at`:
    epoch seconds at which the service goes on by itself (0: unknown), in the way that `on_timeout` says, CONTINUE or
    ROLLBACK.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
    """

    id: str
    of: str
    expires_at: float = 0.0
    on_timeout: str = ROLLBACK

    @property
    def mark(self) -> str:
        """What names this pause and no other, in rows and buttons: twelve hexadecimal digits."""
        return hashlib.sha256(f"{self.of} {self.id}".encode()).hexdigest()[:12]

    def result(self) -> PauseResult:
        """As the state machine carries it, before anybody has decided."""
        return PauseResult(self.id, self.of, self.expires_at, self.on_timeout, self.mark)


class RolloutState(StrEnum):
    """What a rollout can be for the one who began it."""

    MOVING = "moving"
    PAUSED = "paused"
    HEALTHY = "healthy"
    FAILED = "failed"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class Rollout:
    """The rollout as it is now. `restoring`: the service itself is putting, or has put, the release before back;
    `restored_by`: by this deployment, where it needs one.

    `traffic`: percent of the production traffic that goes to it, None where nobody says. `baking`: seconds that its
    configuration makes it take on purpose. `lapsed`: nobody continued its pause in time, and so it is taken back.
    `why`: why it failed, where that is not what the service says.
    """

    state: RolloutState
    status: str
    restoring: bool = False
    running: int = 0
    desired: int = 0
    pending: int = 0
    task_definition: str = ""
    reason: str = ""
    lifecycle_stage: str = ""
    events: tuple[str, ...] = ()
    strategy: str = ""
    traffic: float | None = None
    pause: Pause | None = None
    baking: int = 0
    lapsed: bool = False
    restored_by: str = ""
    why: Reason | None = None

    def result(self) -> RolloutResult:
        """As the state machine carries it; without `why`, which the step adds when the rollout is over."""
        shown: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "why"}
        pause = self.pause.result() if self.pause else None
        return RolloutResult(**{**shown, "state": str(self.state), "pause": pause})
