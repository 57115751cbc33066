"""One deployment at a time per target, its record, its end, and the ledger of releases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops.domain import codec, release
from chatops.domain.deployment import Deployment
from chatops.domain.record import Outcome, Record
from chatops.domain.release import Release
from chatops.store import cancels, deployments, locks, messages, outbox, releases
from chatops.store.locks import Holder
from chatops.store.messages import Message
from chatops.store.table import Conflict, Table
from tests.unit import stored

TARGET = "prod"


def holder(name: str) -> Holder:
    return Holder(name, f"arn:{name}", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")


def plan(version: str = "v1.2.3") -> dict[str, Any]:
    return {"target": TARGET, "command": "deploy", "version": version, "requester": {"id": "U0DANA001"}}


def begin(rows: Table, name: str) -> Record:
    stored.begin(rows, name, f"arn:{name}", plan(), locks.taking(TARGET, holder(name)))
    return stored.record_of(rows, name)


def who(rows: Table) -> str:
    found = locks.holder(rows, TARGET)
    return found.deployment_id if found else ""


# -- the lock ------------------------------------------------------------------------------------------------


def test_of_sixteen_that_take_a_target_at_once_one_holds_it_and_leaves_a_record(rows: Table) -> None:
    def take(n: int) -> tuple[int, ...]:
        try:
            begin(rows, f"d-{n}")
        except Conflict as conflict:
            return conflict.failed
        return ()

    with ThreadPoolExecutor(16) as crowd:
        stood_in_the_way = list(crowd.map(take, range(16)))
    assert sorted(stood_in_the_way) == [(), *[(0,)] * 15], "the lock is the first member"
    winner = f"d-{stood_in_the_way.index(())}"
    assert who(rows) == winner
    assert [each.deployment_id for each in deployments.unsettled(rows)] == [winner]


def test_taking_again_what_one_holds_is_no_conflict(rows: Table) -> None:
    for _ in range(2):
        rows.transact(locks.taking(TARGET, holder("d-1")))
    assert who(rows) == "d-1"


def test_a_lock_is_taken_over_from_exactly_the_holder_that_was_looked_at(rows: Table) -> None:
    rows.transact(locks.taking(TARGET, holder("d-1")))
    with pytest.raises(Conflict):
        rows.transact(locks.taking(TARGET, holder("d-3"), over=holder("d-2")))
    rows.transact(locks.taking(TARGET, holder("d-3"), over=holder("d-1")))
    assert who(rows) == "d-3"


def test_of_sixteen_that_take_over_an_abandoned_lock_one_gets_it(rows: Table) -> None:
    rows.transact(locks.taking(TARGET, holder("d-old")))

    def take(n: int) -> bool:
        try:
            rows.transact(locks.taking(TARGET, holder(f"d-{n}"), over=holder("d-old")))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(16) as crowd:
        assert list(crowd.map(take, range(16))).count(True) == 1


def test_an_older_deployment_of_the_same_person_never_frees_a_newer_ones_lock(rows: Table) -> None:
    rows.transact(locks.taking(TARGET, holder("d-new")))
    assert not locks.free(rows, TARGET, "d-old")
    assert locks.holds(rows, TARGET, "d-new")
    assert locks.free(rows, TARGET, "d-new")
    assert not locks.free(rows, TARGET, "d-new")
    assert locks.holder(rows, TARGET) is None


# -- the record ----------------------------------------------------------------------------------------------


def test_a_deployment_that_begins_twice_keeps_its_first_plan(rows: Table) -> None:
    begin(rows, "d-1")
    again = stored.begin(rows, "d-1", "arn:d-1", plan("v9"), locks.taking(TARGET, holder("d-1")))
    assert again.version == "v1.2.3"


def test_of_two_steps_that_begin_the_same_deployment_at_once_both_get_the_plan_that_stands(rows: Table) -> None:
    with ThreadPoolExecutor(2) as two:
        made = [
            two.submit(stored.begin, rows, "d-1", "arn", plan(v), locks.taking(TARGET, holder("d-1")))
            for v in ("v1", "v2")
        ]
    assert {one.result().version for one in made} == {begin(rows, "d-1").plan.version}
    assert len(deployments.history(rows, TARGET)) == 1


def test_a_plan_keeps_its_fractions_through_the_table(rows: Table) -> None:
    """DynamoDB knows no floats; the plan is one text."""
    stored.begin(rows, "d-1", "arn", {**plan(), "started_at": 1_760_000_000.123})
    assert stored.record_of(rows, "d-1").plan.started_at == 1_760_000_000.123


# -- the end -------------------------------------------------------------------------------------------------


def test_settling_writes_the_outcome_everywhere_and_frees_the_lock(rows: Table) -> None:
    record = begin(rows, "d-1")
    assert deployments.settle(rows, record, Outcome("Deployed"), releases.adding(TARGET, Release("v1.2.3"))) == ""
    assert stored.record_of(rows, "d-1").outcome == Outcome("Deployed")
    assert deployments.history(rows, TARGET)[0].end == "Deployed"
    assert (who(rows), deployments.unsettled(rows)) == ("", [])
    assert [r.version for r in releases.newest_first(rows, TARGET)] == ["v1.2.3"]


def test_settling_again_changes_nothing(rows: Table) -> None:
    record = begin(rows, "d-1")
    deployments.settle(rows, record, Outcome("Deployed"))
    begin(rows, "d-2")
    assert (
        deployments.settle(rows, record, Outcome("Build Failed"), releases.adding(TARGET, Release("v0"))) == "settled"
    )
    assert stored.record_of(rows, "d-1").outcome == Outcome("Deployed")
    assert who(rows) == "d-2", "a deployment that ended frees nobody else's lock"
    assert releases.newest_first(rows, TARGET) == []


def test_eight_that_settle_at_once_write_one_outcome(rows: Table) -> None:
    record = begin(rows, "d-1")
    with ThreadPoolExecutor(8) as crowd:
        told = list(crowd.map(lambda n: deployments.settle(rows, record, Outcome(str(n))), range(8)))
    assert sorted(told) == ["", *["settled"] * 7]
    assert stored.record_of(rows, "d-1").outcome == Outcome(str(told.index("")))


def test_a_success_is_not_written_over_a_cancel(rows: Table) -> None:
    record = begin(rows, "d-1")
    cancels.record(rows, "d-1", "U0DANA001")
    assert deployments.settle(rows, record, Outcome("Deployed"), unless_cancelled=True) == "cancelled"
    assert who(rows) == "d-1"
    assert deployments.settle(rows, record, Outcome("Restored")) == ""


def test_settling_goes_through_although_the_lock_has_passed_on(rows: Table) -> None:
    record = begin(rows, "d-1")
    rows.transact(locks.taking(TARGET, holder("d-2"), over=holder("d-1")))
    assert deployments.settle(rows, record, Outcome("Cancelled")) == ""
    assert who(rows) == "d-2"


def test_a_lock_that_passes_on_between_the_look_and_the_write_is_left_alone(
    rows: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, look = begin(rows, "d-1"), locks.holds

    def slow(table: Table, target: str, name: str) -> bool:
        held = look(table, target, name)
        if held:
            rows.transact(locks.taking(TARGET, holder("d-2"), over=holder("d-1")))
        return held

    monkeypatch.setattr(locks, "holds", slow)
    assert deployments.settle(rows, record, Outcome("Cancelled")) == ""
    assert who(rows) == "d-2"


def test_a_lock_is_kept_where_a_run_may_still_deploy(rows: Table) -> None:
    record = begin(rows, "d-1")
    assert deployments.settle(rows, record, Outcome("Stopped"), keep_lock=True) == ""
    assert who(rows) == "d-1"


# -- releases ------------------------------------------------------------------------------------------------


class Ledger:
    """A target's ledger, as deployments and rollbacks write it."""

    def __init__(self, rows: Table) -> None:
        self.rows, self.n = rows, 0

    def live(self) -> str:
        known = releases.newest_first(self.rows, TARGET)
        return known[0].version if known else ""

    def _add(self, version: str) -> Any:
        self.n += 1
        return releases.adding(TARGET, Release(version, verified_at=f"2026-01-01T00:00:{self.n:02d}.000Z"))

    def deployed(self, *versions: str) -> None:
        for version in versions:
            self.rows.transact(self._add(version), releases.clearing(TARGET, Release(version)))

    def back(self) -> str:
        """Where a rollback goes now; nothing where it goes nowhere."""
        live = Release(self.live())
        found = release.way_back(releases.newest_first(self.rows, TARGET), live, releases.left(self.rows, TARGET))
        if found is None:
            return ""
        releases.leave(self.rows, TARGET, live)
        self.rows.transact(self._add(found.version))
        return found.version


