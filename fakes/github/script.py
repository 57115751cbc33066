"""Scenario scripts: what the pipeline does with a stage, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Runs with these conclusions never got as far as a first step on GitHub, so by default they claim nothing.
NEVER_STARTED = frozenset({"startup_failure", "action_required", "skipped", "stale"})
#: After these endings `if: always()` still runs the last step.
RUNS_LAST_STEP = frozenset({"success", "failure", "cancelled"})


@dataclass(frozen=True)
class Script:
    """How one stage goes. Durations are simulated seconds; 0 is at once.

    outcome: GitHub's conclusion of the run.
    never_appears: the event is accepted (204) and no run ever shows.
    appear_seconds: from the 204 to the run's appearance in the lists.
    queued_seconds: how long the run waits for a runner, or for what `waits_as` says.
    waits_as: GitHub's status until then: queued (a runner), waiting (the reviewers of its environment), pending
        (another run of its concurrency group).
    seconds: the work between claim and finish, spread evenly over the stage's steps.
    claims / finishes: whether the first / last step calls the bot; None means "as GitHub would".
    failed_step: where an outcome other than success strikes; the default depends on the stage.
    reports: what the last step says instead of the real outcome (a pipeline that lies).
    outputs: merged over what the stage would report.
    ignores_cancel: GitHub answers 202 to a cancel and the run goes on regardless.
    cancel_seconds: how long the run still needs after a cancel.
    """

    outcome: str = "success"
    never_appears: bool = False
    appear_seconds: float = 1
    queued_seconds: float = 0
    waits_as: str = "queued"
    seconds: float = 3
    claims: bool | None = None
    finishes: bool | None = None
    failed_job: str | None = None
    failed_step: str | None = None
    reports: str | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    ignores_cancel: bool = False
    cancel_seconds: float = 0

    @property
    def does_claim(self) -> bool:
        """Whether the first step asks the bot for permission."""
        return self.outcome not in NEVER_STARTED if self.claims is None else self.claims

    def does_finish(self, conclusion: str) -> bool:
        """Whether the last step reports, given what the run comes to."""
        return conclusion in RUNS_LAST_STEP if self.finishes is None else self.finishes


def default_scripts() -> dict[str, Script | list[Script]]:
    """A pipeline in which everything works: a run appears after 1 s, builds for 6 s, deploys in 3 s."""
    return {"build": Script(seconds=6), "deploy": Script(seconds=3), "rollback": Script(seconds=3)}
