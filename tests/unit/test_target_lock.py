"""Who may take a target, from whom; and what a rollback does with a deployment that is in its way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatops import clock
from chatops.config import execution_url
from chatops.errors import CancelRecorded, TargetBusy, TargetHeld, Worded
from chatops.github import runs
from chatops.steps import target_lock
from chatops.store import approvals, deployments, locks, releases, stages, waits
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.far import DANA, TARGET, Far, arn, far_ends
from tests.unit.conftest import Time

pytestmark = pytest.mark.slow

WAITING, BACK, OTHER = "d-waiting", "d-back", "d-other"
RUN = 9001


@pytest.fixture
def far(rows: Table, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Far:
    return far_ends(rows, environment, time, tmp_path)


@pytest.fixture
def world(far: Far) -> Far:
    """v2 is live, the deployment of v3 holds the target, and a rollback to v1 is planned."""
    far.deploy("d-one", "v1")
    far.deploy("d-two", "v2")
    far.plan(WAITING, version="v3")
    far.plan(BACK, "rollback", "")
    return far


def holder(far: Far) -> Holder:
    found = locks.holder(far.rows, TARGET)
    assert found
    return found


def unclaimed(far: Far) -> None:
    """From now on the target's runs claim nothing."""
    path = far.folder / "targets.yaml"
    path.write_text("targets:\n  dev:\n    claim: false\n    policy: {rollback_approval: false}\n", "utf-8")
    far.patch.setenv("CHATOPS_TARGETS_FILE", str(path))
    far.forget_targets()


def claim(far: Far, name: str = WAITING, stage: str = "deploy") -> None:
    """A run has claimed the stage, and goes on."""
    token, why = stages.claim(far.rows, far.stage(name, stage), RUN, 1)
    assert token, why
    far.running.add(RUN)


def held(far: Far, name: str = BACK) -> Worded:
    """How it is told that the target cannot be had."""
    with pytest.raises(TargetHeld) as caught:
        far.take(name)
    return caught.value


# -- who holds it ----------------------------------------------------------------------------------------------


def test_the_lock_names_the_deployment_its_execution_its_requester_and_since_when(world: Far) -> None:
    assert holder(world) == Holder(WAITING, arn(WAITING), "deploy", "v3", DANA, clock.iso(world.time.at))


@pytest.mark.parametrize(("status", "running"), [("RUNNING", True), ("ABORTED", False), ("SUCCEEDED", False)])
def test_an_execution_goes_on_while_step_functions_calls_it_running(far: Far, status: str, running: bool) -> None:
    far.end(WAITING, status)
    assert target_lock.execution_is_running(arn(WAITING)) is running


def test_an_execution_that_step_functions_does_not_know_any_more_does_not_go_on(far: Far) -> None:
    def describe_execution(executionArn: str) -> None:  # noqa: N803 - botocore's name
        assert executionArn == arn(WAITING)
        raise far.states.exceptions.ExecutionDoesNotExist({"Error": {"Code": "x"}}, "DescribeExecution")

    far.patch.setattr(far.states, "describe_execution", describe_execution)
    assert not target_lock.execution_is_running(arn(WAITING))


@pytest.mark.parametrize(("stage", "may"), [("build", False), ("deploy", True), ("rollback", True)])
def test_only_a_deploy_or_rollback_run_may_change_the_service(world: Far, stage: str, may: bool) -> None:
    claim(world, WAITING, stage)
    assert target_lock.deploy_run_may_go_on(TARGET, WAITING) is may
    world.running.clear()
    assert not target_lock.deploy_run_may_go_on(TARGET, WAITING)


@pytest.mark.parametrize("stage", ["deploy", "rollback"])
def test_a_run_that_claims_nothing_is_known_by_the_name_of_its_deployment_and_stage(world: Far, stage: str) -> None:
    unclaimed(world)
    world.stage(WAITING, stage)
    asked: list[str] = []
    world.patch.setattr(runs, "named", lambda _client, name, _since: asked.append(name))
    assert target_lock.deploy_run_may_go_on(TARGET, WAITING), "it may be late"
    assert asked == [runs.run_name(WAITING, stage)]


