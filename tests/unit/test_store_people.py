"""What people decide: approvals, cancels, and the waits that they end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops import aws
from chatops.store import approvals, deployments, waits
from chatops.store.approvals import Question
from chatops.store.table import Table

ID = "d-abcdefghijkl"
LEE, KIM, DANA = "U0LEE0001", "U0KIM0001", "U0DANA001"
PLAN: dict[str, Any] = {"target": "prod", "command": "deploy", "version": "v1", "requester": {"id": DANA}}


class States:
    """Step Functions as far as tokens go: a token is answered once, and only while its wait lasts."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.answered: list[str] = []
        self.down = False

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - botocore's name
        if self.down:
            raise ClientError({"Error": {"Code": "InternalFailure"}}, "SendTaskSuccess")
        if taskToken not in self.waiting:
            raise ClientError({"Error": {"Code": "TaskTimedOut"}}, "SendTaskSuccess")
        assert output == "{}"
        self.waiting.remove(taskToken)
        self.answered.append(taskToken)


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch) -> States:
    fake = States()
    environment.setattr(aws, "client", lambda *_args, **_named: fake)
    return fake


# -- waits ---------------------------------------------------------------------------------------------------


def test_a_wake_after_the_wait_began_ends_it(rows: Table, states: States) -> None:
    seen = waits.counter(rows, ID)
    assert waits.park(rows, ID, "token-1", seen)
    states.waiting.add("token-1")
    waits.wake(rows, ID)
    assert states.answered == ["token-1"]
    assert waits.counter(rows, ID) == 1


def test_a_wake_between_the_look_and_the_wait_keeps_the_wait_from_beginning(rows: Table, states: States) -> None:
    for already in range(2):
        seen = waits.counter(rows, ID)
        assert seen == already
        waits.wake(rows, ID)
        assert not waits.park(rows, ID, "token-1", seen)
    assert states.answered == []


def test_no_wake_is_lost_whatever_the_order(rows: Table, states: States) -> None:
    """Wait and wake at the same time: either the wait never begins, or it is ended."""
    states.waiting.update(f"token-{n}" for n in range(12))
    for n in range(12):
        seen = waits.counter(rows, ID)
        with ThreadPoolExecutor(2) as two:
            parked = two.submit(waits.park, rows, ID, f"token-{n}", seen)
            two.submit(waits.wake, rows, ID).result()
        assert parked.result() == (f"token-{n}" in states.answered)


def test_a_token_that_came_too_late_is_no_error_and_is_forgotten(rows: Table, states: States) -> None:
    waits.park(rows, ID, "token-1", 0)
    waits.wake(rows, ID)
    assert waits.undelivered(rows, ID) == ""
    waits.wake(rows, ID)
    assert states.answered == []


def test_a_wake_that_was_recorded_and_not_delivered_is_found_later(rows: Table, states: States) -> None:
    waits.park(rows, ID, "token-1", 0)
    states.waiting.add("token-1")
    assert waits.undelivered(rows, ID) == "", "nobody has woken it yet"
    states.down = True
    with pytest.raises(ClientError):
        waits.wake(rows, ID)
    assert waits.undelivered(rows, ID) == "token-1"
    states.down = False
    waits.deliver(rows, ID, "token-1")
    assert (states.answered, waits.undelivered(rows, ID)) == (["token-1"], "")


def test_news_whose_teller_died_before_waking_anybody_is_found_later(rows: Table, states: States, time: Any) -> None:
    waits.park(rows, ID, "token-1", 0)
    assert waits.undelivered(rows, ID, time() - 1) == "", "it began after that"
    assert waits.undelivered(rows, ID, time() + 1) == "token-1"


def test_a_decision_that_is_recorded_is_no_error_when_nobody_can_be_woken(rows: Table, states: States) -> None:
    ask(rows)
    waits.park(rows, ID, "token-1", 0)
    states.down = True
    approvals.vote(rows, ID, LEE)
    waits.nudge(rows, ID)
    assert waits.undelivered(rows, ID) == "token-1", "`sweep` delivers it"


