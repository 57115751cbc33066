"""The run registry: creates runs with rising ids and numbers, attempts, and look-alikes of other people's."""

from __future__ import annotations

import itertools

from fakes.github.listening import Event, Workflow
from fakes.github.model import Job, Run
from fakes.github.repository import Repository
from fakes.github.script import Script
from fakes.github.workflow import WORK_STEPS, job_name, run_title

FIRST_RUN_ID = 17_210_000_000
FIRST_JOB_ID = 48_820_000_000


class Runs:
    """All runs of all repositories, oldest first. The caller holds the fake's lock."""

    def __init__(self) -> None:
        self.all: list[Run] = []
        self._ids = itertools.count(FIRST_RUN_ID, 7)
        self._job_ids = itertools.count(FIRST_JOB_ID, 3)
        self._numbers = itertools.count(1)

    def find(self, repository: str, run_id: int) -> Run | None:
        """The run with this id in this repository."""
        return next((run for run in self.all if run.id == run_id and run.repository == repository), None)

    def dispatched(self, repository: Repository, workflow: Workflow, event: Event, script: Script, now: float) -> Run:
        """A run that an event started: on the default branch's head, whatever commit the payload names."""
        told = (event.payload.get("deployment_id"), event.payload.get("stage")) if workflow.named else ("", "")
        run = self._new(repository, run_title(*told, event.type), "repository_dispatch", now, event.actor)
        run.event_type, run.payload, run.script = event.type, dict(event.payload), script
        run.path, run.workflow, run.calls = workflow.path, workflow.name, workflow.calls
        self.new_attempt(run, now)
        return run

    def foreign(
        self,
        repository: Repository,
        title: str,
        event: str,
        now: float,
        *,
        status: str = "completed",
        conclusion: str | None = "success",
        ours: bool = True,
    ) -> Run:
        """Somebody else's run, put there as it stands; nothing moves it."""
        run = self._new(repository, title, event, now, "kim")
        run.status = status
        if not ours:
            run.path, run.workflow = ".github/workflows/nightly.yml", "Nightly checks"
        run.conclusion = conclusion if status == "completed" else None
        return run

    def new_attempt(self, run: Run, now: float) -> None:
        """Queue the jobs of the run's present attempt; those of other stages are skipped by their `if`."""
        run.status, run.conclusion, run.started, run.updated = "queued", None, now, now
        run.claim_status = run.finish_status = None
        if run.script is not None:
            run.status = run.script.waits_as
        if run.script is not None and run.script.outcome == "startup_failure":
            return
        mine = job_name(run.stage)
        for name in WORK_STEPS:
            job = Job(next(self._job_ids), name, run.attempt, now)
            if name == mine:
                job.status = run.status
            else:
                job.status, job.conclusion, job.started, job.completed = "completed", "skipped", now, now
            run.jobs.append(job)

    def _new(self, repository: Repository, title: str, event: str, now: float, actor: str) -> Run:
        run = Run(
            id=next(self._ids),
            number=next(self._numbers),
            repository=repository.full_name,
            title=title,
            event=event,
            head_sha=repository.head().sha,
            head_branch=repository.default_branch,
            created=now,
            updated=now,
            started=now,
            actor=actor,
        )
        self.all.append(run)
        return run
