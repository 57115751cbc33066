"""What the table knows of a deployment, for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from chatops.domain.deployment import Deployment
from chatops.domain.question import Question
from chatops.domain.record import Cancel
from chatops.domain.stage import Stage
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """`deployment`: its plan, the results that were kept, and its outcome. `stages`: by name, without their tickets.
    `approval`: None where nobody was asked; `pauses`: the questions at each pause, the earliest first."""

    deployment: Deployment
    stages: Mapping[str, Stage] = field(default_factory=dict)
    approval: Question | None = None
    pauses: tuple[Question, ...] = ()
    cancel: Cancel | None = None