def test_rolling_back_twice_goes_back_twice_and_never_forward_again(rows: Table) -> None:
    ledger = Ledger(rows)
    ledger.deployed("v1", "v2", "v3")
    assert [ledger.back(), ledger.back(), ledger.back()] == ["v2", "v1", ""]
    assert ledger.live() == "v1"


def test_a_later_verified_deployment_clears_the_mark(rows: Table) -> None:
    ledger = Ledger(rows)
    ledger.deployed("v1", "v2", "v3")
    assert ledger.back() == "v2"
    ledger.deployed("v3", "v4")
    assert ledger.back() == "v3"


def test_the_same_version_deployed_twice_is_no_way_back_from_itself(rows: Table) -> None:
    ledger = Ledger(rows)
    ledger.deployed("v1", "v2", "v2")
    assert ledger.back() == "v1"


def test_with_one_release_or_none_there_is_no_way_back(rows: Table) -> None:
    ledger = Ledger(rows)
    assert ledger.back() == ""
    ledger.deployed("v1")
    assert ledger.back() == ""


V1, V2, V3 = (Release(f"v{n}", sha=str(n) * 40, verified_at=f"2026-0{n}") for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("ledger", "live", "left", "back"),
    [
        ((V3, V2, V1), V2, "", V1),  # a rollback that ended as failed, and came up a moment later
        ((V2, V1), V1, "", None),
        ((V3, V2, V1), V3, V2.sha, V1),
        ((V1, V2, V1), V1, "", V2),  # v1 deployed once more: v2 is what ran before
        ((replace(V2, version="2222222"), V2, V1), V2, "", V1),  # one commit by two names
        ((V2, V1), Release("by-hand", verified_at="2026-09"), "", V2),
        ((V2, V1), None, "", V2),
        ((replace(V2, verified_at=""), V1), Release("by-hand"), "", V1),
    ],
)
def test_a_way_back_is_verified_older_than_what_runs_and_another_commit(
    ledger: tuple[Release, ...], live: Release | None, left: str, back: Release | None
) -> None:
    assert release.way_back(ledger, live, frozenset([left])) == back


