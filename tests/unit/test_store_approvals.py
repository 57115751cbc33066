"""What is written down of a question, of votes, decisions and cancels, to the last attribute: what was recorded is what
people are shown, and what an auditor finds."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.store import approvals, deployments, locks, waits
from chatops.store.approvals import Question
from chatops.store.locks import Holder
from chatops.store.table import Conflict, Table
from tests.unit.conftest import Time

ID, TARGET = "d-abcdefghijkl", "prod"
LEE, KIM, DANA = "U0LEE0001", "U0KIM0001", "U0DANA001"
PLAN: dict[str, Any] = {"target": TARGET, "command": "deploy", "version": "v1", "requester": {"id": DANA}}
QUESTION = Question((LEE, KIM), 2, 1_760_003_600.0, 1_760_000_900.0)
ASKED: dict[str, Any] = {
    "pk": f"DEPLOYMENT#{ID}",
    "sk": "APPROVAL",
    "eligible": [LEE, KIM],
    "quorum": 2,
    "asked_at": 1_760_000_000,
    "deadline_at": 1_760_003_600,
    "next_reminder_at": 1_760_000_900,
    "votes": {},
    "revision": 0,
}


@pytest.fixture
def asked(rows: Table, time: Time) -> Table:
    """A table with one question; ten seconds later."""
    approvals.open_question(rows, ID, QUESTION)
    time.pass_by(10)
    return rows


def row(rows: Table) -> dict[str, Any]:
    found = approvals.get(rows, ID)
    assert found is not None
    del found["schema"]
    return found


def told(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != "schema"}


# -- the question ----------------------------------------------------------------------------------------------


def test_a_question_is_written_with_whom_it_asks_how_many_and_until_when(rows: Table, time: Time) -> None:
    assert approvals.get(rows, ID) is None
    made = approvals.open_question(rows, ID, QUESTION)
    assert told(made) == row(rows) == ASKED


def test_whoever_asks_again_gets_the_row_that_stands(asked: Table) -> None:
    assert told(approvals.open_question(asked, ID, Question((DANA,), 9, 1.0, 1.0))) == ASKED


# -- votes and decisions ---------------------------------------------------------------------------------------


def test_a_vote_that_does_not_decide_is_written_with_its_time_once(asked: Table, time: Time) -> None:
    first = {**ASKED, "votes": {LEE: 1_760_000_010}, "revision": 1}
    assert told(approvals.vote(asked, ID, LEE)) == row(asked) == first
    time.pass_by(10)
    assert told(approvals.vote(asked, ID, LEE)) == row(asked) == {**first, "revision": 2}


@pytest.mark.parametrize("via", ["slack", "operator"])
def test_the_vote_that_decides_is_written_with_who_when_and_how(asked: Table, time: Time, via: str) -> None:
    approvals.vote(asked, ID, LEE)
    time.pass_by(10)
    made = approvals.vote(asked, ID, KIM) if via == "slack" else approvals.vote(asked, ID, KIM, via=via)
    assert (
        told(made)
        == row(asked)
        == {
            **ASKED,
            "votes": {LEE: 1_760_000_010, KIM: 1_760_000_020},
            "revision": 2,
            "decision": "approved",
            "by": KIM,
            "decided_at": 1_760_000_020,
            "reason": "",
            "via": via,
        }
    )


def test_an_operators_yes_is_enough_whatever_the_quorum(asked: Table) -> None:
    made = approvals.decide(asked, ID, "approved", "Lee", via=approvals.OPERATOR)
    assert (made["decision"], made["by"], made["via"], set(made["votes"])) == ("approved", "Lee", "operator", {"Lee"})


@pytest.mark.parametrize("word", ["rejected", "expired"])
def test_another_decision_counts_no_vote_and_keeps_its_reason(asked: Table, word: str) -> None:
    approvals.vote(asked, ID, LEE)
    assert (
        told(approvals.decide(asked, ID, word, KIM, "not today"))
        == row(asked)
        == {
            **ASKED,
            "votes": {LEE: 1_760_000_010},
            "revision": 2,
            "decision": word,
            "by": KIM,
            "decided_at": 1_760_000_010,
            "reason": "not today",
            "via": "slack",
        }
    )


def test_a_decision_without_a_reason_has_an_empty_one(asked: Table) -> None:
    assert approvals.decide(asked, ID, "rejected", KIM)["reason"] == ""


def test_what_people_decide_moves_the_wake_counter_and_what_the_step_finds_does_not(asked: Table, rows: Table) -> None:
    approvals.vote(asked, ID, LEE)
    assert waits.counter(rows, ID) == 1
    approvals.decide(asked, ID, "expired", "")
    assert waits.counter(rows, ID) == 1, "whoever finds it expired is awake"


def test_whoever_decides_after_a_decision_changes_nothing(asked: Table, time: Time) -> None:
    approvals.decide(asked, ID, "rejected", LEE, "no")
    before = row(asked)
    time.pass_by(10)
    assert told(approvals.vote(asked, ID, KIM)) == told(approvals.decide(asked, ID, "expired", "")) == before
    assert row(asked) == before


def test_a_vote_on_what_nobody_asked_names_the_deployment(rows: Table) -> None:
    with pytest.raises(LookupError, match=ID):
        approvals.vote(rows, ID, LEE)


def test_a_row_that_holds_no_votes_yet_takes_one(asked: Table) -> None:
    asked.update(f"DEPLOYMENT#{ID}", "APPROVAL", "REMOVE #votes")
    assert set(approvals.vote(asked, ID, LEE)["votes"]) == {LEE}


def test_a_row_that_asked_nobody_lets_nobody_decide() -> None:
    assert not approvals.may_decide({}, LEE)
    assert not approvals.may_decide({"eligible": []}, LEE)


def crossed(rows: Table, patch: pytest.MonkeyPatch, *decisions: tuple[str, str], times: int = 1) -> None:
    """Somebody else writes between the look and the write, so many times."""
    look, left = approvals.get, [times]

    def late(table: Table, deployment_id: str) -> Any:
        found = look(table, deployment_id)
        if left[0]:
            left[0] -= 1
            rows.update(f"DEPLOYMENT#{ID}", "APPROVAL", "ADD #revision :one", values={"one": 1})
            for word, by in decisions:
                rows.update(
                    f"DEPLOYMENT#{ID}", "APPROVAL", "SET #decision = :d, #by = :by", values={"d": word, "by": by}
                )
        return found

    patch.setattr(approvals, "get", late)


def test_a_vote_that_met_another_one_is_counted_beside_it(asked: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    crossed(asked, monkeypatch, times=3)
    assert approvals.vote(asked, ID, LEE)["revision"] == 4


def test_a_vote_that_met_a_decision_returns_that(asked: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    crossed(asked, monkeypatch, ("rejected", KIM))
    made = approvals.vote(asked, ID, LEE)
    assert (made["decision"], made["by"], made["votes"]) == ("rejected", KIM, {})


def test_a_vote_that_meets_others_for_ever_gives_up(asked: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    crossed(asked, monkeypatch, times=1000)
    with pytest.raises(Conflict):
        approvals.vote(asked, ID, LEE)


# -- reminders -------------------------------------------------------------------------------------------------


def test_a_reminder_puts_the_next_one_on_record(asked: Table) -> None:
    assert not approvals.reminded(asked, ID, 1_760_000_899.0, 1.0), "another one is due"
    assert approvals.reminded(asked, ID, 1_760_000_900.0, 1_760_001_800.0)
    assert row(asked) == {**ASKED, "next_reminder_at": 1_760_001_800}
    assert not approvals.reminded(asked, ID, 1_760_000_900.0, 1_760_001_800.0), "it was sent"


# -- cancels ---------------------------------------------------------------------------------------------------


def cancel_row(rows: Table) -> dict[str, Any]:
    return told(approvals.cancelled(rows, ID) or {})


def test_a_cancel_is_written_with_who_when_and_how(rows: Table, time: Time) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    assert approvals.cancel(rows, ID, DANA) == ""
    assert cancel_row(rows) == {
        "pk": f"DEPLOYMENT#{ID}",
        "sk": "CANCEL",
        "by": DANA,
        "kind": "cancelled",
        "superseded_by": "",
        "via": "slack",
        "at": 1_760_000_000,
    }


def test_an_operators_cancel_says_so(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    assert approvals.cancel(rows, ID, "Lee", "operator") == ""
    assert (cancel_row(rows)["by"], cancel_row(rows)["via"]) == ("Lee", "operator")


def test_a_rollback_that_passes_by_is_named_in_the_cancel(rows: Table) -> None:
    rows.transact(approvals.cancelling(ID, LEE, "superseded", "d-back", "operator"))
    found = cancel_row(rows)
    assert (found["by"], found["kind"], found["superseded_by"], found["via"]) == (
        LEE,
        "superseded",
        "d-back",
        "operator",
    )


def test_a_cancel_comes_from_slack_unless_somebody_says_otherwise(rows: Table) -> None:
    rows.transact(approvals.cancelling(ID, LEE))
    assert (cancel_row(rows)["kind"], cancel_row(rows)["via"]) == ("cancelled", "slack")


def test_an_end_outweighs_a_cancel_that_stands(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    approvals.cancel(rows, ID, DANA)
    deployments.settle(rows, deployments.get(rows, ID) or {}, {"end": "Cancelled"})
    assert approvals.cancel(rows, ID, LEE) == "settled"


def test_a_rollback_is_cancelled_until_it_has_taken_its_target(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", {**PLAN, "command": "rollback"})
    rows.transact(locks.taking(TARGET, Holder(ID, "arn", "rollback", "v1", DANA, "")))
    assert approvals.cancel(rows, ID, DANA, rollback_of=TARGET) == "rollback"
    assert approvals.cancelled(rows, ID) is None
    locks.free(rows, TARGET, ID)
    rows.transact(locks.taking(TARGET, Holder("d-other", "arn", "deploy", "v1", DANA, "")))
    assert approvals.cancel(rows, ID, DANA, rollback_of=TARGET) == "", "another one's lock is not its own"
