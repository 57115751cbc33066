"""The client of GitHub's REST API, against the fake: what each answer becomes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from chatops import clock
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.github import replies, runs, versions
from chatops.github.client import GitHub, quoted
from fakes.clock import Clock
from fakes.github import Fault
from fakes.github import GitHub as StandIn
from fakes.github.model import Tag
from tests.unit.direct import Direct

BASE = "https://api.github.test"
NOW = 1_760_000_000.0


class Secrets:
    """The token as the secret has it now; a cache holds the one that was read before."""

    def __init__(self) -> None:
        self.cached, self.stored, self.asked = "ghp_local", "ghp_local", [False][:0]

    def __call__(self, fresh: bool) -> str:
        self.asked.append(fresh)
        if fresh:
            self.cached = self.stored
        return self.cached


@pytest.fixture
def fake() -> Iterator[StandIn]:
    """The fake."""
    made = StandIn(Clock(), web_url="https://github.test")
    yield made
    made.close()


@pytest.fixture
def secret() -> Secrets:
    return Secrets()


@pytest.fixture
def github(fake: StandIn, secret: Secrets, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    session = requests.Session()
    session.mount("https://", Direct(fake.app))
    return GitHub("acme/checkout-api", BASE, secret, session)


def test_a_reply_carries_body_etag_and_status(github: GitHub) -> None:
    reply = github.request("GET", "")
    assert (reply.status, reply.body["full_name"], bool(reply.etag)) == (200, "acme/checkout-api", True)


def test_a_conditional_request_that_finds_nothing_new_has_no_body(github: GitHub, fake: StandIn) -> None:
    run = fake.add_foreign_runs(1)[0]
    first = runs.get(github, run.id)
    again = runs.get(github, run.id, first.etag)
    assert (again.status, again.body) == (304, None)


def test_an_accepted_event_has_no_body_and_takes_a_dict_as_payload(github: GitHub, fake: StandIn) -> None:
    fake.actions_enabled = False
    runs.dispatch(github, "dev_deploy", {"stage": "build"})
    assert fake.calls[-1] == ("POST", "/repos/acme/checkout-api/dispatches", 204)


def test_a_401_reads_the_secret_afresh_once_and_goes_on(github: GitHub, fake: StandIn, secret: Secrets) -> None:
    fake.tokens, secret.stored = {"ghp_rotated"}, "ghp_rotated"
    assert github.get("")["full_name"] == "acme/checkout-api"
    assert secret.asked == [False, True]
    assert github.get("")["full_name"] == "acme/checkout-api"
    assert [call.status for call in fake.calls] == [401, 200, 200]


def test_a_token_that_is_wrong_altogether_is_tried_twice_and_refused(github: GitHub, fake: StandIn) -> None:
    fake.tokens = {"ghp_other"}
    with pytest.raises(GitHubRefused) as caught:
        github.get("")
    assert (caught.value.status, caught.value.key, caught.value.said) == (401, "github_401", "Bad credentials")
    assert len(fake.calls) == 2
    assert "ghp_local" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "key"), [(403, "github_403"), (404, "github_404"), (409, "github_refused"), (422, "github_refused")]
)
def test_a_refusal_is_final_is_not_repeated_and_says_githubs_words(
    github: GitHub, fake: StandIn, status: int, key: str
) -> None:
    fake.faults.append(Fault(status=status, body={"message": "No <b>way</b>" + "!" * 500}, times=None))
    with pytest.raises(GitHubRefused) as caught:
        github.request("POST", "/dispatches", json={})
    assert (caught.value.status, caught.value.key) == (status, key)
    assert caught.value.said.startswith("No <b>way</b>")
    assert len(caught.value.said) == 200
    assert len(fake.calls) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_says_nothing_about_what_was_done(github: GitHub, fake: StandIn, status: int) -> None:
    fake.faults.append(Fault(status=status, body="<html>oops</html>"))
    with pytest.raises(GitHubUnavailable) as caught:
        github.request("POST", "/dispatches", json={"event_type": "x", "client_payload": {"ticket": "t0p"}})
    assert caught.value.text == f"GitHub answered {status} to POST /repos/acme/checkout-api/dispatches."
    assert len(fake.calls) == 1


@pytest.mark.parametrize("error", [requests.ConnectionError, requests.ReadTimeout, requests.exceptions.SSLError])
def test_no_answer_is_unavailable_and_the_error_holds_no_query(
    github: GitHub, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **named: Any) -> None:
        assert named["timeout"][0] > 0
        assert named["timeout"][1] > 0
        raise error("https://api.github.test/?secret=1")

    monkeypatch.setattr(github._session, "request", refuse)
    with pytest.raises(GitHubUnavailable) as caught:
        github.get("/tags", per_page=100)
    assert caught.value.text == f"GitHub did not answer GET /repos/acme/checkout-api/tags ({error.__name__})."


def test_an_answer_that_is_no_json_is_unavailable(github: GitHub, fake: StandIn) -> None:
    fake.faults.append(Fault(status=200, body="<html>maintenance</html>"))
    with pytest.raises(GitHubUnavailable):
        github.get("")


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault.secondary_limit(retry_after=17), 17),
        (Fault.secondary_limit(retry_after=17, status=429), 17),
        (Fault.secondary_limit(retry_after=0), 1),
        (Fault.secondary_limit(retry_after=None), 60),
        (Fault.secondary_limit(retry_after=None, status=429), 60),
        (Fault.primary_limit(reset_at=NOW + 240), 241),
        (Fault.primary_limit(reset_at=NOW + 240, status=429), 241),
        (Fault.primary_limit(reset_at=NOW - 240), 1),
        (Fault.primary_limit(reset_at=NOW + 86_400), 3600),
    ],
)
def test_where_github_asks_to_wait_the_error_says_how_long(
    github: GitHub, fake: StandIn, fault: Fault, seconds: int
) -> None:
    fake.faults.append(fault)
    with pytest.raises(GitHubRateLimited) as caught:
        github.get("")
    assert caught.value.wait_seconds == seconds
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (200, {"Retry-After": "5"}, "", 0),
        (404, {"Retry-After": "5"}, "", 0),
        (403, {}, "Resource not accessible by personal access token", 0),
        (403, {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "1760000060"}, "", 0),
        (403, {"Retry-After": "soon"}, "", 0),
        (403, {"Retry-After": "\u00b2"}, "", 0),
        (429, {"Retry-After": "soon"}, "", 60),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "\u00b2"}, "", 60),
        (403, {"Retry-After": "9", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1760000060"}, "", 9),
        (403, {}, "You have exceeded a secondary rate limit.", 60),
    ],
)
def test_the_pause_is_retry_after_else_the_reset_else_a_minute(
    status: int, headers: dict[str, str], message: str, seconds: int
) -> None:
    assert replies.pause(status, headers, NOW, message) == seconds


def test_what_is_not_there_is_nothing_and_other_refusals_stay_errors(github: GitHub, fake: StandIn) -> None:
    assert github.find("/git/ref/tags/v9.9.9") is None
    fake.faults.append(Fault(status=403, body={"message": "no"}))
    with pytest.raises(GitHubRefused):
        github.find("/git/ref/tags/v1.2.3")


def test_an_event_for_a_repository_that_has_moved_is_refused_not_believed_sent(github: GitHub, fake: StandIn) -> None:
    """https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"""
    fake.faults.append(
        Fault("POST", status=307, headers={"Location": f"{BASE}/repositories/1/dispatches"}, body={"message": "Moved"})
    )
    with pytest.raises(GitHubRefused) as caught:
        runs.dispatch(github, "dev_deploy", {})
    assert (caught.value.status, caught.value.key) == (307, "github_moved")


def test_a_list_is_read_page_by_page_and_no_further_than_ten(github: GitHub, fake: StandIn) -> None:
    fake.add_foreign_runs(1050)
    found = list(github.pages("/actions/runs", "workflow_runs", event="repository_dispatch"))
    assert len(found) == 1000
    assert len(fake.calls) == 10


def test_a_list_without_a_key_is_its_own_members(github: GitHub) -> None:
    assert {"v1.2.3", "v1.0.0"} <= {tag["name"] for tag in github.pages("/tags")}


def test_a_cancel_of_a_run_that_has_ended_is_no_error(github: GitHub, fake: StandIn) -> None:
    run = fake.add_foreign_runs(1)[0]
    runs.cancel(github, run.id)
    with pytest.raises(GitHubRefused):
        runs.cancel(github, 1)


def test_our_run_is_found_by_its_exact_name_on_whatever_page_and_of_two_the_lower_id(
    github: GitHub, fake: StandIn
) -> None:
    first, second = fake.add_foreign_runs(2, title="d-ours build", status="queued", conclusion=None)
    fake.add_foreign_runs(640, title="d-ours build look-alike {number}")
    fake.add_foreign_runs(1, title="d-ours build", event="push")
    found = runs.named(github, runs.run_name("d-ours", "build"), fake.clock.now())
    assert found is not None
    assert (found.id, found.completed) == (min(first.id, second.id), False)
    assert runs.named(github, "d-ours", fake.clock.now()) is None
    assert runs.named(github, "d-ours build", fake.clock.now() + 3600) is None, "older ones are not looked at"


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        *((s, None, "queued") for s in ("queued", "requested", "something new")),
        ("waiting", None, "in_review"),
        ("pending", None, "pending"),
        ("in_progress", None, "running"),
        ("completed", "success", "succeeded"),
        ("completed", "cancelled", "cancelled"),
        *(
            ("completed", c, "failed")
            for c in (
                "failure",
                "timed_out",
                "stale",
                "skipped",
                "neutral",
                "action_required",
                "startup_failure",
                None,
                "",
                "Success",
                "something new",
            )
        ),
    ],
)
def test_only_completed_with_success_is_success(status: str, conclusion: str | None, state: str) -> None:
    assert runs.state(status, conclusion) == state


def test_the_job_and_step_shown_are_those_that_failed_else_those_that_run() -> None:
    steps = [{"name": "Test", "status": "in_progress", "conclusion": None}]
    running = {"name": "build", "status": "in_progress", "conclusion": None, "steps": steps}
    failed = {"name": "lint", "conclusion": "failure", "steps": [{"name": "Ruff", "conclusion": "failure"}]}
    assert runs.job_and_step([running, failed]) == ("lint", "Ruff")
    assert runs.job_and_step([running]) == ("build", "Test")
    assert runs.job_and_step([{"name": "build", "status": "in_progress"}]) == ("build", "")
    assert runs.job_and_step([]) == ("", "")


def test_a_failed_jobs_page_has_its_log() -> None:
    page = "https://github.com/acme/shop/actions/runs/1/job/2"
    failed = {"name": "lint", "conclusion": "failure", "html_url": page}
    assert runs.log_url([{"name": "build", "conclusion": "success", "html_url": "x"}, failed]) == page
    assert runs.log_url([{"name": "build", "conclusion": None}]) == ""
    assert runs.log_url([{"name": "lint", "conclusion": "failure", "html_url": None}]) == "", "no page is no link"


def test_a_ref_keeps_its_slashes_and_nothing_else_that_means_something_in_a_path() -> None:
    assert quoted("release/1.0+b?x#y %") == "release/1.0%2Bb%3Fx%23y%20%25"


def test_the_newest_of_many_tags_is_found_on_whatever_page_it_stands(github: GitHub, fake: StandIn) -> None:
    """GitHub lists tags by name: v1.10.0 comes after all of v1.9."""
    repository = fake.default_repository
    head = repository.head().sha
    repository.releases.clear()
    names = ("v1.10.0", *(f"v1.9.{patch}" for patch in range(250)))
    repository.tags = {name: Tag(name, head, NOW, False) for name in names}
    found = versions.latest(github)
    assert found is not None
    assert (found.version, found.sha) == ("v1.10.0", head)
