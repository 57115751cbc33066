"""A stage whose time passes while GitHub does not say: told as what it is, never as a run that did not appear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatops import clock
from chatops.domain.errors import GitHubUnavailable
from chatops.domain.target import Timing
from chatops.settings import targets
from chatops.steps import dispatch, poll
from chatops.store.table import Table
from fakes.github import Fault, Script
from fakes.github.repository import Environment
from pipeline.caller import OWN
from tests.unit.conftest import Time
from tests.unit.stage_session import CANCEL, EVENT, ID, LIMIT, RUNS, SEARCH, Stage, staged, swept
from tests.unit.steps import call

pytestmark = pytest.mark.slow

HOUR = 3600


@pytest.fixture
def build(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with staged(rows, time, monkeypatch, "build") as made:
        yield made


def ended(stage: Stage) -> tuple[str, str]:
    fact = stage.to_the_end()
    assert not fact["claimed"]
    return str(fact["state"]), str(fact["why"]["key"])


def test_a_run_that_github_was_asked_about_and_did_not_know_never_appeared(build: Stage) -> None:
    build.fake.actions_enabled = False
    build.dispatch()
    assert ended(build) == ("never_appeared", "why_never_appeared")


def test_a_rate_limit_longer_than_the_stage_is_named_with_its_end(build: Stage) -> None:
    began = build.time()
    build.fake.faults.append(Fault.secondary_limit(EVENT, retry_after=HOUR))
    build.dispatch()
    build.fake.faults.append(Fault.secondary_limit(EVENT, retry_after=HOUR, times=None))
    assert ended(build) == ("timed_out", "why_github_paused")
    assert build.fact["why"]["values"]["until"] == clock.iso(began + HOUR)
    assert build.time() - began == LIMIT, "nobody sleeps past the stage's limit"
    assert build.sent("/dispatches") == 1, "nothing is sent during the pause"


def test_a_rate_limit_shorter_than_the_stage_is_waited_for(build: Stage) -> None:
    build.fake.faults.append(Fault.secondary_limit(EVENT, retry_after=200))
    build.fake.script["build"] = Script(never_appears=True)
    build.dispatch()
    assert build.look()["wait_seconds"] == 200
    assert ended(build) == ("never_appeared", "why_never_appeared")
    assert build.sent("/dispatches") == 2


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault(path=SEARCH, status=503, times=None), "why_github_down"),
        (Fault(path=SEARCH, drop=True, times=None), "why_github_down"),
        (Fault.secondary_limit(SEARCH, retry_after=HOUR, times=None), "why_github_paused"),
        (Fault.secondary_limit(SEARCH, retry_after=50, times=None), "why_github_paused"),
        (Fault(path=SEARCH, status=403, body={"message": "no"}, times=None), "github_403"),
    ],
)
def test_where_nobody_could_look_the_reason_is_why(build: Stage, fault: Fault, key: str) -> None:
    build.dispatch()
    build.fake.faults.append(fault)
    assert ended(build) == ("timed_out", key)


def test_a_wake_during_the_pause_does_not_forget_why(build: Stage) -> None:
    build.dispatch()
    build.fake.faults.append(Fault.secondary_limit(SEARCH, retry_after=HOUR, times=None))
    assert build.look(100)["trouble"]
    assert build.look(10)["trouble"], "nobody asked GitHub at this look"
    assert ended(build) == ("timed_out", "why_github_paused")


def test_a_trouble_that_is_over_is_not_told(build: Stage) -> None:
    build.fake.actions_enabled = False
    build.dispatch()
    build.fake.faults.append(Fault(path=SEARCH, status=503, times=3))
    assert ended(build) == ("never_appeared", "why_never_appeared")


WAITS = {"queued": "why_no_runner", "waiting": "why_not_reviewed", "pending": "why_not_its_turn"}
"""GitHub's status of a run that has not begun, and what is said of one that it leaves so."""


@pytest.mark.parametrize("status", WAITS)
def test_a_run_that_waits_to_the_end_was_late_is_cancelled_and_says_for_what_it_waited(
    build: Stage, status: str
) -> None:
    """It would keep its concurrency group: the target's next deployment could not start."""
    build.fake.default_repository.environments["dev-build"] = Environment(reviewers=("kim", "lee"))
    build.fake.script["build"] = Script(claims=False, appear_seconds=0, queued_seconds=1e6, waits_as=status)
    build.dispatch()
    assert ended(build) == ("timed_out", WAITS[status])
    assert build.fact["run_id"] == build.fake.runs[0].id
    assert build.fake.settle()
    assert build.fake.runs[0].conclusion == "cancelled"
    if status == "waiting":
        said = build.fact["why"]["values"]
        assert (said["environment"], said["reviewers"]) == ("dev-build", "kim, lee")
    assert build.sent("/pending_deployments", "GET") == (status == "waiting"), "asked once, and only where it waits so"


