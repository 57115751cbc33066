"""A stage's ticket and the run that has claimed it, as the table's row says."""

from __future__ import annotations

from chatops.domain.run_token import ExpectedRun
from chatops.values import dataclass

STAGES = ("build", "deploy", "rollback")


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a stage's run reported: what it made, or the job and step that failed. `tests`: `none` where a build
    has found none to run. `platform`: what its image runs on, such as `linux/arm64`."""

    image: str | None = None
    task_definition: str | None = None
    codedeploy_deployment_id: str | None = None
    failed_job: str | None = None
    failed_step: str | None = None
    tests: str | None = None
    platform: str | None = None

    def __bool__(self) -> bool:
        return self != Outputs()


@dataclass(frozen=True, slots=True)
class Stage:
    """`state`: ready, claimed, finished or revoked. `expected`: which run may claim; `origin_etag`: of
    GitHub's reply about the repository that it says. `outcome` and `outputs` are what
    the run has reported.

    Times are epoch seconds, 0 where it has not happened. `tried_at`: the event was about to be sent; `dispatched_at`:
    GitHub took it; `not_before`: end of GitHub's rate limit; `again_at`: earliest time to send it once more;
    `cancel_asked_at`, `cancel_tried_at`: first and last request to cancel the run; `stop_began_at`: a rollback began to
    wait for the run's end.
    """

    state: str = "ready"
    ticket: str = ""
    target: str = ""
    expected: ExpectedRun = ExpectedRun()
    origin_etag: str = ""
    created_at: float = 0.0
    valid_until: float = 0.0
    tried_at: float = 0.0
    dispatched_at: float = 0.0
    not_before: float = 0.0
    again_at: float = 0.0
    run_id: int | None = None
    claimed_at: float = 0.0
    finished_at: float = 0.0
    outcome: str = ""
    outputs: Outputs = Outputs()
    cancel_asked_at: float = 0.0
    cancel_tried_at: float = 0.0
    stop_began_at: float = 0.0

    @property
    def began_at(self) -> float:
        """When the run was asked for, else when the stage was prepared."""
        return self.dispatched_at or self.created_at

    @property
    def claimed(self) -> bool:
        """A run has exchanged the ticket."""
        return self.state in ("claimed", "finished")
