"""A stage while the rate limit that all deployments share says to wait, or little of it is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatops import clock
from chatops.domain.errors import GitHubPostponed, GitHubRateLimited
from chatops.domain.github_budget import Budget
from chatops.domain.reason import Reason
from chatops.domain.results import StageResult
from chatops.github import budget, client
from chatops.messages.lines import stage_line
from chatops.steps import plan, sweep
from chatops.store import budgets, cancels, locks, stages
from chatops.store.table import Table
from fakes.github import Fault
from tests.definition import MACHINE
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, LIMIT, Stage, staged
from tests.unit.steps import call

PLAN_WAITS = MACHINE["States"]["Plan"]["Retry"][1]["ErrorEquals"]


@pytest.fixture
def build(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with staged(rows, time, monkeypatch, "build") as made:
        yield made


def another_is_refused(stage: Stage, seconds: int) -> None:
    """GitHub asks another deployment to wait so long."""
    stage.fake.faults.append(Fault.secondary_limit(retry_after=seconds))
    with pytest.raises(GitHubRateLimited):
        client.github("acme/checkout-api").get("")
    stage.fake.calls.clear()


def leave(stage: Stage, left: int, seconds: float = 200) -> None:
    """So many of 5,000 requests are left, until so many seconds from now."""
    budgets.left(stage.rows, client._mark(), Budget(0, 0, left, 5000, stage.time() + seconds), stage.time())


def test_nothing_is_dispatched_during_another_deployments_pause(build: Stage) -> None:
    another_is_refused(build, 90)
    until = clock.iso(build.time() + 90)
    build.dispatch()
    assert build.look()["wait_seconds"] == 90
    assert build.fact["trouble"]["values"]["until"] == until
    assert build.look(89)["state"] == "waiting"
    assert build.fake.calls == []
    assert build.look(1)["state"] == "undispatched"
    build.dispatch()
    assert build.sent("/dispatches") == 1


def test_a_build_that_begins_right_after_a_pause_gives_way_once(build: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that have waited for the pause are refused if they wait much longer; a build can."""
    monkeypatch.setattr(budget, "drawn", lambda most: most / 2)
    another_is_refused(build, 90)
    build.time.pass_by(100)
    build.dispatch()
    assert build.fake.calls == []
    assert build.look()["wait_seconds"] == 55, "half of what is left of the two minutes after the pause"
    assert build.look(55)["state"] == "undispatched"
    another_is_refused(build, 1)
    build.time.pass_by(2)
    build.dispatch()
    assert build.sent("/dispatches") == 1


