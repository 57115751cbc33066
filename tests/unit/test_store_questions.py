"""What is written of a question and of its answers, to the last attribute: what was recorded is what people are shown,
and what an auditor finds. And who comes first where several answer at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatops.domain.question import OPERATOR, Answer, Question
from chatops.store import cancels, questions, wakeups
from chatops.store.table import Conflict, Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.question_session import APPROVAL, DANA, KIM, LEE, PROMOTION, Kind, each

ID, MARK = "d-abcdefghijkl", PROMOTION.mark
PLAN: dict[str, Any] = {"target": "prod", "command": "deploy", "version": "v1", "requester": {"id": DANA}}
BEGAN, DEADLINE = 1_760_000_000, 1_760_003_600
PAUSED: dict[str, Any] = {
    "mark": MARK,
    "stage": "BAKE_TIME",
    "strategy": "CANARY",
    "traffic": 10.5,
    "on_timeout": "ROLLBACK",
}
ROWS: dict[Kind, dict[str, Any]] = {
    APPROVAL: {
        "pk": f"DEPLOYMENT#{ID}",
        "sk": "APPROVAL",
        "eligible": [LEE, KIM],
        "quorum": 2,
        "asked_at": BEGAN,
        "deadline_at": DEADLINE,
        "votes": {},
        "revision": 0,
    },
    PROMOTION: {
        "pk": f"DEPLOYMENT#{ID}",
        "sk": f"PAUSE#{MARK}",
        **PAUSED,
        "asked_at": BEGAN,
        "deadline_at": DEADLINE,
        "eligible": [LEE, KIM],
    },
}
BOTH = [(kind, answer) for kind in (APPROVAL, PROMOTION) for answer in (kind.yes, kind.no, Answer.EXPIRED)]


def ask(rows: Table, kind: Kind, quorum: int = 1, eligible: tuple[str, ...] = (LEE, KIM)) -> Question:
    """The question as it stands."""
    if kind is APPROVAL:
        return questions.ask(rows, ID, Question(BEGAN, DEADLINE, eligible, quorum))
    questions.ask(rows, ID, Question(BEGAN, DEADLINE, **PAUSED))
    return questions.address(rows, ID, MARK, eligible)


def record(rows: Table, kind: Kind, answer: Answer, by: str, reason: str = "", via: str = "slack") -> Question:
    return questions.record(rows, ID, answer, by, reason, mark=kind.mark, via=via)


def row(rows: Table, kind: Kind) -> dict[str, Any]:
    found = rows.get(ROWS[kind]["pk"], ROWS[kind]["sk"])
    assert found is not None
    return {name: value for name, value in found.items() if name != "schema"}


def question(rows: Table, kind: Kind) -> Question:
    found = questions.get(rows, ID, kind.mark)
    assert found is not None
    return found


# -- the question ------------------------------------------------------------------------------------------------------


@each
def test_a_question_is_written_with_whom_it_asks_and_until_when_and_read_as_it_was_asked(
    rows: Table, kind: Kind
) -> None:
    assert questions.get(rows, ID, kind.mark) is None
    made = ask(rows, kind, quorum=2)
    assert row(rows, kind) == ROWS[kind]
    assert made == question(rows, kind)
    assert (made.eligible, made.deadline_at, made.decision) == ((LEE, KIM), DEADLINE, None)
    assert (made.mark, made.traffic) == ((MARK, 10.5) if kind is PROMOTION else ("", None))


@each
def test_whoever_asks_again_gets_the_question_that_stands(rows: Table, kind: Kind) -> None:
    first = ask(rows, kind, quorum=2)
    assert questions.ask(rows, ID, Question(1.0, 1.0, (DANA,), 9, mark=kind.mark)) == first
    assert ask(rows, kind, 9, (DANA,)) == first


def test_nobody_is_asked_at_a_pause_that_has_not_been_seen(rows: Table) -> None:
    with pytest.raises(Conflict):
        questions.address(rows, ID, MARK, [LEE])


def test_a_row_without_people_and_votes_asks_nobody_and_takes_a_vote(rows: Table) -> None:
    ask(rows, APPROVAL, quorum=2)
    rows.update(f"DEPLOYMENT#{ID}", "APPROVAL", "REMOVE #votes, #eligible")
    assert question(rows, APPROVAL).eligible == ()
    assert set(record(rows, APPROVAL, Answer.APPROVED, LEE).votes) == {LEE}


def test_pauses_are_listed_the_latest_first_and_nothing_else_of_the_deployment(rows: Table) -> None:
    ask(rows, APPROVAL)
    for number in (1, 3, 2):
        questions.ask(rows, ID, Question(number, DEADLINE, mark=f"{number:012}"))
    assert [found.asked_at for found in questions.pauses(rows, ID)] == [3, 2, 1]


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("via", ["slack", "operator"])
@pytest.mark.parametrize(("kind", "answer"), BOTH, ids=str)
def test_an_answer_is_written_with_who_when_how_and_why(
    rows: Table, time: Time, kind: Kind, answer: Answer, via: str
) -> None:
    ask(rows, kind, quorum=2)
    time.pass_by(10)
    approving = answer is Answer.APPROVED
    if approving:
        record(rows, kind, answer, LEE)
        assert row(rows, kind) == {**ROWS[kind], "votes": {LEE: BEGAN + 10}, "revision": 1}
        time.pass_by(10)
    made = record(rows, kind, answer, KIM, "not today", via)
    written = {"decision": answer, "by": KIM, "decided_at": time(), "via": via, "reason": "not today"}
    if kind is APPROVAL:
        votes = {LEE: BEGAN + 10, KIM: BEGAN + 20} if approving else {}
        written |= {"votes": votes, "revision": 1 + approving}
    assert row(rows, kind) == {**ROWS[kind], **written}
    assert (made.decision, made.by, made.decided_at, made.via) == (answer, KIM, time(), via)


def test_a_vote_keeps_its_first_time(rows: Table, time: Time) -> None:
    ask(rows, APPROVAL, quorum=2)
    record(rows, APPROVAL, Answer.APPROVED, LEE)
    time.pass_by(10)
    record(rows, APPROVAL, Answer.APPROVED, LEE)
    assert row(rows, APPROVAL) == {**ROWS[APPROVAL], "votes": {LEE: BEGAN}, "revision": 2}


def test_an_operators_yes_is_enough_whatever_the_quorum(rows: Table, time: Time) -> None:
    ask(rows, APPROVAL, quorum=2)
    made = record(rows, APPROVAL, Answer.APPROVED, "Lee", via=OPERATOR)
    assert (made.decision, made.by, set(made.votes)) == (Answer.APPROVED, "Lee", {"Lee"})


def test_one_no_ends_a_quorum_that_is_not_reached(rows: Table, time: Time) -> None:
    ask(rows, APPROVAL, quorum=2)
    record(rows, APPROVAL, Answer.APPROVED, LEE)
    record(rows, APPROVAL, Answer.REJECTED, KIM)
    made = record(rows, APPROVAL, Answer.APPROVED, KIM)
    assert (made.decision, made.by, set(made.votes)) == (Answer.REJECTED, KIM, {LEE})


@each
@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_the_first_decision_stands_whatever_comes_after_it(
    rows: Table, time: Time, kind: Kind, first: int, second: int
) -> None:
    answers = (kind.yes, kind.no, Answer.EXPIRED)
    ask(rows, kind)
    made = record(rows, kind, answers[first], LEE, "because")
    before = row(rows, kind)
    time.pass_by(10)
    assert record(rows, kind, answers[second], KIM, "otherwise").decision == made.decision
    assert row(rows, kind) == before


@each
def test_what_people_answer_moves_the_wake_counter_and_what_a_step_finds_does_not(rows: Table, kind: Kind) -> None:
    ask(rows, kind, quorum=2)
    record(rows, kind, kind.yes, LEE)
    assert wakeups.counter(rows, ID) == 1
    record(rows, kind, Answer.EXPIRED, "")
    assert wakeups.counter(rows, ID) == 1, "whoever finds it expired is awake"


@each
def test_an_answer_to_what_nobody_asked_is_an_error_that_names_the_deployment(rows: Table, kind: Kind) -> None:
    with pytest.raises(LookupError, match=ID):
        record(rows, kind, kind.yes, LEE)
    assert questions.get(rows, ID, kind.mark) is None


def test_rolled_back_is_a_cancel_too(rows: Table, time: Time) -> None:
    ask(rows, PROMOTION)
    record(rows, PROMOTION, Answer.ROLLED_BACK, KIM, via=OPERATOR)
    found = stored.cancel_of(rows, ID)
    assert (found.by, found.kind, found.via) == (KIM, "rolled_back", OPERATOR)


@pytest.mark.parametrize(("kind", "answer"), BOTH, ids=str)
@pytest.mark.parametrize("how", ["cancelled", "ended"])
def test_nothing_is_decided_after_a_cancel_or_the_end(rows: Table, kind: Kind, answer: Answer, how: str) -> None:
    stored.begin(rows, ID, "arn", PLAN)
    ask(rows, kind, quorum=2)
    if how == "cancelled":
        cancels.record(rows, ID, DANA)
    else:
        stored.settle(rows, ID, "Stopped")
    made = record(rows, kind, answer, LEE)
    assert (made.decision, dict(made.votes)) == (None, {})
    assert made == question(rows, kind)
    found = cancels.get(rows, ID)
    assert (found.by if found else DANA) == DANA


# -- at once -----------------------------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("rivals", [(0, 1), (0, 2), (1, 2), (0, 0)], ids=str)
def test_of_two_answers_at_the_same_time_one_stands_and_both_are_told_which(
    rows: Table, kind: Kind, rivals: tuple[int, int]
) -> None:
    answers = (kind.yes, kind.no, Answer.EXPIRED)
    ask(rows, kind)
    with ThreadPoolExecutor(2) as two:
        made = [
            two.submit(record, rows, kind, answers[which], by) for which, by in zip(rivals, (LEE, KIM), strict=True)
        ]
    stands = question(rows, kind)
    told = {(one.result().decision, one.result().by) for one in made}
    # who meets a roll back at the moment that it is written may see its cancel and not yet its decision
    assert told - {(None, "")} == {(stands.decision, stands.by)}


def test_six_voters_at_once_are_all_counted(rows: Table) -> None:
    people = tuple(f"U0PERSON{n}" for n in range(6))
    ask(rows, APPROVAL, 6, people)
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(lambda who: record(rows, APPROVAL, Answer.APPROVED, who), people))
    made = question(rows, APPROVAL)
    assert (made.decision, set(made.votes)) == (Answer.APPROVED, set(people))


class Crossed(Table):
    """Somebody else writes between the look and the write, so many times."""

    def __init__(self, rows: Table, times: int, change: str = "", **values: Any) -> None:
        super().__init__(rows.name, rows._client)
        self.left, self._change, self._values = times, change, values

    def transact(self, *members: dict[str, Any]) -> None:
        if self.left:
            self.left -= 1
            self.update(
                f"DEPLOYMENT#{ID}", "APPROVAL", f"{self._change}ADD #revision :one", values={"one": 1, **self._values}
            )
        super().transact(*members)


def test_a_vote_that_met_another_one_is_counted_beside_it(rows: Table) -> None:
    ask(rows, APPROVAL)
    assert record(Crossed(rows, 3), APPROVAL, Answer.APPROVED, LEE).revision == 4


def test_a_vote_that_met_a_decision_returns_that(rows: Table) -> None:
    ask(rows, APPROVAL)
    crossed = Crossed(rows, 1, "SET #decision = :d, #by = :by ", d="rejected", by=KIM)
    made = record(crossed, APPROVAL, Answer.APPROVED, LEE)
    assert (made.decision, made.by, dict(made.votes)) == (Answer.REJECTED, KIM, {})


def test_a_vote_that_meets_others_for_ever_gives_up_after_eight_tries(rows: Table) -> None:
    ask(rows, APPROVAL)
    crossed = Crossed(rows, 1000)
    with pytest.raises(Conflict):
        record(crossed, APPROVAL, Answer.APPROVED, LEE)
    assert crossed.left == 992
