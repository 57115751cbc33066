"""Tickets: one ticket, one run, while the deployment wants it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatops.domain.record import Outcome
from chatops.domain.stage import Outputs
from chatops.store import cancels, deployments, locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.stored import stage_of

ID, TARGET, RUN = "d-abcdefghijkl", "prod", 9001
PLAN: dict[str, Any] = {"target": TARGET, "command": "deploy", "version": "v1.2.3", "requester": {"id": "U0DANA001"}}
HOLDER = Holder(ID, "arn:aws:states:x", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")


@pytest.fixture
def table(rows: Table, time: Any) -> Table:
    """A table with one deployment under way, holding its target."""
    stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking(TARGET, HOLDER))
    return rows


def ticket(table: Table, stage: str = "deploy") -> str:
    return str(stages.prepare(table, ID, stage, TARGET, 1800).ticket)


def test_a_ticket_is_made_once_however_often_the_step_runs(table: Table) -> None:
    first = ticket(table)
    assert ticket(table) == first
    assert ticket(table, "build") != first
    assert len(first) >= 43


def test_a_stage_is_claimed_once_and_the_same_run_is_told_the_same_again(table: Table) -> None:
    ticket(table)
    for _ in range(3):
        assert stages.claim(table, ID, "deploy", RUN) == ""
    made = stage_of(table, ID, "deploy")
    assert (made.state, made.run_id) == ("claimed", RUN)
    assert stages.claim(table, ID, "deploy", RUN + 1) == "this deploy stage's ticket is used"


def test_of_sixteen_runs_one_is_let_in(table: Table) -> None:
    ticket(table)
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda run: stages.claim(table, ID, "deploy", run), range(1, 17)))
    assert [n for n, why in enumerate(answers, 1) if not why] == [stage_of(table, ID, "deploy").run_id]


@pytest.mark.parametrize("wrong", ["", "x", "A" * 43, "TICKET#abc"])
def test_a_ticket_leads_to_its_stage_and_one_that_nobody_wrote_to_none(table: Table, wrong: str) -> None:
    paper = ticket(table)
    assert stages.of_ticket(table, paper) == (ID, "deploy", stage_of(table, ID, "deploy"))
    assert stages.of_ticket(table, wrong) is None


def test_a_stage_that_was_never_prepared_is_claimed_by_nobody(table: Table) -> None:
    assert stages.claim(table, ID, "deploy", RUN) == "unknown ticket"


def test_a_ticket_expires_with_its_stage(table: Table, time: Any) -> None:
    ticket(table)
    time.pass_by(1801)
    assert stages.claim(table, ID, "deploy", RUN) == "this deploy stage's ticket has expired"


def test_at_its_last_second_a_ticket_is_good(table: Table, time: Any) -> None:
    ticket(table)
    time.pass_by(1800)
    assert stages.claim(table, ID, "deploy", RUN) == ""


@pytest.mark.parametrize("stage", ["build", "deploy"])
def test_after_a_cancel_build_and_deploy_cannot_be_claimed(table: Table, stage: str) -> None:
    ticket(table, stage)
    assert cancels.record(table, ID, "U0DANA001") is None
    assert stages.claim(table, ID, stage, RUN) == "the deployment was cancelled"


def test_a_rollback_stage_can_be_claimed_after_a_cancel(table: Table) -> None:
    """The rollback is what the cancel asked for."""
    ticket(table, "rollback")
    cancels.record(table, ID, "U0DANA001")
    assert stages.claim(table, ID, "rollback", RUN) == ""


def test_after_the_end_nothing_can_be_claimed(table: Table) -> None:
    ticket(table)
    assert deployments.settle(table, stored.record_of(table, ID), Outcome("Deploy Failed"), keep_lock=True) == ""
    assert stages.claim(table, ID, "deploy", RUN) == "the deployment has ended"


def test_once_another_deployment_holds_the_target_nothing_can_be_claimed(table: Table) -> None:
    ticket(table)
    other = Holder("d-other", "arn:other", "rollback", "v1.2.2", "U0LEE0001", "2026-01-01T00:00:01.000Z")
    table.transact(locks.taking(TARGET, other, HOLDER))
    assert stages.claim(table, ID, "deploy", RUN) == "the deployment no longer holds its target"


def test_a_revoked_ticket_is_refused_and_a_claimed_one_is_not_revoked(table: Table) -> None:
    ticket(table, "build")
    ticket(table)
    assert stages.revoke(table, ID, "build") == stage_of(table, ID, "build")
    assert stage_of(table, ID, "build").state == "revoked"
    assert stages.claim(table, ID, "build", RUN) == "this build stage's ticket is revoked"
    stages.claim(table, ID, "deploy", RUN)
    assert stages.revoke(table, ID, "deploy") == stage_of(table, ID, "deploy")
    assert stage_of(table, ID, "deploy").state == "claimed"
    assert stages.revoke(table, ID, "rollback") is None


def test_of_a_claim_and_a_revocation_at_the_same_time_one_wins(table: Table) -> None:
    for round_ in range(8):
        stage = ("build", "deploy", "rollback")[round_ % 3]
        table.delete(f"DEPLOYMENT#{ID}", f"STAGE#{stage}")
        ticket(table, stage)
        with ThreadPoolExecutor(2) as two:
            claimed = two.submit(stages.claim, table, ID, stage, RUN)
            revoked = two.submit(stages.revoke, table, ID, stage)
        row = revoked.result()
        assert row is not None
        assert (claimed.result() == "") == (row.state == "claimed")


def finish(table: Table, run: int = RUN, outcome: str = "success", image: str = "repo@sha256:1") -> str:
    return stages.finish(table, ID, "deploy", run, outcome, {"image": image})


def test_a_stage_reports_once_and_the_same_report_again_is_no_error(table: Table) -> None:
    ticket(table)
    stages.claim(table, ID, "deploy", RUN)
    assert [finish(table), finish(table)] == ["recorded", "recorded"]
    assert finish(table, outcome="failure") == finish(table, image="stranger@sha256:2") == "other_report"
    row = stage_of(table, ID, "deploy")
    assert (row.state, row.outcome, row.outputs) == ("finished", "success", Outputs(image="repo@sha256:1"))


def test_a_finished_stage_cannot_be_claimed_again_by_its_own_run(table: Table) -> None:
    ticket(table)
    stages.claim(table, ID, "deploy", RUN)
    finish(table)
    assert stages.claim(table, ID, "deploy", RUN) == "this deploy stage's ticket is used"


def test_a_finish_by_another_run_is_refused(table: Table) -> None:
    ticket(table)
    assert finish(table) == "not_claimed"
    stages.claim(table, ID, "deploy", RUN)
    assert finish(table, RUN + 1) == "not_claimed"
    assert stage_of(table, ID, "deploy").state == "claimed"


def test_a_finish_of_a_stage_that_was_never_prepared_leaves_no_row(table: Table) -> None:
    assert finish(table) == "not_claimed"
    assert stages.get(table, ID, "deploy") is None


def test_a_ticket_stays_known_as_long_as_github_lets_a_run_be_rerun(table: Table, time: Any) -> None:
    paper = ticket(table)
    pointer = table.get(f"TICKET#{stages._hash(paper)}", "TICKET")
    assert pointer is not None
    assert pointer["expires_at"] - time.at == pytest.approx(30 * 86_400, abs=1)
    assert paper not in str(pointer), "the table holds the ticket of the pointer hashed"