def test_a_release_is_named_with_or_without_its_v_and_exactly_first() -> None:
    known = [Release("v1.2.3", image="new"), Release("1.2.2"), Release("v1.2.3", image="old"), Release("1.2.3")]
    assert release.named(known, "v1.2.3") == known[0]
    assert release.named(known, "1.2.3") == known[3]
    assert release.named(known, "v1.2.2") == known[1]
    assert release.named(known, "v9") is None


def test_a_release_survives_the_table_and_the_state(rows: Table) -> None:
    made = Release("v1", "abc", "repo@sha256:1", "td:1", "d-CODEDEPLOY", "d-1", "2026-01-01T00:00:00.000Z")
    rows.transact(releases.adding(TARGET, made))
    assert releases.newest_first(rows, TARGET) == [made]
    assert codec.read(Release, codec.as_json(made)) == made


def test_releases_and_records_carry_the_schema_and_never_expire(rows: Table) -> None:
    rows.transact(releases.adding(TARGET, Release("v1")))
    begin(rows, "d-1")
    for row in (rows.query(f"TARGET#{TARGET}", "RELEASE#")[0], rows.get("DEPLOYMENT#d-1", "RECORD") or {}):
        assert row["schema"] == 1
        assert "expires_at" not in row


# -- messages ------------------------------------------------------------------------------------------------


