"""A target: where something is deployed to, by whom, and how long each part may take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.freeze import Window

PIPELINE_FILE = ".github/workflows/dev_deploy.yml"
"""Where the pipeline's workflow stands in its repository. It listens to `dev_deploy` itself."""

LOOKS = 150
"""Looks at one wait at its widest pace, however long it may last.

Step Functions ends an execution at its 25,000th history event, and a look costs up to 20 of them; none of the usual
durations needs as many. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""


_MINUTE = 60

LONGEST = 21 * 3600
"""Seconds that a deployment may last: the state machine's limit is 24 hours, and up to 3 go by while services fail."""


@dataclass(frozen=True)
class Timing:
    """Durations in whole seconds, at least 1 (Step Functions' timeouts know no fractions)."""

    approval: int = 3600
    reminder: int = 900
    appear: int = 180
    build: int = 3600
    deploy: int = 1800
    rollout: int = 900
    promotion: int = 3600
    restore: int = 900
    cancel: int = 300
    take: int = 120
    take_poll: int = 5
    poll_min: int = 3
    poll_max: int = 300
    rollout_poll: int = 20
    progress: int = 10

    def widest(self, limit: float) -> float:
        """The longest pause between two looks at something that may last `limit` seconds."""
        return max(self.poll_max, limit / LOOKS)

    def widest_rollout(self, limit: float) -> float:
        """The same for a rollout, or a release that is put back."""
        return max(_MINUTE, limit / LOOKS)

    def longest(self, pauses: int) -> int:
        """Seconds that a deployment lasts at most, with so many pauses of its rollout, where every wait is used up."""
        runs = 3 * self.appear + self.build + 2 * self.deploy
        return runs + self.approval + self.rollout + pauses * self.promotion + self.cancel + self.restore

    def paced(self) -> Timing:
        """With pauses that hold no more than LOOKS looks, where the definition itself waits them out."""

        def pause(seconds: int, limit: int) -> int:
            return max(seconds, math.ceil(limit / LOOKS))

        return replace(
            self,
            take_poll=pause(self.take_poll, self.take),
            reminder=pause(self.reminder, self.approval),
        )


@dataclass(frozen=True)
class Policy:
    """Who may ask for what, and who decides. Ids are Slack's: users `U…`/`W…`, user groups `S…`. `branches`: patterns
    of the branches that may be deployed by name; none where it is empty. `after`: the target in which a commit has to
    be verified healthy first; empty: none."""

    approvers: tuple[str, ...] = ()
    approver_groups: tuple[str, ...] = ()
    quorum: int = 1
    own_approval: bool = False
    deploy_approval: bool = False
    rollback_approval: bool = False
    requesters: tuple[str, ...] = ()
    requester_groups: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    after: str = ""


@dataclass(frozen=True)
class Target:
    """One place to deploy to. `kind` says who knows the truth about it: ecs, codedeploy, or none.

    `tags`: the pattern of the tags that are this target's own, such as `api@*`; empty for all of them. `task_role` and
    `execution_role` are names that only the stack's policies need (`make policies`). `workflow`: path of the workflow
    that listens to `event_type`, empty for the usual one (`workflow_file`); `pipeline`: owner/name of the only
    repository whose pipeline that workflow may call, empty where the workflow's own file decides.
    """

    name: str
    repository: str
    event_type: str
    cluster: str = ""
    service: str = ""
    task_role: str = ""
    execution_role: str = ""
    codedeploy_application: str = ""
    codedeploy_group: str = ""
    region: str = ""
    role_arn: str = ""
    claim: bool = True
    workflow: str = ""
    pipeline: str = ""
    strategy: str = ""
    pause_at: tuple[str, ...] = ()
    policy: Policy = Policy()
    timing: Timing = Timing()
    freeze: tuple[Window, ...] = ()
    tags: str = ""

    @property
    def kind(self) -> str:
        if self.service:
            return "ecs"
        return "codedeploy" if self.codedeploy_application else "none"

    @property
    def workflow_file(self) -> str:
        """The workflow that the target's events start: the pipeline's own for `dev_deploy`, else a caller, which
        `make caller` names after the target."""
        usual = PIPELINE_FILE if self.event_type == "dev_deploy" else f".github/workflows/{self.name}_deploy.yml"
        return self.workflow or usual

    def environment(self, stage: str) -> str:
        """The environment on GitHub in which the jobs of a stage run."""
        return f"{self.name}-build" if stage == "build" else self.name


def default_target(known: Mapping[str, Target]) -> str:
    """The target of a command that names none: the only one, or `dev`; empty when there is neither."""
    if len(known) == 1:
        return next(iter(known))
    return "dev" if "dev" in known else ""
