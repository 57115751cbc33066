"""What `/platform-status` and `history` answer about a target."""

from __future__ import annotations

from dataclasses import field

from chatops.domain.reason import Reason, Refused
from chatops.domain.record import PastDeployment, PastLock
from chatops.domain.results import RolloutResult
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """Which deployment has the target now, whose it is, and since when (ISO time)."""

    deployment_id: str = ""
    version: str = ""
    requester: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """The version that runs isn't the one that the ledger has recorded."""

    running: str = ""
    recorded: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """`refusal`: the question makes no sense, and nothing else is set. `error`: why the service can't be read. `since`:
    ISO time at which the live `version` was verified. `freeze`: the sentence that says why nothing is deployed now."""

    command: str | None = None
    target: str = ""
    kind: str | None = None
    holder: Held | None = field(default=None, metadata={"none": {}})
    last: tuple[PastDeployment, ...] = ()
    locks: tuple[PastLock, ...] = ()
    freeze: Reason | None = None
    version: str | None = None
    since: str | None = None
    image: str | None = None
    rollout: RolloutResult | None = None
    drift: Drift | None = None
    error: str | None = None
    refusal: Refused | None = None