@pytest.mark.parametrize(
    ("fault", "times"),
    [(Fault("POST", CANCEL, status=502), 1), (Fault("POST", CANCEL, drop=True, times=2), 2)],
)
def test_a_run_that_could_not_be_cancelled_at_first_is_given_up_when_it_can(
    build: Stage, fault: Fault, times: int
) -> None:
    build.fake.script["build"] = Script(claims=False, appear_seconds=0, queued_seconds=1e6, waits_as="waiting")
    build.fake.faults.append(fault)
    build.dispatch()
    assert ended(build) == ("timed_out", "why_rules_not_met"), "nobody names its reviewers"
    assert build.sent("/cancel") == times + 1
    assert build.fake.settle()
    assert build.fake.runs[0].conclusion == "cancelled"


@pytest.mark.parametrize("trouble", [False, True])
@pytest.mark.parametrize("by", ["sweep", "stop"])
def test_whoever_ends_the_deployment_cancels_the_run_that_waits(
    by: str, trouble: bool, rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution that was stopped in the console, and one whose deploy stage broke off before it was claimed."""
    with staged(rows, time, monkeypatch, "deploy") as stage:
        stage.fake.script["deploy"] = Script(claims=False, appear_seconds=0, queued_seconds=1e6, waits_as="waiting")
        stage.dispatch()
        if trouble:
            stage.fake.faults.append(Fault(path=SEARCH, status=503, times=None))
        time.pass_by(300)
        if by == "sweep":
            swept()
        else:
            assert call(poll.run, {**stage.event(), "mode": "stop"})["untouched"]
        if not trouble:
            assert stage.fake.settle()
        assert stage.fake.runs[0].conclusion == (None if trouble else "cancelled")


def test_a_claimed_run_whose_next_job_waits_for_a_review_says_so_and_is_cancelled(build: Stage) -> None:
    run = build.claim()
    run.status = "waiting"
    assert build.look(10)["state"] == "in_review"
    assert (build.fact["environment"], build.fact["reviewers"]) == ("dev", "")
    run.status = "in_progress"
    assert build.look(10)["state"] == "running"
    run.status = "waiting"
    build.look(LIMIT)
    assert build.sent("/cancel") == 1


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ("disabled_inactivity", "why_workflow_idle"),
        ("disabled_manually", "why_workflow_disabled"),
        ("disabled_fork", "why_workflow_disabled"),
        ("deleted", "why_never_appeared"),
    ],
)
def test_a_workflow_that_github_starts_no_more_is_named_as_the_cause(build: Stage, state: str, key: str) -> None:
    path = ".github/workflows/dev_deploy.yml"
    here = build.fake.default_repository
    here.files[here.default_branch] = {path: OWN.read_text("utf-8")}
    here.workflow_states[path] = state
    build.dispatch()
    assert ended(build) == ("never_appeared", key)
    assert build.sent("/workflows/dev_deploy.yml", "GET") == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_where_github_does_not_say_whether_the_workflow_is_enabled_every_cause_is_named(
    build: Stage, status: int
) -> None:
    build.fake.script["build"] = Script(never_appears=True)
    build.fake.faults.append(Fault(path="/workflows/", status=status, times=None))
    build.dispatch()
    assert ended(build) == ("never_appeared", "why_never_appeared")


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault(path=RUNS, status=502, times=None), "why_github_down"),
        (Fault.secondary_limit(RUNS, retry_after=HOUR, times=None), "why_github_paused"),
    ],
)
def test_a_claimed_run_that_nobody_can_see_is_told_so_and_keeps_the_target(
    build: Stage, fault: Fault, key: str
) -> None:
    build.claim()
    build.fake.faults.append(fault)
    fact = build.to_the_end()
    assert (fact["state"], fact["unconfirmed"], fact["why"]["key"]) == ("timed_out", True, key)


def test_a_run_seen_after_its_limit_is_late_whatever_github_says_then(build: Stage) -> None:
    build.claim()
    build.look(LIMIT + 1)
    build.fake.faults.append(Fault(path=RUNS, status=502, times=None))
    fact = build.to_the_end()
    assert (fact["state"], fact["why"]["key"]) == ("timed_out", "why_timed_out")


# -- before a second event ---------------------------------------------------------------------------------------


def lost_reply(build: Stage) -> None:
    """The event is accepted, its run appears, and nobody has heard of either."""
    build.fake.faults.append(Fault("POST", EVENT, lose_reply=True))
    with pytest.raises(GitHubUnavailable):
        build.dispatch()
    build.fake.faults.clear()


@pytest.mark.parametrize(
    "limit", [Fault.secondary_limit(SEARCH, retry_after=90), Fault.secondary_limit(SEARCH, retry_after=90, status=429)]
)
def test_a_rate_limit_of_the_search_is_waited_for_before_any_second_event(build: Stage, limit: Fault) -> None:
    lost_reply(build)
    build.fake.faults.append(limit)
    build.dispatch()
    assert build.look()["wait_seconds"] == 90
    assert build.look(89)["state"] == "waiting"
    assert build.look(1)["state"] == "undispatched"
    build.dispatch()
    assert build.sent("/dispatches") == 1
    assert len(build.fake.runs) == 1
    assert build.row["dispatched_at"] == build.row["tried_at"], "the event counts from when it was sent"


@pytest.mark.parametrize("fault", [Fault(path=SEARCH, status=500), Fault(path=SEARCH, drop=True)])
def test_a_search_without_an_answer_sends_nothing(build: Stage, fault: Fault) -> None:
    lost_reply(build)
    build.fake.faults.append(fault)
    with pytest.raises(GitHubUnavailable):
        build.dispatch()
    assert build.sent("/dispatches") == 1


def test_the_first_event_costs_two_requests(build: Stage) -> None:
    """Where its run will come from, and the event."""
    build.dispatch()
    assert [call.method for call in build.fake.calls] == ["GET", "POST"]


@pytest.fixture
def nameless(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Of a pipeline that claims nothing: whatever run there is does its work."""
    with staged(rows, time, monkeypatch, "deploy", claim=False) as made:
        yield made


def died(stage: Stage) -> None:
    """The process was killed when the event had been taken, and before it could say so; no run is to be seen yet."""
    stage.fake.script[stage.name] = Script(never_appears=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch.runs, "dispatch", killed(dispatch.runs.dispatch))
        with pytest.raises(KeyboardInterrupt):
            stage.dispatch()


def killed(send: Callable[..., None]) -> Callable[..., None]:
    def sends(*arguments: Any) -> None:
        send(*arguments)
        raise KeyboardInterrupt

    return sends


@pytest.mark.parametrize(("name", "seconds"), [("build", 5), ("nameless", 60)])
def test_no_second_event_before_the_first_ones_run_could_be_seen(
    name: str, seconds: int, request: pytest.FixtureRequest
) -> None:
    """A twelfth of the time that a run may take to appear; all of it where both runs would do their work."""
    stage: Stage = request.getfixturevalue(name)
    died(stage)
    stage.dispatch()
    assert stage.look(seconds - 1)["state"] == "waiting"
    assert stage.fact["wait_seconds"] <= 6
    stage.dispatch()
    assert stage.sent("/dispatches") == 1
    run = stage.fake.add_foreign_runs(1, title=f"{ID} {stage.name}", status="in_progress", conclusion=None)[0]
    seen = stage.look(1)
    assert (seen["state"], seen.get("run_id")) == (("undispatched", None) if name == "build" else ("running", run.id))
    stage.dispatch()
    assert stage.sent("/dispatches") == 1, "it was seen in time"


@pytest.mark.parametrize(("name", "seconds"), [("build", 5), ("nameless", 60)])
def test_an_event_that_shows_no_run_is_sent_again(name: str, seconds: int, request: pytest.FixtureRequest) -> None:
    stage: Stage = request.getfixturevalue(name)
    died(stage)
    stage.dispatch()
    assert stage.look(seconds)["state"] == "undispatched"
    stage.dispatch()
    assert stage.sent("/dispatches") == 2


def test_an_event_that_github_refused_for_now_is_sent_when_it_says(build: Stage) -> None:
    build.fake.faults.append(Fault.secondary_limit(EVENT, retry_after=2))
    build.dispatch()
    assert build.look(2)["state"] == "undispatched"
    build.dispatch()
    assert build.sent("/dispatches") == 2


def test_an_event_that_never_arrived_is_sent_again(build: Stage) -> None:
    build.fake.faults.append(Fault("POST", EVENT, drop=True))
    with pytest.raises(GitHubUnavailable):
        build.dispatch()
    build.dispatch()
    assert build.sent("/dispatches") == 1, "GitHub may have taken it all the same"
    assert build.look(5)["state"] == "undispatched"
    build.dispatch()
    assert build.sent("/dispatches") == 2
    assert [run.title for run in build.fake.runs] == [f"{ID} build"]


def test_what_is_due_is_sent_however_seldom_the_target_is_looked_at(build: Stage) -> None:
    seldom = replace(targets.targets()["dev"], timing=Timing(appear=60, build=LIMIT, poll_min=LIMIT, poll_max=LIMIT))
    died(build)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(targets, "_cached", lambda *_: {"dev": seldom})
        build.dispatch()
        assert build.look()["wait_seconds"] <= seldom.timing.appear
        assert build.look(build.fact["wait_seconds"])["state"] == "undispatched"
