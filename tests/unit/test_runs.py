"""A workflow run: what is read of GitHub's reply, whose attempt counts, and how our own run is found among others."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.github import runs
from chatops.github.client import Reply
from chatops.github.runs import Run, RunState

NOW = 1_760_000_000.0  # 2025-10-09T08:53:20Z
NAME = "d-ours build"


def body(run_id: int = 9, **more: Any) -> dict[str, Any]:
    url = f"https://github.com/acme/checkout-api/actions/runs/{run_id}"
    known = {"id": run_id, "run_number": 7, "html_url": url, "status": "queued", "conclusion": None, "run_attempt": 1}
    return {**known, "display_title": NAME, **more}


class GitHub:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {f"/actions/{path}": answer for path, answer in answers.items()}
        self.asked: list[tuple[Any, ...]] = []
        self.listed: list[dict[str, Any]] = []

    def request(self, method: str, path: str, *, params: Any = None, json: Any = None, etag: str = "") -> Reply:
        more = [given for given in (params, json) if given is not None]
        self.asked.append((method, path, *more, etag))
        return self.answers[path]  # type: ignore[no-any-return]

    def get(self, path: str, **params: Any) -> Any:
        self.asked.append(("GET", path, params))
        return self.answers[path]

    def pages(self, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
        self.asked.append(("PAGES", path, key, params))
        return self.listed

    def find_post(self, path: str) -> None:
        self.asked.append(("POST", path))


# -- reading ---------------------------------------------------------------------------------------------------


def test_a_run_is_read_with_its_number_page_state_and_attempt() -> None:
    url = "https://github.com/acme/checkout-api/actions/runs/9"
    assert runs.read(body(), '"etag"') == Run(9, 7, url, RunState.QUEUED, "", 1, '"etag"')
    assert Run(9, 7, url, RunState.QUEUED, "", 1).etag == ""
    assert runs.read(body(status="completed", conclusion="success")).state is RunState.SUCCEEDED
    ended = body(status="completed", conclusion="timed_out", run_attempt=3)
    assert runs.read(ended) == Run(9, 7, url, RunState.FAILED, "timed_out", 3, "")


def test_a_reply_that_names_no_attempt_is_of_the_first() -> None:
    old = body()
    del old["run_attempt"], old["conclusion"]
    assert (runs.read(old).attempt, runs.read(old).conclusion) == (1, "")


@pytest.mark.parametrize("state", RunState)
def test_a_run_has_completed_when_it_neither_waits_nor_runs(state: RunState) -> None:
    completed = Run(1, 1, "", state, "", 1).completed
    assert completed is (state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED))


def test_states_travel_as_plain_words() -> None:
    """The state machine's choices and the messages compare them."""
    assert {state.name: str(state) for state in RunState} == {
        "QUEUED": "queued",
        "IN_REVIEW": "in_review",
        "PENDING": "pending",
        "RUNNING": "running",
        "SUCCEEDED": "succeeded",
        "FAILED": "failed",
        "CANCELLED": "cancelled",
    }


def test_a_failed_step_is_shown_before_a_running_one_and_only_of_a_job_that_failed_itself() -> None:
    def step(name: str, status: str, conclusion: str | None) -> dict[str, Any]:
        return {"name": name, "status": status, "conclusion": conclusion}

    running = {**step("build", "in_progress", None), "steps": [step("A", "completed", "failure")]}
    failed = {
        **step("lint", "completed", "failure"),
        "steps": [step(name, "completed", "success" if name == "B" else "failure") for name in "BCD"],
    }
    assert runs.job_and_step(iter([running])) == ("build", ""), "its failed step was allowed to fail"
    assert runs.job_and_step(iter([running, failed])) == ("lint", "C")
    assert runs.job_and_step([{**failed, "steps": None}]) == ("lint", "")
    long = step("j" * 99 + "12", "completed", "failure") | {"steps": [step("s" * 99 + "12", "completed", "failure")]}
    assert runs.job_and_step([long]) == ("j" * 99 + "1", "s" * 99 + "1"), "a hundred characters of each"


# -- whose attempt counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, body(), '"new"', ""),
        Reply(200, body(run_attempt=None), '"new"', ""),
        Reply(304, None, '"old"', ""),  # it has not changed
    ],
    ids=["the first", "none is named", "unchanged"],
)
def test_a_first_attempt_is_the_run_itself(reply: Reply) -> None:
    github = GitHub(**{"runs/9": reply})
    assert runs.get(github, 9, '"old"') is reply  # type: ignore[arg-type]
    assert github.asked == [("GET", "/actions/runs/9", '"old"')]


