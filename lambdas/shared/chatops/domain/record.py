"""What the table keeps of a deployment beside the results of its phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from chatops.domain.plan import Plan
from chatops.domain.reason import Cause
from chatops.values import dataclass

_CLOCKS_APART = 3600
"""Seconds, far more than the clocks of two AWS services ever differ by."""


class EventKind(StrEnum):
    """What EventBridge is told of a deployment: the event's detail-type. `domain.news` makes the event."""

    STARTED = "Deployment Started"
    DECIDED = "Deployment Decided"
    ENDED = "Deployment Ended"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Who ended the deployment, and how. `kind`: cancelled, rolled_back (at a pause), or superseded (by the rollback
    `superseded_by`); `via`: slack or operator; `at`: epoch seconds."""

    by: str = ""
    kind: str = "cancelled"
    superseded_by: str = ""
    via: str = ""
    at: float = 0.0

    @property
    def at_a_pause(self) -> bool:
        """True if it was the answer to a pause's question."""
        return self.kind == "rolled_back"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a deployment ended. `end`: Deployed, Restored, Rolled Back, …; `why`: the reason of what broke;
    `execution_status`: Step Functions' own, or GONE, where the execution ended from outside. `at`: ISO
    time; `seconds`: from the plan on; `place`: names of the service, for the commands that a person may type."""

    end: str = ""
    execution_status: str | None = None
    why: Cause | None = field(default=None, metadata={"none": {}})
    by: str = ""
    superseded: bool | None = None
    at: str | None = None
    seconds: float | None = None
    place: Mapping[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.end)


@dataclass(frozen=True, slots=True)
class Record:
    """What was planned and how it ended; `outcome` is false while it has not. `history`: sort key of its line in the
    target's history. `take_began_at`: epoch seconds at which a rollback began to wait for its target, else 0."""

    deployment_id: str = ""
    execution_arn: str = ""
    history: str = ""
    plan: Plan = Plan()
    outcome: Outcome = Outcome()
    take_began_at: float = 0.0

    def is_of(self, began_at: float) -> bool:
        """Whether this is the record of the execution that was started then (epoch seconds, 0: not known), not that of
        one which had the name before: Step Functions gives a name away again after 90 days.
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""
        return not began_at or self.plan.started_at > began_at - _CLOCKS_APART


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A deployment that has no outcome yet. `started_at`: ISO time."""

    deployment_id: str = ""
    execution_arn: str = ""
    target: str = ""
    started_at: str = ""


@dataclass(frozen=True, slots=True)
class PastLock:
    """A line of the history: who has `locked` or `unlocked` (`what`) the target, and when. `at`, `until`: ISO times;
    `until` is empty for an unlock, and for a lock without an end."""

    what: str = ""
    by: str = ""
    reason: str = ""
    until: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class PastDeployment:
    """A line of the history. `started_at`: ISO time; `end` is empty and `seconds` None while it goes on; `before`: the
    version that ran when it was planned."""

    deployment_id: str = ""
    version: str = ""
    before: str = ""
    requester: str = ""
    started_at: str = ""
    end: str = ""
    seconds: float | None = None
