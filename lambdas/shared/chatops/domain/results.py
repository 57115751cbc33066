"""What the phases of a deployment have come to. Each is false (`bool(result)`) while its phase has not begun; an
approval is false as well where nobody has to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from chatops import clock
from chatops.domain.codec import Json
from chatops.domain.question import Question
from chatops.domain.reason import Cause, Reason
from chatops.domain.stage import Outputs
from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage (build, deploy, rollback) and its run on GitHub.

    `state`: undispatched, waiting, queued, in_review, pending, running, finishing; or, with `done`: succeeded, failed,
    cancelled, timed_out, never_appeared, refused. `claimed`: a run has exchanged the ticket. `unconfirmed`: nobody has
    seen the run end. `environment`, `reviewers`: where a run in review waits, and for whom, as GitHub says.
    `seconds`: since the dispatch. Epoch seconds are `updated_at` of the run and `pause_until`, the end of GitHub's rate
    limit. None: not known.
    """

    stage: str = ""
    state: str = ""
    done: bool = False
    claimed: bool = False
    unconfirmed: bool | None = None
    why: Cause | None = field(default=None, metadata={"none": {}})
    trouble: Reason | None = None
    outputs: Outputs | None = None
    run_id: int | None = None
    run_number: int | None = None
    run_url: str | None = None
    run_state: str | None = None
    conclusion: str | None = None
    etag: str | None = None
    jobs_etag: str | None = None
    updated_at: float | None = None
    job: str | None = None
    step: str | None = None
    log_url: str | None = None
    environment: str | None = None
    reviewers: str | None = None
    seconds: float | None = None
    pause_until: float | None = None
    shown: str | None = None
    changed: bool | None = None
    wake: int | None = None
    wait_seconds: int | None = None

    @property
    def held_until(self) -> str:
        """ISO time until which GitHub's rate limit keeps the deployment from going on or from seeing its run; else
        empty."""
        held = self.trouble is not None and self.trouble.key == "why_github_paused" and not self.done
        return str(self.trouble.values["until"]) if self.trouble and held else ""

    def __bool__(self) -> bool:
        return bool(self.stage or self.state)


@dataclass(frozen=True, slots=True)
class Restore:
    """How the platform puts the recorded release back. `how`: unchanged, update_service, stop_service_deployment,
    ecs_rollback, codedeploy, codedeploy_rollback, or waiting (for the deployment `behind`, since `at`). It is not put
    back (`left_alone`) where the deployment changed nothing (untouched), or somebody else's runs by now (overtaken)."""

    how: str = ""
    task_definition: str | None = None
    codedeploy_deployment_id: str | None = None
    at: float | None = None
    behind: str | None = None

    @property
    def left_alone(self) -> bool:
        """Nothing is put back."""
        return self.how in ("untouched", "overtaken")

    def __bool__(self) -> bool:
        return bool(self.how)


@dataclass(frozen=True, slots=True)
class PauseResult:
    """A pause of a rollout, and what was decided there. `deadline`: ISO time; `traffic`: percent; `seconds`: waited;
    `reason`: of a promotion during a freeze."""

    id: str | None = None
    of: str | None = None
    expires_at: float | None = None
    on_timeout: str | None = None
    mark: str | None = None
    stage: str = ""
    strategy: str = ""
    traffic: float | None = None
    eligible: tuple[str, ...] = ()
    deadline: str = ""
    decision: str = "pending"
    by: str = ""
    reason: str = ""
    seconds: float = 0.0

    def answered(self, question: Question, now: float) -> PauseResult:
        """With what was asked and decided there; `now`: epoch seconds."""
        return replace(
            self,
            stage=question.stage,
            strategy=question.strategy,
            traffic=question.traffic,
            eligible=question.eligible,
            deadline=clock.iso(question.deadline_at),
            decision=str(question.decision or "pending"),
            by=question.by,
            reason=question.reason,
            seconds=question.took(now),
        )


@dataclass(frozen=True, slots=True)
class RolloutResult:
    """A rollout, or the restore of a release (`restored`), as the service reports it.

    `state`: moving, paused, promoted, again; or, with `done`: healthy, failed, overtaken, expired, cancelled,
    timed_out. `restoring`: the service itself puts the release before back. `held`: seconds waited for people;
    `brought`: what was found to have begun where the pipeline reports nothing. Times are epoch seconds.
    """

    state: str = ""
    status: str = ""
    done: bool = False
    restoring: bool = False
    restored_by: str = ""
    running: int = 0
    desired: int | None = None
    pending: int = 0
    task_definition: str = ""
    reason: str = ""
    lifecycle_stage: str = ""
    events: tuple[str, ...] = ()
    strategy: str = ""
    traffic: float | None = None
    pause: PauseResult | None = field(default=None, metadata={"none": {}})
    last_pause: PauseResult | None = None
    baking: int = 0
    lapsed: bool = False
    began_at: float | None = None
    seen_at: float | None = None
    held: float | None = None
    why: Cause | None = field(default=None, metadata={"none": {}})
    brought: Outputs | None = None
    shown: str | None = None
    changed: bool | None = None
    wake: int | None = None
    wait_seconds: int | None = None

    def __bool__(self) -> bool:
        return bool(self.state)


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of letting a paused rollout go on. `continued`: this call did it; `refused`: why the platform doesn't
    allow it."""

    continued: bool = False
    refused: Reason | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What is true of a deployment after an error. `state`: see `steps.reconcile`. `began_at`, `seen_at`: epoch seconds
    of the first error and of this one."""

    state: str = ""
    began_at: float | None = None
    seen_at: float | None = None
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A rollback has its target; `superseded`: id of the deployment that gave way, empty where none did."""

    superseded: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether Slack took a message."""

    delivered: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the approval has come to. `decision`: pending, approved, rejected, expired, cancelled or not_needed.
    `votes`: when (epoch seconds) each approver said yes; `deadline`: ISO time; `seconds`: from the question on."""

    decision: str = ""
    by: str | None = None
    reason: str | None = None
    votes: Mapping[str, float] | None = None
    eligible: tuple[str, ...] | None = None
    quorum: int | None = None
    deadline: str | None = None
    seconds: float | None = None
    wake: int | None = None
    wait_seconds: int | None = None

    def __bool__(self) -> bool:
        return self.decision not in ("", "not_needed")


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of the deploy stage's run before anything is put back. `untouched`: it was never claimed."""

    done: bool = False
    untouched: bool = False
    unconfirmed: bool = False
    wake: int = 0
    wait_seconds: int = 1


@dataclass(frozen=True, slots=True)
class CaughtError:
    """An error as Step Functions passes it on: the exception's name, and a Cause that holds its text."""

    name: str = ""
    cause: str = ""

    def __bool__(self) -> bool:
        return bool(self.name)

    @classmethod
    def from_json(cls, found: object) -> CaughtError:
        """`{"Error", "Cause"}`, or no error."""
        given = found if isinstance(found, Mapping) else {}
        return cls(str(given["Error"] or "unknown"), str(given.get("Cause") or "")) if "Error" in given else cls()

    def as_json(self) -> Json:
        """The other way round."""
        return {"Error": self.name, "Cause": self.cause} if self else {}