@pytest.mark.parametrize("how", ["approved", "rejected", "cancelled"])
def test_a_decision_wakes_a_wait_that_began_at_its_moment_whoever_dies_after_it(
    rows: Table, states: States, how: str
) -> None:
    """Recorded after the step had looked and before it parked; the one who pressed died with that."""
    ask(rows)
    deployments.begin(rows, ID, "arn", PLAN)
    seen = waits.counter(rows, ID)
    if how == "cancelled":
        approvals.cancel(rows, ID, DANA)
    else:
        approvals.decide(rows, ID, how, LEE)
    assert not waits.park(rows, ID, "token-1", seen), "it looks again instead of sleeping"


def test_a_late_delivery_leaves_the_next_waits_token_alone(rows: Table, states: States) -> None:
    waits.park(rows, ID, "token-1", 0)
    waits.park(rows, ID, "token-2", 0)  # the first wait timed out; the second one began
    states.waiting.add("token-2")
    waits.deliver(rows, ID, "token-1")
    waits.wake(rows, ID)
    assert states.answered == ["token-2"]


# -- approvals -----------------------------------------------------------------------------------------------


def ask(rows: Table, quorum: int = 1, eligible: tuple[str, ...] = (LEE, KIM)) -> None:
    approvals.open_question(rows, ID, Question(eligible, quorum, 2_000_000_000.0, 1_900_000_000.0))


def decision(rows: Table) -> tuple[Any, Any]:
    row = approvals.get(rows, ID)
    assert row is not None
    return row.get("decision"), row.get("by")


def test_a_question_is_asked_once(rows: Table, time: Any) -> None:
    ask(rows)
    time.pass_by(60)
    row = approvals.open_question(rows, ID, Question((DANA,), 9, 1.0, 1.0))
    assert (row["eligible"], row["quorum"], row["deadline_at"]) == ([LEE, KIM], 1, 2_000_000_000)


@pytest.mark.parametrize("first", ["approved", "rejected", "expired"])
@pytest.mark.parametrize("second", ["approved", "rejected", "expired"])
def test_the_first_decision_stands_whatever_comes_after_it(rows: Table, first: str, second: str) -> None:
    ask(rows)
    approvals.decide(rows, ID, first, LEE, "because")
    row = approvals.decide(rows, ID, second, KIM, "otherwise")
    assert (row["decision"], row["by"], row["reason"]) == (first, LEE, "because")


def test_a_quorum_wants_different_people(rows: Table) -> None:
    ask(rows, quorum=2)
    assert "decision" not in approvals.vote(rows, ID, LEE)
    assert "decision" not in approvals.vote(rows, ID, LEE)
    row = approvals.vote(rows, ID, KIM)
    assert (row["decision"], row["by"], set(row["votes"])) == ("approved", KIM, {LEE, KIM})


def test_one_no_ends_a_quorum_that_is_not_reached(rows: Table) -> None:
    ask(rows, quorum=2)
    approvals.vote(rows, ID, LEE)
    approvals.decide(rows, ID, "rejected", KIM, "not today")
    approvals.vote(rows, ID, KIM)
    assert decision(rows) == ("rejected", KIM)


@pytest.mark.parametrize("rivals", ["approved rejected", "approved expired", "rejected expired", "approved approved"])
def test_of_two_decisions_at_the_same_time_one_stands_and_both_are_told_which(rows: Table, rivals: str) -> None:
    ask(rows)
    with ThreadPoolExecutor(2) as two:
        made = [
            two.submit(approvals.decide, rows, ID, word, by)
            for word, by in zip(rivals.split(), (LEE, KIM), strict=True)
        ]
    told = {(one.result()["decision"], one.result()["by"]) for one in made}
    assert told == {decision(rows)}


