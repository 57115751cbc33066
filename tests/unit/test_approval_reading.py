"""The approval step reads: what has been decided, and how long the next wait is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.question import Answer, Question
from chatops.domain.target import LOOKS
from chatops.messages.view import View
from chatops.slack import posting
from chatops.steps import approval
from chatops.store import cancels, questions
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call
from tests.unit.views import PLAN

pytestmark = pytest.mark.slow

ID, ARN = "d-abc234def567", "arn:aws:states:us-east-1:123456789012:execution:chatops-deploy:d-abc234def567"
DANA, LEE, KIM = "U0DANA001", "U0LEE0001", "U0KIM0001"
NOW = 1_760_000_000
TIMING = {"approval": 3600, "reminder": 900}
ASKED = {**PLAN, "timing": TIMING, "approval": {**PLAN["approval"], "quorum": 2}}
FACT: dict[str, Any] = {
    "decision": "pending",
    "by": "",
    "reason": "",
    "votes": {},
    "eligible": [LEE, KIM],
    "quorum": 2,
    "deadline": "2025-10-09T09:53:20.000Z",
    "seconds": 0,
    "wake": 0,
    "wait_seconds": 900,
}


class Said:
    """What is shown, and what is said, once per mark as the real one does; `down`: Slack takes neither."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.shown: list[View] = []
        self.short: list[Any] = []
        self.down = False
        patch.setattr(posting, "show", self.show)
        patch.setattr(posting, "short", self.say)

    def show(self, seen: View, *, verify: bool = False) -> bool:
        self.shown.append(seen)
        return not self.down

    def say(self, deployment_id: str, mark: str, text: str, **how: Any) -> bool:
        if mark not in [said[1] for said in self.short] and not self.down:
            self.short.append((deployment_id, mark, text, how))
        return not self.down


