"""What is written of a stage, to the last attribute, and each thing alone that a claim, a try and a finish need."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain.record import Outcome
from chatops.domain.run_token import ExpectedRun
from chatops.domain.stage import STAGES, Stage
from chatops.store import cancels, deployments, locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Conflict, Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.stored import stage_of
from tests.unit.test_store_stages import HOLDER, ID, PLAN, RUN, TARGET

pytestmark = pytest.mark.slow

NOW = 1_760_000_000
EXPECTED = ExpectedRun("704218356", "main", ".github/workflows/dev_deploy.yml", "acme/pipeline", "prod")
OTHER = Holder("d-other", "arn:other", "rollback", "v1.2.2", "U0LEE0001", "2026-01-01T00:00:01.000Z")


@pytest.fixture
def table(rows: Table, time: Time) -> Table:
    """A table with one deployment under way, holding its target."""
    stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking(TARGET, HOLDER))
    return rows


def row(table: Table, stage: str = "deploy") -> dict[str, Any]:
    found = table.get(f"DEPLOYMENT#{ID}", f"STAGE#{stage}")
    assert found is not None
    return found


def ticket(table: Table, stage: str = "deploy") -> str:
    return str(stages.prepare(table, ID, stage, TARGET, 1800).ticket)


def claimed(table: Table, stage: str = "deploy") -> None:
    """A run has claimed the stage."""
    ticket(table, stage)
    assert stages.claim(table, ID, stage, RUN) == ""


# -- the ticket ------------------------------------------------------------------------------------------------


def test_a_stage_is_written_with_its_ticket_and_the_ticket_with_its_stage(table: Table) -> None:
    made = stages.prepare(table, ID, "deploy", TARGET, 1800)
    paper = made.ticket
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", paper), "32 bytes of chance"
    written = {
        "pk": f"DEPLOYMENT#{ID}",
        "sk": "STAGE#deploy",
        "state": "ready",
        "ticket": paper,
        "target": TARGET,
        "created_at": NOW,
        "valid_until": NOW + 1800,
    }
    assert row(table) == {**written, "schema": 1}
    assert (
        made == stage_of(table, ID, "deploy") == Stage("ready", paper, TARGET, created_at=NOW, valid_until=NOW + 1800)
    )
    assert table.get(f"TICKET#{stages._hash(paper)}", "TICKET") == {
        "pk": f"TICKET#{stages._hash(paper)}",
        "sk": "TICKET",
        "deployment_id": ID,
        "stage": "deploy",
        "target": TARGET,
        "expires_at": NOW + 30 * 86_400,
        "schema": 1,
    }
    assert re.fullmatch(r"[0-9a-f]{64}", stages._hash(paper))


def test_a_step_that_runs_again_writes_nothing(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stages.prepare(table, ID, "deploy", TARGET, 1800)
    monkeypatch.setattr(table, "transact", lambda *_: pytest.fail("it wrote"))
    assert stages.prepare(table, ID, "deploy", TARGET, 1800) == made


def test_a_step_that_runs_twice_at_once_gets_the_ticket_that_stands(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, look = ticket(table), stages.get
    monkeypatch.setattr(stages, "get", lambda *_: monkeypatch.setattr(stages, "get", look))  # it saw nothing yet
    assert stages.prepare(table, ID, "deploy", TARGET, 1800) == stage_of(table, ID, "deploy")
    assert row(table)["ticket"] == first


def test_a_ticket_that_cannot_be_written_for_another_reason_is_an_error(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def transact(*_members: Any) -> None:
        raise Conflict(failed=(1,))

    monkeypatch.setattr(table, "transact", transact)
    with pytest.raises(Conflict):
        stages.prepare(table, ID, "deploy", TARGET, 1800)


def test_facts_are_noted_beside_what_is_known_of_a_stage_that_there_is(table: Table) -> None:
    paper = ticket(table)
    stages.note(table, ID, "deploy", dispatched_at=NOW, tried_at=NOW - 3)
    made = stage_of(table, ID, "deploy")
    assert (made.ticket, made.dispatched_at, made.tried_at) == (paper, NOW, NOW - 3)
    with pytest.raises(Conflict):
        stages.note(table, ID, "build", tried_at=1)
    assert stages.get(table, ID, "build") is None


# -- what may stand in the way -----------------------------------------------------------------------------------


def cancel(table: Table) -> None:
    assert cancels.record(table, ID, "U0DANA001") is None


def end(table: Table) -> None:
    assert deployments.settle(table, stored.record_of(table, ID), Outcome("Stopped"), keep_lock=True) == ""


def pass_on(table: Table) -> None:
    table.transact(locks.taking(TARGET, OTHER, HOLDER))


def free(table: Table) -> None:
    assert locks.free(table, TARGET, ID)


def revoke(table: Table) -> None:
    for stage in STAGES:
        stages.revoke(table, ID, stage)


HAPPENS: dict[str, tuple[Callable[[Table], None], str]] = {
    "it has ended": (end, "the deployment has ended"),
    "the target is another's": (pass_on, "the deployment no longer holds its target"),
    "the target is nobody's": (free, "the deployment no longer holds its target"),
    "it was cancelled": (cancel, "the deployment was cancelled"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("what", [*HAPPENS, "revoked"])
def test_a_run_is_asked_for_only_while_the_deployment_may_go_on(table: Table, stage: str, what: str) -> None:
    ticket(table, stage)
    (revoke if what == "revoked" else HAPPENS[what][0])(table)
    may = stage == "rollback" and what == "it was cancelled"  # that is what the cancel asks for
    assert stages.trying(table, ID, stage, TARGET, EXPECTED) is may
    assert row(table, stage).get("tried_at") == (NOW if may else None)
    assert stage_of(table, ID, stage).expected == (EXPECTED if may else ExpectedRun())


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_is_asked_for_is_remembered_before_it_is(table: Table, time: Time, stage: str) -> None:
    ticket(table, stage)
    for seconds in (0, 5):
        time.pass_by(seconds)
        assert stages.trying(table, ID, stage, TARGET, EXPECTED)
        assert row(table, stage)["tried_at"] == NOW + seconds
    other = "build" if stage == "deploy" else "deploy"
    assert not stages.trying(table, ID, other, TARGET, EXPECTED), "it has no ticket"


def test_a_stage_that_is_claimed_is_not_asked_for_again(table: Table) -> None:
    claimed(table)
    assert not stages.trying(table, ID, "deploy", TARGET, EXPECTED)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("what", HAPPENS)
def test_a_claim_is_refused_in_words_for_each_thing_that_stands_in_its_way(table: Table, stage: str, what: str) -> None:
    ticket(table, stage)
    happens, words = HAPPENS[what]
    happens(table)
    why = stages.claim(table, ID, stage, RUN)
    if stage == "rollback" and what == "it was cancelled":
        assert why == ""
    else:
        assert why == words
        assert row(table, stage)["state"] == "ready"


def test_of_several_things_in_the_way_the_first_is_told(table: Table) -> None:
    ticket(table)
    pass_on(table)
    cancel(table)
    end(table)
    assert stages.claim(table, ID, "deploy", RUN) == "the deployment has ended"


def test_a_ticket_that_another_run_uses_at_that_moment_is_used(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket(table)
    look = stages.get

    def late(*where: Any) -> Any:
        found = look(*where)
        table.update(f"DEPLOYMENT#{ID}", "STAGE#deploy", "SET #state = :other", values={"other": "claimed"})
        return found

    monkeypatch.setattr(stages, "get", late)
    assert stages.claim(table, ID, "deploy", RUN) == "its ticket is used"


def test_a_ticket_whose_stage_is_gone_is_unknown(table: Table) -> None:
    paper = ticket(table)
    table.delete(f"DEPLOYMENT#{ID}", "STAGE#deploy")
    assert stages.of_ticket(table, paper) is None
    assert stages.claim(table, ID, "deploy", RUN) == "unknown ticket"


# -- the claim and the finish ----------------------------------------------------------------------------------


def test_a_claim_is_written_with_its_run_and_when(table: Table, time: Time) -> None:
    stages.prepare(table, ID, "deploy", TARGET, 1800)
    before = row(table)
    time.pass_by(10)
    claimed(table)
    assert row(table) == {**before, "state": "claimed", "run_id": RUN, "claimed_at": NOW + 10}


def test_a_finish_is_written_with_its_outcome_outputs_and_when(table: Table, time: Time) -> None:
    claimed(table)
    before = row(table)
    time.pass_by(10)
    assert stages.finish(table, ID, "deploy", RUN, "failure", {"failed_job": "deploy"}) == "recorded"
    assert row(table) == {
        **before,
        "state": "finished",
        "outcome": "failure",
        "outputs": {"failed_job": "deploy"},
        "finished_at": NOW + 10,
    }


@pytest.mark.parametrize("state", ["ready", "claimed", "finished", "revoked"])
@pytest.mark.parametrize("differs", ["run", "outcome", "outputs", ""])
def test_a_report_counts_for_a_claimed_stage_and_again_for_the_finished_one(
    table: Table, state: str, differs: str
) -> None:
    claimed(table)
    stages.finish(table, ID, "deploy", RUN, "success", {"image": "i@s"})
    table.update(f"DEPLOYMENT#{ID}", "STAGE#deploy", "SET #state = :state", values={"state": state})
    run, outcome = RUN + (differs == "run"), "failure" if differs == "outcome" else "success"
    found = stages.finish(table, ID, "deploy", run, outcome, {"image": "x@s" if differs == "outputs" else "i@s"})
    if state not in ("claimed", "finished") or differs == "run":
        assert found == "not_claimed"
    else:
        assert found == ("other_report" if state == "finished" and differs else "recorded")


# -- the revocation --------------------------------------------------------------------------------------------


def test_a_revocation_leaves_everything_but_the_state_and_happens_once(table: Table) -> None:
    stages.prepare(table, ID, "build", TARGET, 1800)
    before = {**row(table, "build"), "state": "revoked"}
    assert stages.revoke(table, ID, "build") == stage_of(table, ID, "build")
    assert row(table, "build") == before
    assert stages.revoke(table, ID, "build") == stage_of(table, ID, "build")
    assert row(table, "build") == before
    assert stages.revoke(table, ID, "rollback") is None
    assert stages.get(table, ID, "rollback") is None


def test_a_revoked_ticket_and_a_finished_one_are_refused_in_words(table: Table) -> None:
    ticket(table, "build")
    stages.revoke(table, ID, "build")
    assert stages.claim(table, ID, "build", RUN) == "this build stage's ticket is revoked"
    claimed(table)
    stages.finish(table, ID, "deploy", RUN, "success", {})
    assert stages.claim(table, ID, "deploy", RUN) == "this deploy stage's ticket is used"
