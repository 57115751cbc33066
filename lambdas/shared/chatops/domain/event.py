"""What the state machine passes to a step, decoded once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatops import clock
from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.results import Promotion
from chatops.domain.status import Status
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class StepEvent:
    """The deployment as it is so far, and what this call is about; what a state doesn't pass is empty.

    `mode`: which of its tasks the function carries out; `stage`: build, deploy or rollback; `token` and `wake`: of a
    wait that begins; `began_at`: epoch seconds at which the execution was started; `message`: what `notify` shows
    (announce, progress, outcome or report). `request`: the execution's input as somebody typed it, which
    `domain.request` checks; `status`: what was found for a report.
    """

    deployment: Deployment
    mode: str = ""
    stage: str = ""
    token: str = ""
    wake: int = 0
    message: str = ""
    request: object = None
    status: Status = Status()
    promotion: Promotion = Promotion()
    began_at: float = 0.0

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> StepEvent:
        """From the JSON of the event. Raises UnknownSchema for a plan of another version."""
        found = event.get("state")
        state: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        return cls(
            deployment=Deployment.of(event),
            mode=str(event.get("mode") or ""),
            stage=str(event.get("stage") or ""),
            token=str(event.get("token") or ""),
            wake=int(event.get("wake") or 0),
            message=str(event.get("event") or ""),
            request=event.get("request"),
            status=codec.read(Status, state.get("status")),
            promotion=codec.read(Promotion, state.get("promotion")),
            began_at=clock.seconds(str(event.get("entered_at") or "")),
        )
