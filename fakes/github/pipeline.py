"""What one run does, step by step, in a thread of its own: claim, work, finish, conclude."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Protocol

from fakes.clock import Clock
from fakes.github.callback import Bot
from fakes.github.model import Job, Run, Step
from fakes.github.script import NEVER_STARTED, Script
from fakes.github.workflow import BUILD, CLAIM, FINISH, USUAL_FAILURE, WORK_STEPS, job_name, step_names

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
#: Outcomes that strike in the middle of the work; any other odd conclusion comes after all steps went well.
STRIKES = frozenset({"failure", "cancelled", "timed_out"})


class Deployer(Protocol):
    """What a target's pipeline changes: a service, a deployment group, machines."""

    def carry_out(self, step: str, stage: Mapping[str, str]) -> Mapping[str, str]:
        """Do what the step of this name does, and return the outputs that it adds. `stage`: the event's payload and
        `image` and the outputs so far, all of them texts."""


class CancelledError(Exception):
    """Somebody cancelled the run."""


class ClosedError(Exception):
    """The fake is being shut down."""


class StepFailedError(Exception):
    """A step ended the work with this conclusion."""

    def __init__(self, step: str, conclusion: str) -> None:
        super().__init__(step)
        self.step = step
        self.conclusion = conclusion


def image_of(repository: str, sha: str) -> str:
    """The image a build of a commit pushes: always the same digest for the same commit."""
    digest = hashlib.sha256(sha.encode()).hexdigest()
    return f"{REGISTRY}/{repository.rpartition('/')[2]}@sha256:{digest}"