def test_in_a_target_that_is_not_configured_any_more_nothing_is_known_to_run(world: Far) -> None:
    claim(world)
    assert not target_lock.deploy_run_may_go_on("gone", WAITING)
    assert not target_lock.supersedable("gone", holder(world))


def test_a_lock_is_abandoned_when_neither_the_execution_nor_its_run_goes_on(world: Far) -> None:
    claim(world)
    assert target_lock.replaceable(TARGET, OTHER) is None
    world.end(WAITING)
    assert target_lock.replaceable(TARGET, OTHER) is None
    world.running.clear()
    assert target_lock.replaceable(TARGET, OTHER) == holder(world)
    assert target_lock.replaceable(TARGET, WAITING) is None, "nobody replaces itself"


def test_an_execution_that_goes_on_keeps_its_lock_without_any_run(world: Far) -> None:
    assert target_lock.replaceable(TARGET, OTHER) is None
    locks.free(world.rows, TARGET, WAITING)
    assert target_lock.replaceable(TARGET, OTHER) is None, "nobody holds it"


# -- what is in the way when it is planned ---------------------------------------------------------------------


def test_whoever_is_refused_is_told_who_holds_the_target_since_when_and_what_runs(world: Far) -> None:
    refused = target_lock.obstacle(TARGET, OTHER, "deploy")
    assert refused
    assert (refused.key, refused.values) == (
        "busy",
        {
            "target": TARGET,
            "id": WAITING,
            "version": "v3",
            "user": DANA,
            "since": clock.iso(world.time.at),
            "running": "v2",
            "execution": execution_url(arn(WAITING)),
        },
    )


def test_what_runs_is_not_guessed_where_nothing_is_known(far: Far) -> None:
    far.plan(WAITING, version="v1")
    refused = target_lock.obstacle(TARGET, OTHER, "deploy")
    assert refused
    assert refused.values["running"] == "?"


def test_nobody_is_in_the_way_of_itself_of_a_free_target_or_of_what_replaces_the_dead(world: Far) -> None:
    assert target_lock.obstacle(TARGET, WAITING, "deploy") is None
    world.end(WAITING)
    assert target_lock.obstacle(TARGET, OTHER, "deploy") is None
    locks.free(world.rows, TARGET, WAITING)
    assert target_lock.obstacle(TARGET, OTHER, "deploy") is None


@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_a_run_that_goes_on_after_its_execution_has_ended_is_in_the_way(world: Far, command: str) -> None:
    claim(world)
    world.end(WAITING)
    refused = target_lock.obstacle(TARGET, OTHER, command)
    assert refused
    assert refused.values["id"] == WAITING


def test_a_rollback_passes_a_deployment_by_that_changes_nothing_yet(world: Far) -> None:
    world.stage(WAITING, "deploy")
    assert target_lock.obstacle(TARGET, OTHER, "rollback") is None
    assert target_lock.obstacle(TARGET, OTHER, "deploy"), "a deployment does not"
    claim(world)
    assert target_lock.obstacle(TARGET, OTHER, "rollback")


def test_a_rollback_does_not_pass_another_rollback_by(world: Far) -> None:
    world.take(BACK)
    refused = target_lock.obstacle(TARGET, OTHER, "rollback")
    assert refused
    assert refused.values["id"] == BACK


# -- taking it for a rollback ----------------------------------------------------------------------------------


def test_a_free_target_is_taken_and_taken_again_by_the_same(world: Far) -> None:
    locks.free(world.rows, TARGET, WAITING)
    for _ in range(2):
        assert world.take(BACK) == {"superseded": ""}
        assert holder(world) == Holder(BACK, arn(BACK), "rollback", "v1", DANA, clock.iso(world.time.at))


def test_an_abandoned_target_is_taken_over_and_nobody_is_cancelled(world: Far) -> None:
    claim(world)
    world.running.clear()
    world.end(WAITING)
    assert world.take(BACK) == {"superseded": ""}
    assert world.holder() == BACK
    assert approvals.cancelled(world.rows, WAITING) is None


