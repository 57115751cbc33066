"""Who may have a target, and what whoever is refused is told."""

from __future__ import annotations

import pytest

from chatops import clock
from chatops.domain.errors import Refusal
from chatops.domain.reason import running
from chatops.github import runs
from chatops.settings.config import execution_url
from chatops.steps import target_lock
from chatops.store import locks
from chatops.store.locks import Holder
from tests.faults.races.fakes import DANA, TARGET, Fake, arn
from tests.unit.lock_session import BACK, OTHER, WAITING, claim, fake, holder, session, unclaimed
from tests.unit.made_up_platform import MadeUp

__all__ = ["fake", "session"]
pytestmark = pytest.mark.slow


# -- who holds it ----------------------------------------------------------------------------------------------


def test_the_lock_names_the_deployment_its_execution_its_requester_and_since_when(session: Fake) -> None:
    assert holder(session) == Holder(WAITING, arn(WAITING), "deploy", "v3", DANA, clock.iso(session.time.at))


@pytest.mark.parametrize(("status", "running"), [("RUNNING", True), ("ABORTED", False), ("SUCCEEDED", False)])
def test_an_execution_goes_on_while_step_functions_calls_it_running(fake: Fake, status: str, running: bool) -> None:
    fake.end(WAITING, status)
    assert (target_lock.execution(arn(WAITING), 0)[0] == "RUNNING") is running


def test_an_execution_that_step_functions_does_not_know_any_more_does_not_go_on(fake: Fake) -> None:
    def describe_execution(executionArn: str) -> None:  # noqa: N803 - botocore's name
        assert executionArn == arn(WAITING)
        raise fake.states.exceptions.ExecutionDoesNotExist({"Error": {"Code": "x"}}, "DescribeExecution")

    fake.patch.setattr(fake.states, "describe_execution", describe_execution)
    assert target_lock.execution(arn(WAITING), fake.time.at - target_lock.YOUNG) == ("GONE", "")


@pytest.mark.parametrize(("stage", "may"), [("build", False), ("deploy", True), ("rollback", True)])
def test_only_a_deploy_or_rollback_run_may_change_the_service(session: Fake, stage: str, may: bool) -> None:
    claim(session, WAITING, stage)
    assert target_lock.deploy_run_may_go_on(TARGET, WAITING) is may
    session.running.clear()
    assert not target_lock.deploy_run_may_go_on(TARGET, WAITING)


@pytest.mark.parametrize("stage", ["deploy", "rollback"])
def test_a_run_that_claims_nothing_is_known_by_the_name_of_its_deployment_and_stage(session: Fake, stage: str) -> None:
    unclaimed(session)
    session.stage(WAITING, stage)
    asked: list[str] = []
    session.patch.setattr(runs, "named", lambda _client, name, _since: asked.append(name))
    assert target_lock.deploy_run_may_go_on(TARGET, WAITING), "it may be late"
    assert asked == [runs.run_name(WAITING, stage)]


def test_in_a_target_that_is_not_configured_any_more_nothing_is_known_to_run(session: Fake) -> None:
    claim(session)
    assert not target_lock.deploy_run_may_go_on("gone", WAITING)
    assert not target_lock.supersedable("gone", holder(session))


def test_a_lock_is_abandoned_when_neither_the_execution_nor_its_run_goes_on(session: Fake) -> None:
    claim(session)
    assert target_lock.replaceable(TARGET, OTHER) is None
    session.end(WAITING)
    assert target_lock.replaceable(TARGET, OTHER) is None
    session.running.clear()
    assert target_lock.replaceable(TARGET, OTHER) == holder(session)
    assert target_lock.replaceable(TARGET, WAITING) is None, "nobody replaces itself"


def test_an_execution_that_goes_on_keeps_its_lock_without_any_run(session: Fake) -> None:
    assert target_lock.replaceable(TARGET, OTHER) is None
    locks.free(session.rows, TARGET, WAITING)
    assert target_lock.replaceable(TARGET, OTHER) is None, "nobody holds it"


# -- what is in the way when it is planned ---------------------------------------------------------------------


def test_whoever_is_refused_is_told_who_holds_the_target_since_when_and_what_runs(session: Fake) -> None:
    refused = target_lock.obstacle(TARGET, OTHER, "deploy")
    assert refused
    assert (refused.key, refused.values) == (
        "busy",
        {
            "target": TARGET,
            "id": WAITING,
            "version": "v3",
            "user": DANA,
            "since": clock.iso(session.time.at),
            "running": running("v2"),
            "execution": execution_url(arn(WAITING)),
        },
    )


def test_a_rollback_under_way_is_called_one(fake: Fake) -> None:
    fake.plan(WAITING, version="v1", command="rollback")
    fake.rows.transact(locks.taking(TARGET, Holder(WAITING, arn(WAITING), "rollback", "v1", DANA, clock.iso(0))))
    refused = target_lock.obstacle(TARGET, OTHER, "deploy")
    assert refused
    assert refused.key == "busy_rollback"


def test_what_runs_is_not_guessed_where_nothing_is_known(fake: Fake) -> None:
    fake.plan(WAITING, version="v1")
    refused = target_lock.obstacle(TARGET, OTHER, "deploy")
    assert refused
    assert refused.values["running"] == running("")


def test_a_service_that_cannot_be_found_does_not_hide_who_holds_its_target(session: Fake) -> None:
    refused = target_lock.obstacle(TARGET, OTHER, "deploy", MadeUp(error=Refusal("no_service")))
    assert refused
    assert (refused.key, refused.values["running"]) == ("busy", running(""))


def test_nobody_is_in_the_way_of_itself_of_a_free_target_or_of_what_replaces_the_dead(session: Fake) -> None:
    assert target_lock.obstacle(TARGET, WAITING, "deploy") is None
    session.end(WAITING)
    assert target_lock.obstacle(TARGET, OTHER, "deploy") is None
    locks.free(session.rows, TARGET, WAITING)
    assert target_lock.obstacle(TARGET, OTHER, "deploy") is None


@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_a_run_that_goes_on_after_its_execution_has_ended_is_in_the_way(session: Fake, command: str) -> None:
    claim(session)
    session.end(WAITING)
    refused = target_lock.obstacle(TARGET, OTHER, command)
    assert refused
    assert refused.values["id"] == WAITING


def test_a_rollback_passes_a_deployment_by_that_changes_nothing_yet(session: Fake) -> None:
    session.stage(WAITING, "deploy")
    assert target_lock.obstacle(TARGET, OTHER, "rollback") is None
    assert target_lock.obstacle(TARGET, OTHER, "deploy"), "a deployment does not"
    claim(session)
    assert target_lock.obstacle(TARGET, OTHER, "rollback")


def test_a_rollback_does_not_pass_another_rollback_by(session: Fake) -> None:
    session.take(BACK)
    refused = target_lock.obstacle(TARGET, OTHER, "rollback")
    assert refused
    assert refused.values["id"] == BACK
