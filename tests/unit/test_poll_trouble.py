"""poll while GitHub misbehaves: what is believed, how long is waited, and when the answer is given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from chatops.domain.freeze import Weekly
from chatops.github.client import GitHub
from chatops.settings import targets
from chatops.steps import poll
from chatops.store import cancels, locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from fakes.clock import Clock
from fakes.github import Fault, Script
from fakes.github import GitHub as StandIn
from fakes.github.model import Run
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call
from tests.unit.test_github_client import BASE, Direct, Secrets

ID = "d-abcdefghijkl"
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1.2.3", "requester": {"id": "U0DANA001"}}
HOLDER = Holder(ID, "arn:aws:states:x", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")
RUNS = r"/actions/runs/\d+$"


class Case:
    """A deploy stage that a run of the fake has claimed, and looks at it."""

    def __init__(self, rows: Table, time: Time, fake: StandIn) -> None:
        self.rows, self.time, self.fake = rows, time, fake
        self.run = self.run_of("in_progress")
        self.fact: dict[str, Any] = {}
        stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking("dev", HOLDER))
        stages.prepare(rows, ID, "deploy", "dev", 3600)
        stages.note(rows, ID, "deploy", dispatched_at=time())

    def run_of(self, status: str, conclusion: str | None = None) -> Run:
        return self.fake.add_foreign_runs(1, title=f"{ID} deploy", status=status, conclusion=conclusion)[0]

    def claim(self) -> None:
        assert stages.claim(self.rows, ID, "deploy", self.run.id) == ""

    def finish(self, outcome: str = "success") -> None:
        assert stages.finish(self.rows, ID, "deploy", self.run.id, outcome, {}) == "recorded"

    def completes(self, conclusion: str) -> None:
        self.run.status, self.run.conclusion = "completed", conclusion

    def look(self, seconds: float = 0, **state: Any) -> dict[str, Any]:
        """Look once, so many seconds later."""
        self.time.pass_by(seconds)
        given = {"plan": PLAN, **({"deploy": self.fact} if self.fact else {}), **state}
        self.fact = call(poll.run, {"deployment_id": ID, "stage": "deploy", "state": given})
        return self.fact

    def asked(self, method: str = "GET", after: int = 0) -> int:
        return sum(call.method == method for call in self.fake.calls[after:])


@pytest.fixture
def case(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    fake = StandIn(Clock(), web_url="https://github.test")
    session = requests.Session()
    session.mount("https://", Direct(fake.app))
    monkeypatch.setattr(poll, "github", lambda repository, *_: GitHub(repository, BASE, Secrets(), session))
    monkeypatch.setattr(poll, "table", lambda: rows)
    yield Case(rows, time, fake)
    fake.close()


def test_what_somebody_runs_again_changes_nothing_about_the_first_attempt(case: Case) -> None:
    """The second attempt is refused by `claim` and fails; the stage it repeats had succeeded."""
    case.claim()
    case.finish()
    case.completes("success")
    case.fake.rerun(case.run.id, Script(claims=False, seconds=1e6))
    assert (case.run.attempt, case.run.status) != (1, "completed")
    fact = case.look()
    assert (fact["done"], fact["state"], fact["conclusion"]) == (True, "succeeded", "success")


def test_a_failed_attempt_stays_failed_however_well_it_goes_the_second_time(case: Case) -> None:
    case.claim()
    case.finish("failure")
    case.completes("failure")
    case.fake.rerun(case.run.id, Script(claims=False, appear_seconds=0, seconds=0))
    assert case.fake.settle()
    assert (case.run.attempt, case.run.conclusion) == (2, "success")
    assert case.look()["state"] == "failed"


@pytest.mark.parametrize(
    ("freeze", "why"), [((), "why_unclaimed"), ((Weekly(frozenset(range(7)), 0, 1440, "UTC"),), "why_frozen")]
)
def test_a_second_attempt_of_a_run_that_never_claimed_is_not_waited_for(
    case: Case, monkeypatch: pytest.MonkeyPatch, freeze: tuple[Weekly, ...], why: str
) -> None:
    """During a freeze its claim was refused."""
    target = replace(targets.targets()["dev"], freeze=freeze)
    monkeypatch.setattr(targets, "_cached", lambda *_: {"dev": target})
    case.completes("failure")
    case.fake.rerun(case.run.id, Script(claims=False, seconds=1e6))
    case.time.at = case.run.created + 200
    stages.note(case.rows, ID, "deploy", dispatched_at=case.run.created)
    fact = case.look()
    assert (fact["done"], fact["why"]["key"]) == (True, why)


@pytest.mark.parametrize("path", [RUNS, "jobs"])
def test_a_pause_is_waited_for_and_a_finish_in_between_does_not_shorten_it(case: Case, path: str) -> None:
    case.claim()
    case.look(5)  # the first look asks for the run alone
    case.fake.faults.append(Fault.secondary_limit(path, retry_after=90))
    assert case.look(5)["wait_seconds"] == 90
    case.finish()  # wakes the wait
    before = len(case.fake.calls)
    fact = case.look(30)
    assert (fact["done"], fact["wait_seconds"]) == (False, 60)
    assert len(case.fake.calls) == before, "GitHub was asked during the pause that it had asked for"
    case.completes("success")
    assert case.look(60)["state"] == "succeeded"


def test_a_pause_is_no_reason_to_sleep_past_the_stages_limit(case: Case) -> None:
    case.claim()
    case.fake.faults.append(Fault.secondary_limit(RUNS, retry_after=3600))
    assert case.look(1000)["wait_seconds"] == 800


def test_a_pause_before_the_overdue_run_is_looked_for_is_obeyed(case: Case) -> None:
    case.fake.faults.append(Fault.secondary_limit("/actions/runs$", retry_after=77))
    assert case.look(181)["wait_seconds"] == 77
    before = len(case.fake.calls)
    assert case.look(7)["wait_seconds"] == 70
    assert len(case.fake.calls) == before


def test_a_token_that_does_not_reach_the_repository_any_more_does_not_make_the_run_a_failed_one(case: Case) -> None:
    """GitHub answers 404 to both; the run may still deploy."""
    case.claim()
    case.look()
    case.fake.faults.append(Fault(path="/repos/", status=404, body={"message": "Not Found"}, times=None))
    fact = case.look(60)
    assert (fact["done"], fact["state"], fact["run_id"]) == (False, "running", case.run.id)


def test_a_run_that_somebody_deleted_is_a_failed_one(case: Case) -> None:
    case.claim()
    case.look()
    case.fake.faults.append(Fault(path="/actions/", status=404, body={"message": "Not Found"}, times=None))
    fact = case.look(60)
    assert (fact["done"], fact["state"], fact["conclusion"]) == (True, "failed", "deleted")
    assert fact["run_number"] == case.run.number, "the message still links to it"


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_refusal_is_waited_out_and_at_the_limit_it_is_the_reason(case: Case, status: int) -> None:
    case.claim()
    case.fake.faults.append(Fault(path="/actions/", status=status, body={"message": "No way"}, times=None))
    fact = case.look(60)
    assert (fact["done"], fact["wait_seconds"]) == (False, 30)
    case.look(1740)
    fact = case.look(300)
    assert (fact["done"], fact["state"], fact["unconfirmed"]) == (True, "timed_out", True)
    assert fact["why"]["values"]["status"] == status
    assert fact["why"]["values"]["said"] == "No way"


def test_a_cancel_while_github_is_down_is_not_given_up_at_the_first_look(case: Case) -> None:
    """The run may deploy as long as GitHub has not heard of the cancel: it gets its five minutes."""
    case.claim()
    case.look(600)
    case.fake.down = True
    cancels.record(case.rows, ID, "U0DANA001")
    for _ in range(9):
        assert not case.look(30)["done"]
    fact = case.look(30)
    assert (fact["done"], fact["state"], fact["unconfirmed"]) == (True, "cancelled", True)


def test_the_cancel_of_a_run_is_asked_for_every_half_minute_until_it_has_ended(case: Case) -> None:
    case.claim()
    case.run.script = Script(ignores_cancel=True)
    cancels.record(case.rows, ID, "U0DANA001")
    for _ in range(30):
        case.look(3)
    assert case.asked("POST") == 3
    case.completes("cancelled")
    assert case.look(3)["state"] == "cancelled"


def test_a_pause_asked_for_when_cancelling_is_obeyed(case: Case) -> None:
    case.claim()
    cancels.record(case.rows, ID, "U0DANA001")
    case.fake.faults.append(Fault.secondary_limit("/cancel$", retry_after=45))
    assert case.look(3)["wait_seconds"] == 45


@pytest.mark.parametrize("fault", [Fault(status=503, times=None), Fault(drop=True, times=None)])
def test_an_outage_costs_time_and_nothing_else(case: Case, fault: Fault) -> None:
    case.claim()
    first = case.look(1)
    case.fake.faults.append(fault)
    for _ in range(5):
        fact = case.look(60)
        assert (fact["done"], fact["run_id"]) == (False, case.run.id)
    case.fake.faults.clear()
    case.finish()
    case.completes("success")
    assert case.look(10)["state"] == "succeeded"
    assert first["state"] == "running"