def test_a_target_is_not_taken_over_while_a_run_of_the_execution_that_ended_goes_on(world: Far) -> None:
    claim(world)
    world.end(WAITING)
    with pytest.raises(TargetBusy, match="is held by"):
        world.take(BACK)
    assert world.holder() == WAITING


def test_a_waiting_deployment_gives_way_is_cancelled_in_the_name_of_who_asked_and_is_woken(world: Far) -> None:
    assert world.take(BACK) == {"superseded": WAITING}
    assert world.holder() == BACK
    found = approvals.cancelled(world.rows, WAITING) or {}
    assert (found["by"], found["kind"], found["superseded_by"]) == (DANA, "superseded", BACK)
    assert (waits.counter(world.rows, WAITING), waits.counter(world.rows, BACK)) == (1, 0)


def test_a_deployment_whose_run_is_asked_for_and_has_claimed_nothing_gives_way(world: Far) -> None:
    world.stage(WAITING, "deploy")
    assert world.take(BACK) == {"superseded": WAITING}


def test_a_cancel_that_somebody_asked_for_stays_theirs(world: Far) -> None:
    approvals.cancel(world.rows, WAITING, "U0KIM0001")
    assert world.take(BACK) == {"superseded": WAITING}
    found = approvals.cancelled(world.rows, WAITING) or {}
    assert (found["by"], found["kind"]) == ("U0KIM0001", "cancelled")


def at_the_write(far: Far, happens: Any) -> None:
    """Something happens between the look and the write."""
    transact = Table.transact

    def late(table: Table, *members: Any) -> None:
        far.patch.setattr(Table, "transact", transact)
        happens()
        table.transact(*members)

    far.patch.setattr(Table, "transact", late)


def test_who_claims_at_that_moment_keeps_the_target(world: Far) -> None:
    world.stage(WAITING, "deploy")
    at_the_write(world, lambda: claim(world))
    with pytest.raises(TargetBusy, match=r"^The target changed hands at this moment\.$"):
        world.take(BACK)
    assert world.holder() == WAITING
    assert approvals.cancelled(world.rows, WAITING) is None


@pytest.mark.parametrize("situation", ["free", "own", "abandoned", "waiting"])
@pytest.mark.parametrize("what", ["another deployment ended", "a cancel"])
def test_what_ends_or_is_cancelled_at_that_moment_is_looked_at_again(world: Far, situation: str, what: str) -> None:
    if situation in ("free", "own"):
        locks.free(world.rows, TARGET, WAITING)
    if situation == "own":
        world.take(BACK)
    if situation == "abandoned":
        world.end(WAITING)
    before = world.holder()
    if what == "a cancel":
        at_the_write(world, lambda: world.rows.transact(approvals.cancelling(BACK, DANA)))
    else:
        at_the_write(world, lambda: world.rows.transact(releases.ending(TARGET)))
    with pytest.raises(TargetBusy, match="at this moment"):
        world.take(BACK)
    assert world.holder() == before


@pytest.mark.parametrize("situation", ["abandoned", "waiting"])
def test_a_lock_that_has_passed_on_to_another_at_that_moment_is_left_to_it(world: Far, situation: str) -> None:
    other = Holder(OTHER, arn(OTHER), "rollback", "v1", DANA, "")
    if situation == "abandoned":
        world.end(WAITING)
    at_the_write(world, lambda: world.rows.transact(locks.taking(TARGET, other, holder(world))))
    with pytest.raises(TargetBusy):
        world.take(BACK)
    assert world.holder() == OTHER


def test_a_rollback_that_was_cancelled_takes_nothing(world: Far) -> None:
    approvals.cancel(world.rows, BACK, DANA)
    with pytest.raises(CancelRecorded, match=r"^Somebody cancelled before the rollback began\.$"):
        world.take(BACK)
    assert world.holder() == WAITING


# -- what is live has changed ----------------------------------------------------------------------------------


