"""The approval step reads: what has been decided, and how long the next wait is."""

from __future__ import annotations

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


def asked(rows: Table) -> Question:
    found = questions.get(rows, ID)
    assert found is not None
    return found


def shown(seen: View) -> tuple[str, dict[str, Any]]:
    """The phase that a message shows, and the approval's result in it."""
    return seen.phase, codec.as_json(seen.deployment.approval)


def event(mode: str, **more: Any) -> dict[str, Any]:
    return {"deployment_id": ID, "execution_arn": ARN, "mode": mode, "state": {"plan": ASKED}, **more}


def read(plan: dict[str, Any] | None = None) -> dict[str, Any]:
    given = event("read")
    return call(approval.run, {**given, "state": {"plan": plan}} if plan else given)


def test_the_first_look_asks_and_waits_until_the_first_reminder(rows: Table, said: Said) -> None:
    assert read() == FACT
    question = asked(rows)
    assert (question.eligible, question.quorum) == ((LEE, KIM), 2)
    assert (question.asked_at, question.deadline_at) == (NOW, NOW + 3600)
    (seen,) = said.shown
    assert shown(seen) == ("approval", {**FACT, "wait_seconds": 1})
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


def test_a_vote_that_decides_nothing_is_read_with_the_counter_and_the_time_so_far(
    rows: Table, said: Said, time: Time
) -> None:
    read()
    questions.record(rows, ID, Answer.APPROVED, LEE)
    time.pass_by(10.26)
    assert read() == {**FACT, "votes": {LEE: NOW}, "seconds": 10.3, "wake": 1, "wait_seconds": 890}


def test_the_wait_ends_at_the_deadline_where_that_comes_first_and_is_never_shorter_than_a_second(
    rows: Table, said: Said, time: Time
) -> None:
    plan = {**ASKED, "timing": {"approval": 600, "reminder": 900}}
    assert read(plan)["wait_seconds"] == 600
    time.pass_by(599.5)
    assert read(plan)["wait_seconds"] == 1
    time.pass_by(0.49)
    assert (read(plan)["wait_seconds"], read(plan)["decision"]) == (1, "pending")


@pytest.mark.parametrize("seconds", [3600, 3601])
def test_at_its_deadline_a_question_expires(rows: Table, said: Said, time: Time, seconds: int) -> None:
    read()
    time.pass_by(seconds)
    assert read() == {**FACT, "decision": "expired", "seconds": seconds, "wait_seconds": 1}
    question = asked(rows)
    assert (question.decision, question.by) == ("expired", "")
    assert [seen.phase for seen in said.shown] == ["approval"], "its end tells of it"


def test_a_decision_is_read_with_who_why_and_how_long_it_took(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(65)
    questions.record(rows, ID, Answer.REJECTED, KIM, "not today")
    time.pass_by(5000)
    assert read() == {
        **FACT,
        "decision": "rejected",
        "by": KIM,
        "reason": "not today",
        "seconds": 65,
        "wake": 1,
        "wait_seconds": 1,
    }
    assert [seen.phase for seen in said.shown] == ["approval"], "its end tells of it"


def test_an_approval_is_shown_at_once(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(5)
    for user in (LEE, KIM):
        questions.record(rows, ID, Answer.APPROVED, user)
    fact = read()
    assert (fact["decision"], fact["by"], fact["votes"]) == ("approved", KIM, {LEE: NOW + 5, KIM: NOW + 5})
    _, seen = said.shown
    assert (seen.id, shown(seen), seen.version) == (ID, ("decided", fact), ASKED["version"])
    assert ID in seen.execution_url


def test_a_cancel_before_the_decision_is_read_as_one(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(7)
    cancels.record(rows, ID, DANA)
    assert read() == {**FACT, "decision": "cancelled", "by": DANA, "seconds": 7, "wake": 1, "wait_seconds": 1}
    time.pass_by(5000)
    assert read()["decision"] == "cancelled", "and stays one after the deadline"
    assert not asked(rows).decision


def test_a_cancel_after_the_decision_does_not_change_it(rows: Table, said: Said) -> None:
    read()
    questions.record(rows, ID, Answer.REJECTED, KIM)
    cancels.record(rows, ID, DANA)
    assert (read()["decision"], read()["by"]) == ("rejected", KIM)


def test_a_cancel_at_the_moment_of_the_deadline_is_read_as_one(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    record = questions.record

    def late(*given: Any) -> Any:
        cancels.record(rows, ID, DANA)
        return record(*given)

    monkeypatch.setattr(questions, "record", late)
    assert read() == {**FACT, "decision": "cancelled", "by": DANA, "seconds": 3600, "wait_seconds": 1}


def test_a_cancel_a_moment_after_the_question_expired_does_not_change_that(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    record = questions.record

    def then_cancel(*given: Any) -> Any:
        made = record(*given)
        cancels.record(rows, ID, DANA)
        return made

    monkeypatch.setattr(questions, "record", then_cancel)
    assert (read()["decision"], read()["by"]) == ("expired", "")


def test_an_end_at_the_moment_of_the_deadline_decides_nothing(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    stored.settle(rows, ID, "Stopped")
    fact = read()
    assert (fact["decision"], fact["wait_seconds"]) == ("pending", 1)


def test_a_row_with_less_in_it_is_read(rows: Table, said: Said) -> None:
    read()
    rows.update(
        f"DEPLOYMENT#{ID}",
        "APPROVAL",
        "SET #decision = :d REMOVE #votes, #eligible",
        values={"d": "rejected"},
    )
    assert read() == {**FACT, "decision": "rejected", "eligible": [], "wait_seconds": 1}