def test_marks_of_what_was_said_are_kept_beside_each_other(rows: Table) -> None:
    for mark in ("approval", "final", "approval"):
        messages.noted(rows, "d-1", mark)
    assert sorted(messages.get(rows, "d-1").said) == ["approval", "final"]


def test_the_first_post_is_the_deployments_message(rows: Table) -> None:
    messages.posted(rows, "d-1", "C1", "1.1")
    assert messages.posted(rows, "d-1", "C2", "2.2").ts == "1.1"
    assert messages.get(rows, "d-1").channel == "C1"
    assert messages.get(rows, "d-2") == Message()


def test_a_final_message_is_owed_from_the_moment_of_the_outcome_until_it_is_delivered(rows: Table) -> None:
    record = begin(rows, "d-1")
    final = Deployment("d-1", "arn", record.plan, planned=True, outcome=Outcome("Deployed", seconds=0.5))
    deployments.settle(rows, record, Outcome("Deployed"), outbox.owing(final))
    assert [each.deployment for each in outbox.waiting(rows)] == [final]
    outbox.delivered(rows, "d-1")
    assert outbox.waiting(rows) == []


# -- DynamoDB's own words ------------------------------------------------------------------------------------


class Busy:
    """A client whose transactions meet others on the same items, some times."""

    class exceptions:  # noqa: N801 - botocore's name
        class TransactionCanceledException(ClientError):
            pass

    def __init__(self, times: int, *codes: str) -> None:
        self.times, self.codes, self.calls = times, codes, 0

    def transact_write_items(self, **_arguments: Any) -> None:
        self.calls += 1
        if self.calls <= self.times:
            answer = {
                "Error": {"Code": "TransactionCanceledException"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
                "CancellationReasons": [{"Code": code} for code in self.codes],
            }
            raise self.exceptions.TransactionCanceledException(answer, "TransactWriteItems")


def test_a_transaction_that_met_another_one_is_tried_again() -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
    busy = Busy(2, "None", "TransactionConflict")
    Table("t", busy).transact(locks.freeing(TARGET, "d-1"))
    assert busy.calls == 3


def test_a_transaction_that_keeps_meeting_others_is_transient_trouble() -> None:
    from chatops import aws

    busy = Busy(99, "TransactionConflict")
    with pytest.raises(ClientError) as caught:
        Table("t", busy).transact(locks.freeing(TARGET, "d-1"))
    assert aws.is_transient(caught.value)
    assert busy.calls < 10


def test_a_condition_that_failed_decides_even_beside_a_conflict() -> None:
    busy = Busy(99, "ConditionalCheckFailed", "TransactionConflict")
    with pytest.raises(Conflict) as caught:
        Table("t", busy).transact(locks.freeing(TARGET, "d-1"))
    assert (caught.value.failed, busy.calls) == ((0,), 1)


def test_a_transaction_that_is_wrong_in_itself_is_not_transient() -> None:
    from chatops import aws

    with pytest.raises(ClientError) as caught:
        Table("t", Busy(99, "ValidationError")).transact(locks.freeing(TARGET, "d-1"))
    assert not aws.is_transient(caught.value)


def test_a_message_that_is_gone_gives_way_to_the_one_that_was_posted_for_it(rows: Table) -> None:
    messages.posted(rows, "d-1", "C1", "1.1")
    assert messages.posted(rows, "d-1", "C1", "2.2", instead_of="1.1").ts == "2.2"
    assert messages.posted(rows, "d-1", "C1", "3.3", instead_of="1.1").ts == "2.2", "somebody else replaced it first"
