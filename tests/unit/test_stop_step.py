"""stop: before anything is put back, the deploy stage is ended and waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.results import StageResult
from chatops.domain.target import Target, Timing
from chatops.steps import poll, stop
from chatops.store import results, stages
from chatops.store.table import Table
from fakes.github import Script
from fakes.github.faults import Fault
from tests.unit.conftest import Time
from tests.unit.stage_session import ID, LIMIT, PLAN, Stage, staged
from tests.unit.steps import call

FORCE, CANCEL = "/force-cancel", "/cancel"
Stop = Callable[..., dict[str, Any]]


@pytest.fixture
def session(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield stack.enter_context(staged(rows, time, monkeypatch, "deploy"))


def look(session: Stage, seconds: float = 0, **plan: Any) -> dict[str, Any]:
    """One look of Stop Deploy, so many seconds later."""
    session.time.pass_by(seconds)
    event = {"deployment_id": ID, "stage": "deploy", "mode": "stop", "state": {"plan": {**PLAN, **plan}}}
    return call(poll.run, event)


def on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where = {"ecs": {"cluster": "c", "service": "s"}, "none": {}}[kind]
    target = Target("dev", "acme/checkout-api", "dev_deploy", timing=Timing(appear=60, deploy=LIMIT), **where)
    monkeypatch.setattr("chatops.settings.targets._cached", lambda *_: {"dev": target})


def test_a_stage_that_nobody_claimed_can_not_be_claimed_any_more_and_has_touched_nothing(session: Stage) -> None:
    assert look(session) | {"wake": 0} == {
        "done": True,
        "untouched": True,
        "unconfirmed": False,
        "wake": 0,
        "wait_seconds": 1,
    }
    stages.prepare(session.rows, ID, "deploy", "dev", 3600)
    assert look(session)["untouched"]
    assert stages.claim(session.rows, ID, "deploy", 7) == "this deploy stage's ticket is revoked"


def test_a_rollback_by_command_has_no_stage_to_stop_and_goes_on(session: Stage) -> None:
    found = look(session, command="rollback")
    assert (found["done"], found["untouched"]) == (True, False)


def test_a_run_that_is_known_to_have_ended_is_not_asked_about(session: Stage) -> None:
    session.claim()
    results.keep(session.rows, ID, "deploy", StageResult(state="failed", done=True, claimed=True))
    assert look(session)["done"]
    assert not session.fake.calls


def test_a_run_is_cancelled_then_forced_and_its_end_is_kept(session: Stage) -> None:
    """Its `always()` steps survive the plain cancel."""
    run = session.claim()
    run.script = Script(ignores_cancel=True)
    found = look(session)
    assert (found["done"], session.sent(CANCEL), session.sent(FORCE)) == (False, 1, 0)
    look(session, stop.SECONDS / 4 - 1)  # too early to ask again
    look(session, 40)
    assert (session.sent(CANCEL), session.sent(FORCE)) == (1, 1)
    run.status, run.conclusion = "completed", "cancelled"
    assert look(session, 10)["done"]
    kept = codec.as_json(results.get(session.rows, ID, "deploy", StageResult))
    assert (kept["done"], kept["unconfirmed"], kept["conclusion"]) == (True, False, "cancelled")


@pytest.mark.parametrize("trouble", [{"status": 502}, {"status": 403}])
def test_ecs_is_restored_after_two_minutes_although_github_does_not_say(
    trouble: dict[str, int], session: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("ecs", monkeypatch)
    session.claim()
    session.fake.faults.append(Fault(path="/actions/runs", times=None, **trouble))
    assert not look(session)["done"]
    assert not look(session, stop.SECONDS - 1)["done"]
    found = look(session, 1)
    assert (found["done"], found["unconfirmed"]) == (True, True)
    assert results.get(session.rows, ID, "deploy", StageResult).unconfirmed, "so that settle leaves the lock to sweep"


def test_a_host_waits_for_its_run_until_the_stages_deadline(session: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only another run can put a host back, and it would meet this one there."""
    on("none", monkeypatch)
    session.claim()
    assert not look(session)["done"]
    assert not look(session, LIMIT - 1)["done"]
    assert look(session, 1) | {"wake": 0, "wait_seconds": 1} == {
        "done": True,
        "untouched": False,
        "unconfirmed": True,
        "wake": 0,
        "wait_seconds": 1,
    }
