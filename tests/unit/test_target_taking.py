"""How a rollback takes its target: from nobody, from the dead, from a deployment that waits, and when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from chatops import clock
from chatops.domain.deployment import Deployment
from chatops.domain.errors import CancelRecorded, TargetBusy, TargetHeld
from chatops.domain.results import Taken
from chatops.github import runs
from chatops.steps import target_lock
from chatops.store import cancels, deployments, locks, releases, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.fakes import DANA, TARGET, Fake, arn
from tests.unit import stored
from tests.unit.lock_session import BACK, OTHER, WAITING, claim, fake, held, holder, session, unclaimed

__all__ = ["fake", "session"]
pytestmark = pytest.mark.slow


# -- taking it for a rollback ----------------------------------------------------------------------------------


def test_a_free_target_is_taken_and_taken_again_by_the_same(session: Fake) -> None:
    locks.free(session.rows, TARGET, WAITING)
    for _ in range(2):
        assert session.take(BACK) == {"superseded": ""}
        assert holder(session) == Holder(BACK, arn(BACK), "rollback", "v1", DANA, clock.iso(session.time.at))


def test_an_abandoned_target_is_taken_over_and_nobody_is_cancelled(session: Fake) -> None:
    claim(session)
    session.running.clear()
    session.end(WAITING)
    assert session.take(BACK) == {"superseded": ""}
    assert session.holder() == BACK
    assert cancels.get(session.rows, WAITING) is None


def test_a_target_is_not_taken_over_while_a_run_of_the_execution_that_ended_goes_on(session: Fake) -> None:
    claim(session)
    session.end(WAITING)
    with pytest.raises(TargetBusy, match="is held by"):
        session.take(BACK)
    assert session.holder() == WAITING


def test_a_waiting_deployment_gives_way_is_cancelled_in_the_name_of_who_asked_and_is_woken(session: Fake) -> None:
    assert session.take(BACK) == {"superseded": WAITING}
    assert session.holder() == BACK
    found = stored.cancel_of(session.rows, WAITING)
    assert (found.by, found.kind, found.superseded_by) == (DANA, "superseded", BACK)
    assert (wakeups.counter(session.rows, WAITING), wakeups.counter(session.rows, BACK)) == (1, 0)


def test_the_deployment_that_gives_way_need_not_wait_for_its_reminder(session: Fake) -> None:
    assert wakeups.park(session.rows, WAITING, "its-token", wakeups.counter(session.rows, WAITING))
    session.take(BACK)
    assert session.states.answered == ["its-token"]
    assert wakeups.undelivered(session.rows, WAITING) == ""


def test_a_deployment_whose_run_is_asked_for_and_has_claimed_nothing_gives_way(session: Fake) -> None:
    session.stage(WAITING, "deploy")
    assert session.take(BACK) == {"superseded": WAITING}


def test_a_cancel_that_somebody_asked_for_stays_theirs(session: Fake) -> None:
    cancels.record(session.rows, WAITING, "U0KIM0001")
    assert session.take(BACK) == {"superseded": WAITING}
    found = stored.cancel_of(session.rows, WAITING)
    assert (found.by, found.kind) == ("U0KIM0001", "cancelled")


def at_the_write(fake: Fake, happens: Any) -> None:
    """Something happens between the look and the write."""
    transact = Table.transact

    def late(table: Table, *members: Any) -> None:
        fake.patch.setattr(Table, "transact", transact)
        happens()
        table.transact(*members)

    fake.patch.setattr(Table, "transact", late)


def test_who_claims_at_that_moment_keeps_the_target(session: Fake) -> None:
    session.stage(WAITING, "deploy")
    at_the_write(session, lambda: claim(session))
    with pytest.raises(TargetBusy, match=r"^The target changed hands at this moment\.$"):
        session.take(BACK)
    assert session.holder() == WAITING
    assert cancels.get(session.rows, WAITING) is None


@pytest.mark.parametrize("situation", ["free", "own", "abandoned", "waiting"])
@pytest.mark.parametrize("what", ["another deployment ended", "a cancel"])
def test_what_ends_or_is_cancelled_at_that_moment_is_looked_at_again(session: Fake, situation: str, what: str) -> None:
    if situation in ("free", "own"):
        locks.free(session.rows, TARGET, WAITING)
    if situation == "own":
        session.take(BACK)
    if situation == "abandoned":
        session.end(WAITING)
    before = session.holder()
    if what == "a cancel":
        at_the_write(session, lambda: session.rows.transact(cancels.recording(BACK, DANA)))
    else:
        at_the_write(session, lambda: session.rows.transact(releases.ending(TARGET)))
    with pytest.raises(TargetBusy, match="at this moment"):
        session.take(BACK)
    assert session.holder() == before


@pytest.mark.parametrize("situation", ["abandoned", "waiting"])
def test_a_lock_that_has_passed_on_to_another_at_that_moment_is_left_to_it(session: Fake, situation: str) -> None:
    other = Holder(OTHER, arn(OTHER), "rollback", "v1", DANA, "")
    if situation == "abandoned":
        session.end(WAITING)
    at_the_write(session, lambda: session.rows.transact(locks.taking(TARGET, other, holder(session))))
    with pytest.raises(TargetBusy):
        session.take(BACK)
    assert session.holder() == OTHER


def test_a_rollback_that_was_cancelled_takes_nothing(session: Fake) -> None:
    cancels.record(session.rows, BACK, DANA)
    with pytest.raises(CancelRecorded, match=r"^Somebody cancelled before the rollback began\.$"):
        session.take(BACK)
    assert session.holder() == WAITING


# -- what is live has changed ----------------------------------------------------------------------------------


def test_a_rollback_does_not_begin_from_another_version_than_it_was_planned_from(fake: Fake) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        fake.deploy(name, version)
    fake.plan(BACK, "rollback", "v1")
    fake.plan(OTHER, "rollback", "")
    fake.take(OTHER)
    fake.time.pass_by(1)
    assert fake.succeed(OTHER)["end"] == "Restored"
    refused = held(fake)
    assert refused.text.startswith("The rollback did not begin: *dev* runs `v2` by now, not `v3`")
    assert (refused.key, refused.values) == (
        "held_changed",
        {"target": TARGET, "live": "v2", "planned": "v3", "version": "v1"},
    )
    assert fake.holder() == ""


def planned(fake: Fake, **changed: Any) -> dict[str, Any]:
    """Take Target with this rollback's plan, changed so (None: without it)."""
    whole = {**fake.planned(BACK), **changed}
    plan = {name: value for name, value in whole.items() if value is not None}
    event = {"deployment_id": BACK, "execution_arn": arn(BACK), "mode": "take", "state": {"plan": plan}}
    return target_lock.take(Deployment.of(event))