class Pipeline:
    """Carries out one attempt of one run. Everything that others can see changes under `lock`."""

    def __init__(
        self,
        run: Run,
        script: Script,
        clock: Clock,
        lock: threading.RLock,
        closing: threading.Event,
        bot: Bot,
        deployer: Deployer | None,
    ) -> None:
        self._run, self._script, self._clock, self._lock = run, script, clock, lock
        self._closing, self._bot, self._deployer = closing, bot, deployer
        self._job = next((job for job in run.attempt_jobs() if job.conclusion != "skipped"), None)
        self._steps: dict[str, Step] = {}
        """By the names that they begin with: a test may give them others."""
        self._claimed = False
        self._outputs: dict[str, str] = {}
        self._blamed = ""
        self._again = False

    def carry_out(self) -> None:
        """Run the attempt to its end; returns early, without a conclusion, when the fake closes."""
        try:
            self._conclude(self._attempt())
        except ClosedError:
            return

    def _attempt(self) -> str:
        script = self._script
        if script.outcome in NEVER_STARTED and not script.does_claim:
            return script.outcome
        try:
            self._pause(script.queued_seconds)
        except CancelledError:
            return "cancelled"
        self._begin()
        conclusion = self._work()
        if not self._finish(conclusion):
            return "failure" if conclusion == "success" else conclusion
        return conclusion

    def _work(self) -> str:
        """Every step up to the last; returns what the run comes to so far."""
        script, stage = self._script, job_name(self._run.stage)
        names = WORK_STEPS[stage]
        strike = script.failed_step or USUAL_FAILURE[stage]
        try:
            if script.does_claim:
                self._step(CLAIM, 0, strike)
            for name in names:
                self._step(name, script.seconds / len(names), strike)
        except StepFailedError as failed:
            self._blamed = failed.step
            return failed.conclusion
        except CancelledError:
            try:
                self._hold(script.cancel_seconds)
            finally:
                self._end_step("cancelled")
            return "cancelled"
        # What strikes in the last step is that step's to say: until then the work has gone well.
        return "success" if strike == FINISH and script.outcome in STRIKES else script.outcome

    def _step(self, name: str, seconds: float, strike: str) -> None:
        self._begin_step(name)
        self._pause(seconds)
        if name == strike and self._script.outcome in STRIKES:
            self._end_step("failure" if self._script.outcome == "failure" else "cancelled")
            raise StepFailedError(name, self._script.outcome)
        if not self._effect(name):
            self._end_step("failure")
            raise StepFailedError(name, "failure")
        self._end_step("success")

    def _effect(self, name: str) -> bool:
        """What a step changes outside; False when it failed."""
        run, payload = self._run, self._run.payload
        image = str(payload.get("image") or image_of(run.repository, str(payload.get("sha") or run.head_sha)))
        if name == CLAIM:
            return self._claim()
        if name == BUILD:
            if not self._claimed_again():
                return False
            self._outputs["image"] = image
        if self._deployer is None:
            return True
        stage = {key: str(value) for key, value in payload.items() if value is not None}
        empty = dict.fromkeys(("deployment_id", "version", "sha", "strategy", "task_definition"), "")
        try:
            self._outputs |= self._deployer.carry_out(name, {**empty, **stage, "image": image, **self._outputs})
        except Exception:  # noqa: BLE001 - whatever AWS refuses is a red step here, not a dead thread
            return False
        return True

    def _claim(self) -> bool:
        run = self._run
        if not self._bot.url or "claim_url" in run.payload:
            return False
        run.claim_status, _ = self._bot.post("claim", {"ticket": run.payload.get("ticket", "")}, self._hold)
        self._claimed = run.claim_status == 200
        return self._claimed

    def _claimed_again(self) -> bool:
        """A build is two jobs with an environment, before and after the tests, and each claims first."""
        if self._script.does_claim and not self._again:
            self._again = True
            return self._claim()
        return True

    def _finish(self, conclusion: str) -> bool:
        """The last step, `if: always()`; only a claimed stage has something to tell."""
        run, script = self._run, self._script
        if not self._claimed or run.forced.is_set() or not script.does_finish(conclusion):
            return True
        if job_name(run.stage) == "build" and not self._claimed_again():
            return True
        self._begin_step(FINISH)
        if script.failed_step == FINISH and script.outcome in STRIKES:
            self._end_step("failure")
            return False
        outputs = self._outputs | dict(script.outputs)
        if self._blamed:
            job = self._job.name if self._job else job_name(run.stage)
            outputs |= {"failed_job": script.failed_job or job, "failed_step": self._blamed}
        outcome = script.reports or (conclusion if conclusion in ("failure", "cancelled") else "success")
        body = {"ticket": run.payload.get("ticket", ""), "outcome": outcome, "outputs": outputs}
        run.finish_status, _ = self._bot.post("finish", body, self._hold)
        self._end_step("success" if run.finish_status == 200 else "failure")
        return run.finish_status == 200

    def _pause(self, seconds: float) -> None:
        """Let simulated seconds pass; a cancel or the end of the fake cuts them short."""
        if seconds > 0:
            self._clock.wait(self._run.wake, seconds)
        if self._closing.is_set():
            raise ClosedError
        if self._run.forced.is_set() or (self._run.cancel_requested and not self._script.ignores_cancel):
            raise CancelledError

    def _hold(self, seconds: float) -> None:
        """Like a pause, but only a forced cancel cuts it short."""
        self._clock.wait(self._run.forced, seconds)
        if self._closing.is_set():
            raise ClosedError

    def _begin(self) -> None:
        now = self._clock.now()
        with self._lock:
            self._run.status, self._run.updated = "in_progress", now
            if self._job is not None:
                self._job.status, self._job.started = "in_progress", now
                names = step_names(self._run.stage, with_bot=self._script.does_claim)
                self._steps = {name: Step(name, number) for number, name in enumerate(names, 1)}
                self._job.steps = list(self._steps.values())
                first = self._job.steps[0]
                first.status, first.conclusion, first.started, first.completed = ("completed", "success", now, now)

    def _begin_step(self, name: str) -> None:
        now = self._clock.now()
        with self._lock:
            self._run.updated = now
            if step := self._steps.get(name):
                step.status, step.started = "in_progress", now

    def _end_step(self, conclusion: str) -> None:
        now = self._clock.now()
        with self._lock:
            self._run.updated = now
            for step in self._job.steps if self._job else ():
                if step.status == "in_progress":
                    step.status, step.conclusion, step.completed = "completed", conclusion, now

    def _conclude(self, conclusion: str) -> None:
        now = self._clock.now()
        with self._lock:
            if self._job is not None:
                _close_job(self._job, conclusion, now)
            self._run.status, self._run.conclusion, self._run.updated = "completed", conclusion, now


def _close_job(job: Job, conclusion: str, now: float) -> None:
    """A job knows fewer conclusions than a run: what has none of its own reads as cancelled."""
    job.status, job.completed = "completed", now
    job.conclusion = "cancelled" if conclusion in ("stale", "startup_failure") else conclusion
    for step in job.steps:
        if step.status != "completed":
            last = step.name == "Complete job"
            step.status, step.conclusion = "completed", "success" if last else "skipped"
            step.started = step.completed = now
