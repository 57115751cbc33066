"""Tickets: one ticket, one run, while the deployment wants it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatops.domain.results import Outcome, Outputs
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


def test_the_ticket_opens_its_stage_once_and_the_same_run_is_told_the_same_again(table: Table) -> None:
    paper = ticket(table)
    token, why = stages.claim(table, paper, RUN, 1)
    assert (bool(token), why) == (True, "")
    assert stages.claim(table, paper, RUN, 1) == (token, "")
    row = stages.get(table, ID, "deploy")
    assert row is not None
    assert (row.state, row.run_id) == ("claimed", RUN)
    assert paper not in token


def test_another_run_with_the_same_ticket_is_refused(table: Table) -> None:
    paper = ticket(table)
    stages.claim(table, paper, RUN, 1)
    assert stages.claim(table, paper, RUN + 1, 1) == ("", "this deploy stage's ticket is used")


def test_of_sixteen_runs_with_one_ticket_one_is_let_in(table: Table) -> None:
    paper = ticket(table)
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda run: stages.claim(table, paper, run, 1), range(1, 17)))
    assert sum(1 for token, _ in answers if token) == 1
    row = stages.get(table, ID, "deploy")
    assert row is not None
    assert answers[(row.run_id or 0) - 1][0] == row.finish_token


@pytest.mark.parametrize("wrong", ["", "x", "A" * 43, "TICKET#abc"])
def test_a_ticket_that_nobody_wrote_opens_nothing(table: Table, wrong: str) -> None:
    ticket(table)
    assert stages.claim(table, wrong, RUN, 1) == ("", "unknown ticket")


@pytest.mark.parametrize("attempt", [2, 3, 99])
def test_a_rerun_is_refused_whether_the_first_attempt_claimed_or_not(table: Table, attempt: int) -> None:
    paper = ticket(table)
    assert stages.claim(table, paper, RUN, attempt)[0] == ""
    assert stages.claim(table, paper, RUN, 1)[0]
    assert "re-run" in stages.claim(table, paper, RUN, attempt)[1]


def test_a_ticket_expires_with_its_stage(table: Table, time: Any) -> None:
    paper = ticket(table)
    time.pass_by(1801)
    assert stages.claim(table, paper, RUN, 1) == ("", "this deploy stage's ticket has expired")


def test_at_its_last_second_a_ticket_is_good(table: Table, time: Any) -> None:
    paper = ticket(table)
    time.pass_by(1800)
    assert stages.claim(table, paper, RUN, 1)[0]


@pytest.mark.parametrize("stage", ["build", "deploy"])
def test_after_a_cancel_build_and_deploy_cannot_be_claimed(table: Table, stage: str) -> None:
    paper = ticket(table, stage)
    assert cancels.record(table, ID, "U0DANA001") is None
    assert stages.claim(table, paper, RUN, 1) == ("", "the deployment was cancelled")


def test_a_rollback_stage_can_be_claimed_after_a_cancel(table: Table) -> None:
    """The rollback is what the cancel asked for."""
    paper = ticket(table, "rollback")
    cancels.record(table, ID, "U0DANA001")
    assert stages.claim(table, paper, RUN, 1)[0]


def test_after_the_end_nothing_can_be_claimed(table: Table) -> None:
    paper = ticket(table)
    assert deployments.settle(table, stored.record_of(table, ID), Outcome("Deploy Failed"), keep_lock=True) == ""
    assert stages.claim(table, paper, RUN, 1) == ("", "the deployment has ended")


def test_once_another_deployment_holds_the_target_nothing_can_be_claimed(table: Table) -> None:
    paper = ticket(table)
    other = Holder("d-other", "arn:other", "rollback", "v1.2.2", "U0LEE0001", "2026-01-01T00:00:01.000Z")
    table.transact(locks.taking(TARGET, other, HOLDER))
    assert stages.claim(table, paper, RUN, 1) == ("", "the deployment no longer holds its target")


def test_a_revoked_ticket_is_refused_and_a_claimed_one_is_not_revoked(table: Table) -> None:
    build, deploy = ticket(table, "build"), ticket(table)
    assert stages.revoke(table, ID, "build") == stage_of(table, ID, "build")
    assert stage_of(table, ID, "build").state == "revoked"
    assert stages.claim(table, build, RUN, 1) == ("", "this build stage's ticket is revoked")
    stages.claim(table, deploy, RUN, 1)
    assert stages.revoke(table, ID, "deploy") == stage_of(table, ID, "deploy")
    assert stage_of(table, ID, "deploy").state == "claimed"
    assert stages.revoke(table, ID, "rollback") is None


def test_of_a_claim_and_a_revocation_at_the_same_time_one_wins(table: Table) -> None:
    for round_ in range(8):
        stage = ("build", "deploy", "rollback")[round_ % 3]
        table.delete(f"DEPLOYMENT#{ID}", f"STAGE#{stage}")
        paper = ticket(table, stage)
        with ThreadPoolExecutor(2) as two:
            claimed = two.submit(stages.claim, table, paper, RUN, 1)
            revoked = two.submit(stages.revoke, table, ID, stage)
        row = revoked.result()
        assert row is not None
        assert bool(claimed.result()[0]) == (row.state == "claimed")


def finish(table: Table, token: str, run: int = RUN, outcome: str = "success", stage: str = "deploy") -> bool:
    return stages.finish(table, ID, stage, token, run, outcome, {"image": "repo@sha256:1"})


def test_a_stage_reports_once_and_the_same_report_again_is_no_error(table: Table) -> None:
    token = stages.claim(table, ticket(table), RUN, 1)[0]
    assert finish(table, token)
    assert finish(table, token)
    assert not finish(table, token, outcome="failure"), "another report after the first one counts for nothing"
    row = stages.get(table, ID, "deploy")
    assert row is not None
    assert (row.state, row.outcome, row.outputs) == ("finished", "success", Outputs(image="repo@sha256:1"))


def test_a_finished_stage_cannot_be_claimed_again_by_its_own_run(table: Table) -> None:
    paper = ticket(table)
    finish(table, stages.claim(table, paper, RUN, 1)[0])
    assert stages.claim(table, paper, RUN, 1)[0] == ""


def test_a_finish_with_a_foreign_token_or_by_another_run_is_refused(table: Table) -> None:
    token = stages.claim(table, ticket(table), RUN, 1)[0]
    build = stages.claim(table, ticket(table, "build"), RUN + 1, 1)[0]
    assert not finish(table, build)
    assert not finish(table, build, RUN + 1)
    assert not finish(table, token, RUN + 1)
    assert not finish(table, token + "x")
    row = stages.get(table, ID, "deploy")
    assert row is not None
    assert row.state == "claimed"


def test_a_finish_without_a_claim_is_refused_and_leaves_no_row(table: Table) -> None:
    assert not finish(table, f"{ID}.rollback.abc", stage="rollback")
    assert stages.get(table, ID, "rollback") is None


@pytest.mark.parametrize(
    ("token", "place"),
    [
        ("d-abc.build.secret", ("d-abc", "build")),
        ("my.console.name.rollback.secret", ("my.console.name", "rollback")),
        ("d-abc.other.secret", None),
        (".build.secret", None),
        ("build.secret", None),
        ("", None),
    ],
)
def test_a_finish_token_says_where_it_belongs(token: str, place: tuple[str, str] | None) -> None:
    assert stages.belongs(token) == place


def test_a_ticket_stays_known_as_long_as_github_lets_a_run_be_rerun(table: Table, time: Any) -> None:
    paper = ticket(table)
    pointer = table.get(f"TICKET#{stages._hash(paper)}", "TICKET")
    assert pointer is not None
    assert pointer["expires_at"] - time.at == pytest.approx(30 * 86_400, abs=1)
    assert paper not in str(pointer), "the table holds the ticket of the pointer hashed"