@pytest.mark.parametrize("live", [None, {}, {"version": ""}])
def test_where_the_plan_knew_of_nothing_live_nothing_has_changed(session: Fake, live: dict[str, str] | None) -> None:
    assert planned(session, live=live, ledger="another") == Taken(superseded=WAITING)


def test_what_the_service_ran_besides_the_ledger_is_no_change_while_the_ledger_stands(session: Fake) -> None:
    """The plan names what the service said; the ledger's newest entry may differ, and is the one it saw."""
    assert planned(session, live={"version": "found-running"}) == Taken(superseded=WAITING)


def test_a_plan_goes_by_the_entry_that_it_saw_and_not_by_the_time(session: Fake) -> None:
    (newest, *_) = releases.newest_first(session.rows, TARGET)
    live = {"version": "v0"}
    with pytest.raises(TargetHeld):
        planned(session, live=live, ledger="another", started_at=session.time() + 3600)
    assert planned(session, live=live, ledger=newest.key, started_at=0) == Taken(superseded=WAITING)


# -- waiting for it --------------------------------------------------------------------------------------------


def test_a_rollback_waits_as_long_as_its_plan_says_from_its_first_try_then_gives_up(session: Fake) -> None:
    claim(session)
    limit = session.planned(BACK)["timing"]["take"]
    for seconds in (0, limit - 1, 1):
        session.time.pass_by(seconds)
        with pytest.raises(TargetBusy, match=r"^dev is held by a deployment that is changing the service\.$"):
            session.take(BACK)
    session.time.pass_by(1)
    refused = held(session)
    assert refused.text.startswith("The rollback could not begin: another deployment is still changing *dev*")
    assert (refused.key, refused.values) == ("held_busy", {"target": TARGET, "version": "v1"})
    assert session.holder() == WAITING


def test_a_run_that_needs_no_claim_is_waited_for_from_its_dispatch_on(session: Fake) -> None:
    unclaimed(session)
    stages.prepare(session.rows, WAITING, "deploy", TARGET, 1800)
    at_the_write(session, lambda: stages.note(session.rows, WAITING, "deploy", tried_at=session.time()))
    with pytest.raises(TargetBusy, match="at this moment"):
        session.take(BACK)
    session.patch.setattr(runs, "named", lambda *_: None)
    with pytest.raises(TargetBusy, match="is held by"):
        session.take(BACK)
    assert deployments.get(session.rows, BACK)