def test_of_a_run_that_was_run_again_the_first_attempt_is_told_with_the_runs_own_etag() -> None:
    """What somebody runs again afterwards says nothing about what the stage did."""
    first = body(status="completed", conclusion="failure")
    again = Reply(200, body(run_attempt=2, status="in_progress"), '"new"', "")
    github = GitHub(**{"runs/9": again, "runs/9/attempts/1": first})
    assert runs.get(github, 9) == Reply(200, first, '"new"', "")  # type: ignore[arg-type]
    assert github.asked == [("GET", "/actions/runs/9", ""), ("GET", "/actions/runs/9/attempts/1", {})]


def test_the_jobs_are_those_of_the_first_attempt_in_one_page() -> None:
    path = "runs/9/attempts/1/jobs"
    github = GitHub(**{path: Reply(200, {"jobs": ({"name": "build"},)}, '"new"', "")})
    assert runs.jobs(github, 9) == ([{"name": "build"}], '"new"')  # type: ignore[arg-type]
    assert github.asked == [("GET", f"/actions/{path}", {"per_page": 100}, "")]
    unchanged = GitHub(**{path: Reply(304, None, "", "")})
    assert runs.jobs(unchanged, 9, '"old"') == (None, '"old"'), "its etag is kept"  # type: ignore[arg-type]
    assert unchanged.asked[0][-1] == '"old"'


def test_a_run_is_under_way_while_one_of_its_jobs_is_at_work() -> None:
    assert runs.at_work([{"status": "completed"}, {"status": "in_progress"}])
    assert not runs.at_work([{"status": status} for status in ("completed", "queued", "waiting", "pending")])
    assert not runs.at_work([])


# -- which run is ours -----------------------------------------------------------------------------------------


def test_our_run_is_looked_for_among_dispatched_ones_of_two_minutes_before_and_later() -> None:
    """So much may GitHub's clock differ from ours; a whole second, as GitHub's search has it."""
    github = GitHub()
    assert runs.named(github, NAME, NOW + 0.9) is None  # type: ignore[arg-type]
    wanted = {"event": "repository_dispatch", "created": ">=2025-10-09T08:51:20Z"}
    assert github.asked == [("PAGES", "/actions/runs", "workflow_runs", wanted)]


def test_of_several_of_our_name_the_lowest_id_counts_and_a_look_alike_never() -> None:
    github = GitHub()
    github.listed = [body(3, display_title=f"{NAME} "), body(5), body(4), body(6)]
    found = runs.named(github, NAME, NOW)  # type: ignore[arg-type]
    assert found == runs.read(body(4))


def test_a_run_of_our_name_that_was_run_again_counts_by_its_first_attempt() -> None:
    again, first = body(run_attempt=2, status="in_progress"), body(status="completed", conclusion="success")
    github = GitHub(**{"runs/9": Reply(200, again, "", ""), "runs/9/attempts/1": first})
    github.listed = [again]
    found = runs.named(github, NAME, NOW)  # type: ignore[arg-type]
    assert found == runs.read(first)


# -- gone, cancelled, asked for --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repository", "gone"),
    [
        ({"full_name": "acme/checkout-api"}, True),
        (None, False),
        (GitHubUnavailable("503"), False),
        (GitHubRateLimited(60), False),
        (GitHubRefused(401, "acme/checkout-api", "Bad credentials"), False),
    ],
)
def test_a_run_is_taken_for_deleted_only_where_the_repository_itself_can_be_seen(repository: Any, gone: bool) -> None:
    github = Mock(**{"find.side_effect": [repository]})
    assert runs.deleted(github) is gone
    github.find.assert_called_once_with("")


def test_a_cancel_and_a_dispatch_are_what_github_describes() -> None:
    github = GitHub()
    github.answers["/dispatches"] = Reply(204, None, "", "")
    runs.cancel(github, 9)  # type: ignore[arg-type]
    runs.dispatch(github, "dev_deploy", {"stage": "build"})  # type: ignore[arg-type]
    assert github.asked == [
        ("POST", "/actions/runs/9/cancel"),
        ("POST", "/dispatches", {"event_type": "dev_deploy", "client_payload": {"stage": "build"}}, ""),
    ]


def test_the_runs_name_is_the_deployment_and_the_stage() -> None:
    assert runs.run_name("d-ours", "build") == NAME
