"""reconcile: after an error, what is true of the deployment decides, and a failed look decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatops.domain.errors import ServiceUnavailable
from chatops.domain.results import RolloutResult, StageResult
from chatops.platforms.registry import PlatformOf, platform
from chatops.platforms.rollout import RolloutState
from chatops.steps import reconcile
from chatops.store import cancels, results, stages
from chatops.store.table import Table
from fakes.github.faults import Fault
from tests.unit.conftest import Time
from tests.unit.made_up_platform import HEALTHY, MOVING, MadeUp
from tests.unit.stage_session import ID, PLAN, Stage, staged
from tests.unit.steps import call

SUCCEEDED = {"stage": "deploy", "state": "succeeded", "done": True, "claimed": True}
GAVE_UP = {"stage": "deploy", "state": "timed_out", "done": True, "claimed": True, "unconfirmed": True}
REPORTED = {"image": "repo@sha256:1", "task_definition": "td:7"}


@pytest.fixture
def session(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with staged(rows, time, monkeypatch, "deploy") as made:
        yield made


@pytest.fixture
def service() -> MadeUp:
    return MadeUp()


def look(session: Stage, seconds: float = 0, on: PlatformOf = platform, **state: Any) -> str:
    session.time.pass_by(seconds)
    found = call(reconcile.run, {"deployment_id": ID, "state": {"plan": PLAN, **state}}, on)
    assert found["wait_seconds"] >= 1
    return str(found["state"])


def report(session: Stage) -> None:
    """The run says that it went well, although nobody could look."""
    run = session.claim()
    assert stages.finish(session.rows, ID, "deploy", run.id, "success", REPORTED) == "recorded"


def test_an_unclaimed_stage_is_waited_for_where_it_stood(session: Stage, service: MadeUp) -> None:
    assert look(session, on=service) == "deploying"
    stages.prepare(session.rows, ID, "deploy", "dev", 3600)
    assert look(session, 60, on=service) == "deploying"


def test_what_fails_at_once_goes_on_once_a_minute(session: Stage, service: MadeUp) -> None:
    """Else a step that always fails would fill the execution's history, which AWS ends at 25,000 events."""
    assert [look(session, 1, on=service) for _ in range(2)] == ["deploying", "again"]
    assert [look(session, 60, on=service) for _ in range(2)] == ["deploying", "deploying"]


def test_an_unclaimed_stage_is_given_up_after_two_hours_and_can_not_be_claimed_then(
    session: Stage, service: MadeUp
) -> None:
    stages.prepare(session.rows, ID, "deploy", "dev", 36_000)
    found = [look(session, 0 if n == 0 else 1800, on=service) for n in range(5)]
    assert found == ["deploying"] * 4 + ["unchanged"]
    assert stages.claim(session.rows, ID, "deploy", 7)


@pytest.mark.parametrize(
    ("said", "found", "kept"),
    [
        (RolloutState.HEALTHY, "deployed", "healthy"),
        (RolloutState.OVERTAKEN, "overtaken", "overtaken"),
        (RolloutState.FAILED, "failed", "failed"),
        (RolloutState.MOVING, "deploying", ""),
        (RolloutState.PAUSED, "deploying", ""),
    ],
)
def test_the_service_says_what_became_of_a_run_that_nobody_could_watch(
    said: RolloutState, found: str, kept: str, session: Stage, service: MadeUp
) -> None:
    report(session)
    service.says = replace(MOVING, state=said)
    assert look(session, on=service) == found
    assert results.get(session.rows, ID, "rollout", RolloutResult).state == kept


def test_a_rollout_goes_on_where_it_stood(session: Stage, service: MadeUp) -> None:
    report(session)
    assert look(session, deploy=SUCCEEDED, on=service) == "rolling_out"


def test_what_has_happened_wins_over_what_is_late(session: Stage, service: MadeUp) -> None:
    """GitHub did not say in time how the run ended; the service says that ours is live."""
    report(session)
    assert look(session, deploy=GAVE_UP, on=service) == "failed", "late, and not live"
    service.says = HEALTHY
    assert look(session, deploy=GAVE_UP, on=service) == "deployed"


def test_a_cancel_is_carried_out(session: Stage, service: MadeUp) -> None:
    report(session)
    service.says = HEALTHY
    cancels.record(session.rows, ID, "U0LEE0001")
    assert look(session, on=service) == "failed"


def test_what_cannot_be_read_is_read_again_for_two_hours(session: Stage, service: MadeUp) -> None:
    report(session)
    service.error = ServiceUnavailable("aws_not_now", operation="DescribeServices", code="503")
    assert look(session, on=service) == "unreadable"
    assert [look(session, 1799, on=service) for _ in range(4)] == ["unreadable"] * 4
    assert look(session, 60, on=service) == "failed"
    service.error = None
    service.says = HEALTHY
    assert look(session, 60, on=service) == "deployed", "whatever is late: it is live"


def test_an_error_much_later_has_a_patience_of_its_own(session: Stage, service: MadeUp) -> None:
    report(session)
    service.error = ServiceUnavailable("aws_not_now", operation="DescribeServices", code="503")
    assert look(session, on=service) == "unreadable"
    assert look(session, reconcile.PATIENCE + 1, on=service) == "unreadable"


def test_on_a_host_only_the_run_knows(session: Stage) -> None:
    run = session.claim()
    assert look(session) == "deploying"
    assert look(session, deploy=GAVE_UP) == "failed", "late, and still at work"
    session.fake.faults.append(Fault(path="/actions/runs", status=502, times=1))
    assert look(session, deploy=GAVE_UP) == "unreadable"
    assert stages.finish(session.rows, ID, "deploy", run.id, "success", {}) == "recorded"
    run.status, run.conclusion = "completed", "success"
    assert look(session, deploy=GAVE_UP) == "deployed"
    assert results.get(session.rows, ID, "deploy", StageResult).state == "succeeded"


def test_on_a_host_a_run_that_failed_has_failed(session: Stage) -> None:
    run = session.claim()
    run.status, run.conclusion = "completed", "failure"
    assert look(session, deploy=GAVE_UP) == "failed"
