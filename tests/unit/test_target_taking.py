"""How a rollback takes its target: from nobody, from the dead, from a deployment that waits, and when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from chatops import clock
from chatops.domain.errors import CancelRecorded, TargetBusy, TargetHeld
from chatops.github import runs
from chatops.steps import target_lock
from chatops.store import cancels, deployments, locks, releases, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.far import DANA, TARGET, Far, arn
from tests.unit.lock_world import BACK, OTHER, WAITING, claim, far, held, holder, unclaimed, world

__all__ = ["far", "world"]
pytestmark = pytest.mark.slow


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
    assert cancels.get(world.rows, WAITING) is None


def test_a_target_is_not_taken_over_while_a_run_of_the_execution_that_ended_goes_on(world: Far) -> None:
    claim(world)
    world.end(WAITING)
    with pytest.raises(TargetBusy, match="is held by"):
        world.take(BACK)
    assert world.holder() == WAITING


def test_a_waiting_deployment_gives_way_is_cancelled_in_the_name_of_who_asked_and_is_woken(world: Far) -> None:
    assert world.take(BACK) == {"superseded": WAITING}
    assert world.holder() == BACK
    found = cancels.get(world.rows, WAITING) or {}
    assert (found["by"], found["kind"], found["superseded_by"]) == (DANA, "superseded", BACK)
    assert (wakeups.counter(world.rows, WAITING), wakeups.counter(world.rows, BACK)) == (1, 0)


def test_the_deployment_that_gives_way_need_not_wait_for_its_reminder(world: Far) -> None:
    assert wakeups.park(world.rows, WAITING, "its-token", wakeups.counter(world.rows, WAITING))
    world.take(BACK)
    assert world.states.answered == ["its-token"]
    assert wakeups.undelivered(world.rows, WAITING) == ""


def test_a_deployment_whose_run_is_asked_for_and_has_claimed_nothing_gives_way(world: Far) -> None:
    world.stage(WAITING, "deploy")
    assert world.take(BACK) == {"superseded": WAITING}


def test_a_cancel_that_somebody_asked_for_stays_theirs(world: Far) -> None:
    cancels.record(world.rows, WAITING, "U0KIM0001")
    assert world.take(BACK) == {"superseded": WAITING}
    found = cancels.get(world.rows, WAITING) or {}
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
    assert cancels.get(world.rows, WAITING) is None


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
        at_the_write(world, lambda: world.rows.transact(cancels.recording(BACK, DANA)))
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
    cancels.record(world.rows, BACK, DANA)
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
