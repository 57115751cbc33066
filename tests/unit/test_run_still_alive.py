"""Whether a run may still change the service decides about the lock, and a cancel that failed is asked for again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatops.domain.deployment import Deployment
from chatops.domain.record import Outcome
from chatops.steps import dispatch, settle, sweep, target_lock
from chatops.store import cancels, locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from fakes.github import Fault
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.stage_session import CANCEL, HOLDER, ID, PLAN, Stage, staged, swept
from tests.unit.steps import call

pytestmark = pytest.mark.slow

GONE = {"message": "Not Found"}


@pytest.fixture
def deploy(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A deploy stage; its execution has ended from outside."""
    with staged(rows, time, monkeypatch, "deploy") as made:
        yield made


UNSURE = {
    **{str(status): Fault(path="/actions/", status=status, times=None) for status in (401, 403, 410, 500, 503)},
    "dropped": Fault(path="/actions/", drop=True, times=None),
    "no JSON": Fault(path="/actions/", status=200, body="<html>", times=None),
    "rate limit": Fault.secondary_limit("/actions/", times=None),
    "404 of everything": Fault(path="/repos/", status=404, body=GONE, times=None),
}


@pytest.mark.parametrize("name", UNSURE)
def test_a_lock_stays_where_github_does_not_say_that_the_run_is_gone(deploy: Stage, name: str) -> None:
    deploy.claim()
    deploy.fake.faults.append(UNSURE[name])
    assert target_lock.deploy_run_may_go_on("dev", ID)
    assert not target_lock.abandoned("dev", HOLDER)
    assert target_lock.replaceable("dev", "d-another") is None
    swept()
    assert deploy.holder() == ID


def test_a_lock_is_free_when_the_run_has_been_deleted(deploy: Stage) -> None:
    """GitHub shows the repository, and not the run."""
    deploy.claim()
    deploy.fake.faults.append(Fault(path="/actions/", status=404, body=GONE, times=None))
    assert not target_lock.deploy_run_may_go_on("dev", ID)
    assert target_lock.abandoned("dev", HOLDER)
    swept()
    assert deploy.holder() == ""


@pytest.mark.parametrize("name", ["build", "deploy"])
def test_sweep_repeats_a_cancel_that_failed_until_the_run_has_ended(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Only a run that may change the service keeps others from the target meanwhile."""
    with staged(rows, time, monkeypatch, name) as stage:
        run = stage.claim()
        stage.fake.faults.append(Fault("POST", CANCEL, status=502, times=3))
        assert swept()["settled"] == [ID]
        swept()
        assert (stage.sent("/cancel"), run.cancel_requested, stage.holder()) == (3, False, ID)
        swept()
        assert (stage.sent("/cancel"), run.cancel_requested, stage.holder()) == (4, True, ID)
        assert target_lock.abandoned("dev", HOLDER) is (name == "build")
        run.status, run.conclusion = "completed", "cancelled"
        assert swept()["freed"] == ["dev"]
        assert stage.holder() == ""


def test_sweep_cancels_nothing_while_the_execution_is_about_to_end(
    deploy: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has settled and kept the lock for its run; whoever cancels that run is itself."""
    monkeypatch.setattr(target_lock, "execution", lambda *_: ("RUNNING", ""))
    monkeypatch.setattr(target_lock, "holder_is_running", lambda _: True)
    deploy.claim()
    sweep.settle(Deployment.of({"deployment_id": ID, "state": {"plan": PLAN}}), Outcome("Deploy Failed"))
    swept()
    assert (deploy.sent("/cancel"), deploy.holder()) == (0, ID)


@pytest.mark.parametrize(
    "fault", [Fault("POST", CANCEL, status=500), Fault("POST", CANCEL, drop=True), Fault("POST", CANCEL, status=403)]
)
def test_a_build_runs_cancel_that_failed_is_asked_for_again(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """GitHub is asked every half minute, not at every look."""
    with staged(rows, time, monkeypatch, "build") as build:
        run = build.claim()
        cancels.record(rows, ID, "U0DANA001")
        build.fake.faults.append(fault)
        looks = [(build.look(seconds)["done"], run.cancel_requested) for seconds in (1, 29, 1)]
        assert looks == [(False, False), (False, False), (False, True)]
        run.status, run.conclusion = "completed", "cancelled"
        assert build.look(1)["state"] == "cancelled"


def test_somebody_elses_lock_is_never_freed(deploy: Stage) -> None:
    """The deployment has ended, and the target is another's by now."""
    deploy.claim()
    swept()
    other = Holder("d-another", "arn:aws:states:y", "deploy", "v9", "U0LEE0001", "2026-01-01T00:00:00.000Z")
    stored.begin(
        deploy.rows,
        "d-another",
        other.execution_arn,
        {"target": "dev", "command": "deploy", "version": "v9", "requester": {"id": "U0LEE0001"}},
        locks.taking("dev", other, HOLDER),
    )
    assert not locks.free(deploy.rows, "dev", ID)
    assert deploy.holder() == "d-another"


@pytest.mark.parametrize("name", ["deploy", "rollback"])
def test_a_stage_whose_end_nobody_has_seen_keeps_the_lock(
    rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Its looks broke off (a permission was taken away, say) while its run went on."""
    with staged(rows, time, monkeypatch, name) as stage:
        run = stage.claim()
        assert not stage.look()["done"]
        settle.settle(Deployment.of({"deployment_id": ID, "state": {"plan": PLAN, name: stage.fact}}))
        assert stage.holder() == ID
        run.status, run.conclusion = "completed", "success"
        assert swept()["freed"] == ["dev"]


def test_what_is_put_back_is_not_overtaken_by_a_run_that_comes_late(deploy: Stage) -> None:
    """The deploy stage's looks broke off before its run had claimed: then something is put back."""
    stages.prepare(deploy.rows, ID, "deploy", "dev", 3600)
    event = {"deployment_id": ID, "stage": "rollback", "state": {"plan": PLAN}}
    call(dispatch.run, event)
    assert stages.claim(deploy.rows, ID, "deploy", 7) == "this deploy stage's ticket is revoked"
