"""What one look asks GitHub about a run: as few requests as tell whether it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chatops.domain.errors import GitHubRefused, GitHubUnavailable
from chatops.domain.results import StageResult
from chatops.domain.stage import Stage
from chatops.domain.target import Target
from chatops.github import runs
from chatops.github.client import Reply
from chatops.steps import run_look
from chatops.steps.poll_timing import Observation

RUN, NOW = 9001, 1_760_000_000.0
WORKS = {"name": "Test", "status": "in_progress", "conclusion": None, "steps": []}
OVER, WAITS = {**WORKS, "status": "completed", "conclusion": "success"}, {**WORKS, "status": "waiting"}
KNOWN = StageResult(run_id=RUN, run_number=7, run_state="running", etag='"r1"', jobs_etag='"j1"', wait_seconds=120)


class Asked:
    """GitHub, whose jobs are these (None: as before, or an error), and whose run has that status ("": as before)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, jobs: Any, status: str = "") -> None:
        self.calls: list[tuple[str, str]] = []

        def listed(_: Any, run_id: int, etag: str = "") -> Any:
            assert run_id == RUN
            self.calls.append(("jobs", etag))
            if isinstance(jobs, Exception):
                raise jobs
            return jobs, '"j2"'

        def get(_: Any, run_id: int, etag: str = "") -> Reply:
            self.calls.append(("run", etag))
            body = {"id": run_id, "run_number": 7, "html_url": "https://x", "status": status, "conclusion": "success"}
            return Reply(200, body, '"r2"', "") if status else Reply(304, None, etag, "")

        monkeypatch.setattr(runs, "jobs", listed)
        monkeypatch.setattr(runs, "get", get)

    def look(self, before: StageResult = KNOWN, state: str = "claimed", cancelled_at: float = 0.0) -> StageResult:
        row = Stage(state=state, run_id=RUN, dispatched_at=NOW - 300)
        target = Target("dev", "acme/checkout-api", "dev_deploy")
        seen = Observation("d-1", "build", row, target, NOW, cancelled_at, before=before)
        return run_look.look(seen, None, RUN)  # type: ignore[arg-type]


def test_a_run_with_a_job_at_work_has_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, [OVER, WORKS])
    found = asked.look()
    assert asked.calls == [("jobs", '"j1"')]
    assert (found.run_state, found.job, found.jobs_etag, found.etag) == ("running", "Test", '"j2"', '"r1"')


@pytest.mark.parametrize(
    ("jobs", "status", "state"),
    [
        pytest.param([OVER, OVER], "completed", "succeeded", id="all jobs have ended"),
        pytest.param([OVER, WAITS], "waiting", "in_review", id="one waits for people"),
        pytest.param(None, "completed", "succeeded", id="the run ended with a job at work, which changes no more"),
    ],
)
def test_without_news_of_a_job_at_work_the_run_says_how_it_is(
    monkeypatch: pytest.MonkeyPatch, jobs: Any, status: str, state: str
) -> None:
    asked = Asked(monkeypatch, jobs, status)
    assert asked.look().run_state == state
    assert asked.calls == [("jobs", '"j1"'), ("run", '"r1"')]


def test_where_looks_are_close_together_jobs_that_have_not_changed_are_answer_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked(monkeypatch, None)
    assert asked.look(replace(KNOWN, wait_seconds=8)).run_state == "running"
    assert asked.calls == [("jobs", '"j1"')]


@pytest.mark.parametrize(
    "before", [StageResult(), StageResult(run_id=8), StageResult(run_id=RUN), StageResult(run_id=RUN, run_number=7)]
)
def test_a_run_that_nothing_is_known_of_is_asked_for_itself(
    monkeypatch: pytest.MonkeyPatch, before: StageResult
) -> None:
    asked = Asked(monkeypatch, [WORKS], "in_progress")
    assert asked.look(before).run_state == "running"
    assert asked.calls == [("run", "")]


def test_once_it_has_reported_or_nobody_wants_it_only_the_run_says_whether_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Asked(monkeypatch, [WORKS])
    asked.look(state="finished")
    asked.look(cancelled_at=NOW)
    assert asked.calls == [("run", '"r1"')] * 2


@pytest.mark.parametrize("error", [GitHubUnavailable("github_answered", status=502), GitHubRefused(404, "a/b", "no")])
def test_jobs_that_github_does_not_tell_are_no_reason_not_to_ask_for_the_run(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    asked = Asked(monkeypatch, error)
    found = asked.look()
    assert (found.run_state, found.run_number, found.jobs_etag) == ("running", 7, '"j1"')
    assert asked.calls == [("jobs", '"j1"'), ("run", '"r1"')]