def test_what_puts_something_back_gives_way_to_nobody(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    with staged(rows, time, monkeypatch, "rollback") as stage:
        another_is_refused(stage, 90)
        time.pass_by(90)
        stage.dispatch()
        assert stage.sent("/dispatches") == 1


def test_a_run_is_not_looked_at_during_another_deployments_pause(build: Stage) -> None:
    build.claim()
    another_is_refused(build, 90)
    assert build.look()["wait_seconds"] == 90
    stages.finish(build.rows, ID, "build", int(build.row["run_id"]), "success", {})
    assert build.look(10)["wait_seconds"] == 80, "a report wakes it, and GitHub still says to wait"
    assert build.fake.calls == []
    assert build.look(80)["run_id"] == build.row["run_id"]


def test_the_deployments_message_says_until_when(build: Stage) -> None:
    another_is_refused(build, 90)
    build.dispatch()
    shown = build.look()["shown"]
    assert shown.endswith(clock.iso(build.time() + 90)), "a pause is something new to show"
    waits = StageResult("build", "waiting", trouble=Reason("why_github_paused", until=clock.iso(0), seconds=300))
    assert stage_line(waits, "line_build").count("<!date^0^") == 1
    assert "rate limit" in stage_line(waits, "line_build")


def test_where_little_is_left_progress_is_postponed_and_a_reported_end_is_looked_at(build: Stage) -> None:
    run = build.claim()
    leave(build, 300)
    assert build.look()["wait_seconds"] == 200
    assert "trouble" not in build.fact, "nobody waits for that"
    assert build.fake.calls == []
    run.status, run.conclusion = "completed", "success"
    stages.finish(build.rows, ID, "build", run.id, "success", {})
    assert build.look(10)["state"] == "succeeded"


def test_where_little_is_left_a_dispatch_goes_through(build: Stage) -> None:
    leave(build, 9)
    build.dispatch()
    assert build.sent("/dispatches") == 1


def test_where_little_is_left_a_cancel_goes_through(build: Stage) -> None:
    build.claim()
    leave(build, 9)
    build.look()
    assert build.fake.calls == []
    cancels.record(build.rows, ID, "U0DANA001")
    build.look(5)
    assert build.sent("/cancel") == 1


def test_a_postponed_look_is_not_later_than_the_stages_limit_and_asks_then(build: Stage) -> None:
    build.claim()
    leave(build, 9, 3000)
    assert build.look()["wait_seconds"] == LIMIT
    build.look(LIMIT)
    assert build.sent("/cancel") == 1


def test_after_the_reset_looks_go_on(build: Stage) -> None:
    build.claim()
    leave(build, 9)
    build.look()
    assert build.look(200)["state"] == "running"


@pytest.mark.parametrize(("left", "sent"), [(400, 0), (600, 1)])
def test_sweep_steps_back_where_little_is_left(build: Stage, left: int, sent: int) -> None:
    build.claim()
    leave(build, left)
    sweep._end_stage(ID, "dev", "build")
    assert build.sent("/cancel") == sent


def test_sweep_ends_what_a_person_has_cancelled_however_little_is_left(build: Stage) -> None:
    build.claim()
    leave(build, 9)
    sweep._end_cancelled(ID, "dev")
    assert build.sent("/cancel") == 1


@pytest.mark.parametrize(("left", "key"), [(0, "github_pause"), (90, "github_low")])
def test_a_command_is_answered_with_the_time_and_costs_no_request(
    build: Stage, monkeypatch: pytest.MonkeyPatch, left: int, key: str
) -> None:
    locks.free(build.rows, "dev", ID)
    if left:
        leave(build, left)
    else:
        another_is_refused(build, 200)
    asked = {"command": "deploy", "target": "dev", "version": "v9", "requester": {"id": "U0DANA001"}}
    monkeypatch.setattr(plan.policy, "requester", lambda *_: {})
    made = call(plan.run, {"deployment_id": "d-two", "execution_arn": "arn:x", "request": asked})
    assert (made["verdict"], made["refusal"]["key"]) == ("refused", key)
    assert made["refusal"]["values"] == {"until": clock.iso(build.time() + 200)}
    assert (build.fake.calls, build.holder()) == ([], "")


@pytest.mark.parametrize(("left", "error"), [(0, GitHubRateLimited), (90, GitHubPostponed)])
def test_a_command_waits_for_a_pause_that_ends_soon_after_it_was_typed(
    build: Stage, monkeypatch: pytest.MonkeyPatch, left: int, error: type[GitHubRateLimited]
) -> None:
    """The state machine tries again; what was typed longer ago is refused with the time."""
    locks.free(build.rows, "dev", ID)
    if left:
        leave(build, left, 60)
    else:
        another_is_refused(build, 60)
    asked = {"command": "deploy", "target": "dev", "version": "v1.2.3", "requester": {"id": "U0DANA001"}}
    event = {"deployment_id": "d-two", "execution_arn": "arn:x", "request": asked}
    monkeypatch.setattr(plan.policy, "requester", lambda *_: {})
    monkeypatch.setattr(plan.policy, "question", lambda *_: None)
    with pytest.raises(error) as caught:
        call(plan.run, {**event, "entered_at": clock.iso(build.time() - 59)})
    assert type(caught.value).__name__ in PLAN_WAITS
    assert (build.fake.calls, build.holder()) == ([], "")
    made = call(plan.run, {**event, "entered_at": clock.iso(build.time() - 62)})
    assert made["verdict"] == "refused"