@pytest.fixture
def said(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Said:
    stored.begin(rows, ID, ARN, ASKED)
    return Said(environment)


def read(plan: dict[str, Any] | None = None) -> dict[str, Any]:
    given = {"deployment_id": ID, "execution_arn": ARN, "mode": "read", "state": {"plan": plan or ASKED}}
    return call(approval.run, given)


def test_the_first_look_asks_and_waits_until_the_first_reminder(rows: Table, said: Said) -> None:
    assert read() == FACT
    assert questions.get(rows, ID) == Question(NOW, NOW + 3600, (LEE, KIM), 2)
    (seen,) = said.shown
    assert (seen.phase, codec.as_json(seen.deployment.approval)) == ("approval", {**FACT, "wait_seconds": 1})
    assert [mark for _, mark, _, _ in said.short] == ["approval"]


def test_a_card_that_slack_did_not_take_is_shown_again_within_a_minute(rows: Table, said: Said, time: Time) -> None:
    """Who has not seen it cannot decide."""
    said.down = True
    assert read()["wait_seconds"] == 60
    time.pass_by(870)
    assert read()["wait_seconds"] == 30, "the reminder is sooner"
    said.down = False
    assert read()["wait_seconds"] == 30
    assert [mark for _, mark, _, _ in said.short] == ["approval"]


def test_of_a_question_that_is_open_for_long_a_card_is_shown_again_less_often(rows: Table, said: Said) -> None:
    """The state machine's history is finite."""
    said.down = True
    plan = {**ASKED, "timing": {"approval": LOOKS * 100, "reminder": LOOKS * 50}}
    assert read(plan)["wait_seconds"] == 100


def test_the_wait_ends_at_the_deadline_where_that_comes_first_and_is_never_shorter_than_a_second(
    rows: Table, said: Said, time: Time
) -> None:
    plan = {**ASKED, "timing": {"approval": 600, "reminder": 900}}
    assert read(plan)["wait_seconds"] == 600
    time.pass_by(599.5)
    assert read(plan)["wait_seconds"] == 1
    time.pass_by(0.49)
    assert (read(plan)["wait_seconds"], read(plan)["decision"]) == (1, "pending")


Happened = Callable[[Table], object]


def answers(answer: Answer, *users: str, reason: str = "") -> Happened:
    return lambda rows: [questions.record(rows, ID, answer, user, reason) for user in users]


def cancels_it(rows: Table) -> None:
    cancels.record(rows, ID, DANA)


REJECTED = {"decision": "rejected", "by": KIM, "wake": 1, "wait_seconds": 1}
CANCELLED = {"decision": "cancelled", "by": DANA, "wake": 1, "wait_seconds": 1}
READ: dict[str, tuple[list[tuple[float, Happened]], float, dict[str, Any]]] = {
    "a vote that decides nothing": (
        [(0, answers(Answer.APPROVED, LEE))],
        10.26,
        {"votes": {LEE: NOW}, "seconds": 10.3, "wake": 1, "wait_seconds": 890},
    ),
    "an approval": (
        [(5, answers(Answer.APPROVED, LEE, KIM))],
        0,
        {**REJECTED, "decision": "approved", "votes": {LEE: NOW + 5, KIM: NOW + 5}, "seconds": 5, "wake": 2},
    ),
    "a rejection, whenever it is read": (
        [(65, answers(Answer.REJECTED, KIM, reason="not today"))],
        5000,
        {**REJECTED, "reason": "not today", "seconds": 65},
    ),
    "the deadline": ([], 3600, {"decision": "expired", "seconds": 3600, "wait_seconds": 1}),
    "after the deadline": ([], 3601, {"decision": "expired", "seconds": 3601, "wait_seconds": 1}),
    "a cancel before the decision": ([(7, cancels_it)], 0, {**CANCELLED, "seconds": 7}),
    "it stays one after the deadline": ([(7, cancels_it)], 5000, {**CANCELLED, "seconds": 5007}),
    "a cancel after the decision": (
        [(0, answers(Answer.REJECTED, KIM)), (0, cancels_it)],
        0,
        {**REJECTED, "wake": 2},
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_has_happened_is_read_with_who_why_and_how_long_it_took(
    rows: Table, said: Said, time: Time, name: str
) -> None:
    happened, later, changes = READ[name]
    read()
    for seconds, happens in happened:
        time.pass_by(seconds)
        happens(rows)
    time.pass_by(later)
    found = read()
    assert found == {**FACT, **changes}
    if name != "an approval":
        again = found["decision"] == "pending"  # the end of a question is told by what follows
        assert [seen.phase for seen in said.shown] == ["approval"] * (1 + again)
        return
    seen = said.shown[-1]
    assert (seen.id, seen.phase, codec.as_json(seen.deployment.approval)) == (ID, "decided", found)
    assert seen.version == ASKED["version"]
    assert ID in seen.execution_url


@pytest.mark.parametrize(("first", "decision"), [(True, ("cancelled", DANA)), (False, ("expired", ""))])
def test_of_a_cancel_and_the_deadline_at_the_same_moment_the_first_counts(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch, first: bool, decision: tuple[str, str]
) -> None:
    read()
    time.pass_by(3600)
    record = questions.record

    def late(*given: Any) -> Any:
        if first:
            cancels_it(rows)
        made = record(*given)
        if not first:
            cancels_it(rows)
        return made

    monkeypatch.setattr(questions, "record", late)
    found = read()
    assert (found["decision"], found["by"]) == decision
    assert (found["seconds"], found["wait_seconds"]) == (3600, 1)


def test_an_end_at_the_moment_of_the_deadline_decides_nothing(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(3600)
    stored.settle(rows, ID, "Stopped")
    fact = read()
    assert (fact["decision"], fact["wait_seconds"]) == ("pending", 1)


def test_a_row_with_less_in_it_is_read(rows: Table, said: Said) -> None:
    read()
    row = (f"DEPLOYMENT#{ID}", "APPROVAL")
    rows.update(*row, "SET #decision = :d REMOVE #votes, #eligible", values={"d": "rejected"})
    assert read() == {**FACT, "decision": "rejected", "eligible": [], "wait_seconds": 1}