def test_six_voters_at_once_are_all_counted(rows: Table) -> None:
    people = tuple(f"U0PERSON{n}" for n in range(6))
    ask(rows, quorum=6, eligible=people)
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(lambda who: approvals.vote(rows, ID, who), people))
    row = approvals.get(rows, ID)
    assert row is not None
    assert (row["decision"], set(row["votes"])) == ("approved", set(people))


def test_only_those_who_were_asked_may_decide(rows: Table) -> None:
    ask(rows)
    row = approvals.get(rows, ID)
    assert row is not None
    assert [approvals.may_decide(row, who) for who in (LEE, KIM, DANA, "")] == [True, True, False, False]


def test_a_vote_on_a_question_that_nobody_asked_is_an_error_not_an_approval(rows: Table) -> None:
    with pytest.raises(LookupError):
        approvals.vote(rows, ID, LEE)
    assert approvals.get(rows, ID) is None


def test_a_reminder_that_is_due_is_sent_by_one(rows: Table) -> None:
    ask(rows)
    with ThreadPoolExecutor(4) as crowd:
        may = list(crowd.map(lambda _: approvals.reminded(rows, ID, 1_900_000_000.0, 1_900_000_900.0), range(4)))
    assert sorted(may) == [False, False, False, True]


def test_nobody_is_reminded_of_what_is_decided(rows: Table) -> None:
    ask(rows)
    approvals.vote(rows, ID, LEE)
    assert not approvals.reminded(rows, ID, 1_900_000_000.0, 1_900_000_900.0)


# -- cancels -------------------------------------------------------------------------------------------------


def test_a_cancel_is_recorded_once(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    assert approvals.cancel(rows, ID, DANA) == ""
    assert approvals.cancel(rows, ID, LEE) == "already"
    assert (approvals.cancelled(rows, ID) or {})["by"] == DANA


def test_a_cancel_after_the_end_is_refused_and_not_recorded(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    record = deployments.get(rows, ID)
    assert record is not None
    deployments.settle(rows, record, {"end": "Deployed"})
    assert approvals.cancel(rows, ID, DANA) == "settled"
    assert approvals.cancelled(rows, ID) is None


def test_a_cancel_of_what_never_was_leaves_no_row(rows: Table) -> None:
    assert approvals.cancel(rows, "d-unknown", DANA) == "settled"
    assert approvals.cancelled(rows, "d-unknown") is None


def test_a_cancel_at_the_moment_of_settling_is_either_in_time_or_told_that_it_was_not(rows: Table) -> None:
    for n in range(8):
        name = f"{ID}-{n}"
        deployments.begin(rows, name, "arn", PLAN)
        record = deployments.get(rows, name)
        assert record is not None
        with ThreadPoolExecutor(2) as two:
            settled = two.submit(deployments.settle, rows, record, {"end": "Deployed"}, unless_cancelled=True)
            cancelled = two.submit(approvals.cancel, rows, name, DANA)
        assert (settled.result(), cancelled.result()) in (("", "settled"), ("cancelled", ""))


# -- decisions beside a cancel and an end ------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["approved", "rejected", "expired"])
def test_nothing_is_decided_after_a_cancel(rows: Table, word: str) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    ask(rows)
    approvals.cancel(rows, ID, DANA)
    assert "decision" not in approvals.decide(rows, ID, word, LEE)
    assert decision(rows) == (None, None)


@pytest.mark.parametrize("word", ["approved", "rejected", "expired"])
def test_nothing_is_decided_after_the_end(rows: Table, word: str) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    ask(rows)
    deployments.settle(rows, deployments.get(rows, ID) or {}, {"end": "Stopped"})
    assert "decision" not in approvals.decide(rows, ID, word, LEE)
    assert decision(rows) == (None, None)


def test_a_vote_after_a_cancel_is_not_counted(rows: Table) -> None:
    deployments.begin(rows, ID, "arn", PLAN)
    ask(rows, quorum=2)
    approvals.vote(rows, ID, LEE)
    approvals.cancel(rows, ID, DANA)
    assert set(approvals.vote(rows, ID, KIM)["votes"]) == {LEE}