def test_a_rollback_does_not_begin_from_another_version_than_it_was_planned_from(far: Far) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        far.deploy(name, version)
    far.plan(BACK, "rollback", "v1")
    far.plan(OTHER, "rollback", "")
    far.take(OTHER)
    far.time.pass_by(1)
    assert far.succeed(OTHER)["end"] == "Restored"
    refused = held(far)
    assert refused.args[0] == "dev runs v2 by now, not v3."
    assert (refused.key, refused.values) == (
        "held_changed",
        {"target": TARGET, "live": "v2", "planned": "v3", "version": "v1"},
    )
    assert far.holder() == ""


def planned(far: Far, **changed: Any) -> dict[str, Any]:
    """Take Target with this rollback's plan, changed so (None: without it)."""
    whole = {**far.record(BACK)["plan"], **changed}
    plan = {name: value for name, value in whole.items() if value is not None}
    event = {"deployment_id": BACK, "execution_arn": arn(BACK), "mode": "take", "state": {"plan": plan}}
    return target_lock.take(event)


@pytest.mark.parametrize("live", [None, {}, {"version": ""}])
def test_where_the_plan_knew_of_nothing_live_nothing_has_changed(world: Far, live: dict[str, str] | None) -> None:
    assert planned(world, live=live, ledger="another") == {"superseded": WAITING}


def test_what_the_service_ran_besides_the_ledger_is_no_change_while_the_ledger_stands(world: Far) -> None:
    """The plan names what the service said; the ledger's newest entry may differ, and is the one it saw."""
    assert planned(world, live={"version": "found-running"}) == {"superseded": WAITING}


def test_a_plan_goes_by_the_entry_that_it_saw_and_not_by_the_time(world: Far) -> None:
    (newest, *_) = releases.newest_first(world.rows, TARGET)
    live = {"version": "v0"}
    with pytest.raises(TargetHeld):
        planned(world, live=live, ledger="another", started_at=world.time() + 3600)
    assert planned(world, live=live, ledger=newest.key, started_at=0) == {"superseded": WAITING}


@pytest.mark.parametrize(("seconds", "newer"), [(-1, True), (0, False), (1, False)])
def test_a_plan_of_the_schema_before_goes_by_when_it_began(world: Far, seconds: float, newer: bool) -> None:
    """Verified after the plan began, or before (or at the same moment, when the plan saw it)."""
    (newest, *_) = releases.newest_first(world.rows, TARGET)
    live_since = world.record("d-two")["settled_at"]
    assert newest.verified_at <= live_since
    began = clock.at(0).fromisoformat(newest.verified_at).timestamp() + seconds
    changed = {"live": {"version": "v0"}, "ledger": None, "started_at": began}
    if newer:
        with pytest.raises(TargetHeld):
            planned(world, **changed)
    else:
        assert planned(world, **changed) == {"superseded": WAITING}


# -- waiting for it --------------------------------------------------------------------------------------------


def test_a_rollback_waits_as_long_as_its_plan_says_from_its_first_try_then_gives_up(world: Far) -> None:
    claim(world)
    limit = world.record(BACK)["plan"]["timing"]["take"]
    for seconds in (0, limit - 1, 1):
        world.time.pass_by(seconds)
        with pytest.raises(TargetBusy, match=r"^dev is held by a deployment that is changing the service\.$"):
            world.take(BACK)
    world.time.pass_by(1)
    refused = held(world)
    assert refused.args[0] == "dev is still held by a deployment that is changing the service."
    assert (refused.key, refused.values) == ("held_busy", {"target": TARGET, "version": "v1"})
    assert world.holder() == WAITING


def test_a_run_that_needs_no_claim_is_waited_for_from_its_dispatch_on(world: Far) -> None:
    unclaimed(world)
    stages.prepare(world.rows, WAITING, "deploy", TARGET, 1800)
    at_the_write(world, lambda: stages.note(world.rows, WAITING, "deploy", tried_at=world.time()))
    with pytest.raises(TargetBusy, match="at this moment"):
        world.take(BACK)
    world.patch.setattr(runs, "named", lambda *_: None)
    with pytest.raises(TargetBusy, match="is held by"):
        world.take(BACK)
    assert deployments.get(world.rows, BACK)
