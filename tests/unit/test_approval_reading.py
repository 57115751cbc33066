"""The approval step by itself: what it reads, how long the next wait is, and what it has Slack told."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.errors import DecisionRecorded
from chatops.messages.facts import View
from chatops.steps import approval, promotion, speak
from chatops.store import approvals, deployments, waits
from chatops.store.table import Table
from chatops.targets import LOOKS
from tests.unit.conftest import Time
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
        patch.setattr(speak, "show", self.show)
        patch.setattr(speak, "short", self.say)

    def show(self, seen: View) -> bool:
        self.shown.append(seen)
        return not self.down

    def say(self, deployment_id: str, mark: str, text: str, **how: Any) -> bool:
        if mark not in [said[1] for said in self.short] and not self.down:
            self.short.append((deployment_id, mark, text, how))
        return not self.down

    @property
    def reminders(self) -> list[Any]:
        return [said for said in self.short if said[1].startswith("reminder")]


@pytest.fixture
def said(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Said:
    deployments.begin(rows, ID, ARN, ASKED)
    return Said(environment)


def event(mode: str, **more: Any) -> dict[str, Any]:
    return {"deployment_id": ID, "execution_arn": ARN, "mode": mode, "state": {"plan": ASKED}, **more}


def read(plan: dict[str, Any] | None = None) -> dict[str, Any]:
    given = event("read")
    return approval.run({**given, "state": {"plan": plan}} if plan else given)


def request(fact: dict[str, Any], plan: dict[str, Any] | None = None) -> dict[str, Any]:
    state = {"plan": plan or ASKED, "approval": fact}
    return approval.run({**event("request"), "token": "token-1", "wake": fact["wake"], "state": state})


# -- reading ---------------------------------------------------------------------------------------------------


def test_the_first_look_asks_and_waits_until_the_first_reminder(rows: Table, said: Said) -> None:
    assert read() == FACT
    row = approvals.get(rows, ID) or {}
    assert (row["eligible"], row["quorum"]) == ([LEE, KIM], 2)
    assert (row["deadline_at"], row["next_reminder_at"]) == (NOW + 3600, NOW + 900)
    (seen,) = said.shown
    assert (seen.phase, seen.approval) == ("approval", {**FACT, "wait_seconds": 900})
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
    approvals.vote(rows, ID, LEE)
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
    row = approvals.get(rows, ID) or {}
    assert (row["decision"], row["by"]) == ("expired", "")
    assert [seen.phase for seen in said.shown] == ["approval"], "its end tells of it"


def test_a_decision_is_read_with_who_why_and_how_long_it_took(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(65)
    approvals.decide(rows, ID, "rejected", KIM, "not today")
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
        approvals.vote(rows, ID, user)
    fact = read()
    assert (fact["decision"], fact["by"], fact["votes"]) == ("approved", KIM, {LEE: NOW + 5, KIM: NOW + 5})
    _, seen = said.shown
    assert (seen.deployment_id, seen.phase, seen.approval, seen.plan) == (ID, "decided", fact, ASKED)
    assert ID in seen.execution_url


def test_a_cancel_before_the_decision_is_read_as_one(rows: Table, said: Said, time: Time) -> None:
    read()
    time.pass_by(7)
    approvals.cancel(rows, ID, DANA)
    assert read() == {**FACT, "decision": "cancelled", "by": DANA, "seconds": 7, "wake": 1, "wait_seconds": 1}
    time.pass_by(5000)
    assert read()["decision"] == "cancelled", "and stays one after the deadline"
    assert not (approvals.get(rows, ID) or {}).get("decision")


def test_a_cancel_after_the_decision_does_not_change_it(rows: Table, said: Said) -> None:
    read()
    approvals.decide(rows, ID, "rejected", KIM)
    approvals.cancel(rows, ID, DANA)
    assert (read()["decision"], read()["by"]) == ("rejected", KIM)


def test_a_cancel_at_the_moment_of_the_deadline_is_read_as_one(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    decide = approvals.decide

    def late(*given: Any) -> Any:
        approvals.cancel(rows, ID, DANA)
        return decide(*given)

    monkeypatch.setattr(approvals, "decide", late)
    assert read() == {**FACT, "decision": "cancelled", "by": DANA, "seconds": 3600, "wait_seconds": 1}


def test_a_cancel_a_moment_after_the_question_expired_does_not_change_that(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    decide = approvals.decide

    def then_cancel(*given: Any) -> Any:
        row = decide(*given)
        approvals.cancel(rows, ID, DANA)
        return row

    monkeypatch.setattr(approvals, "decide", then_cancel)
    assert (read()["decision"], read()["by"]) == ("expired", "")


def test_an_end_at_the_moment_of_the_deadline_decides_nothing(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(3600)
    deployments.settle(rows, deployments.get(rows, ID) or {}, {"end": "Stopped"})
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


# -- reminding -------------------------------------------------------------------------------------------------


def test_a_reminder_that_is_due_names_who_is_missing_and_how_long_is_left(rows: Table, said: Said, time: Time) -> None:
    read()
    approvals.vote(rows, ID, LEE)
    time.pass_by(899)
    assert (read()["wait_seconds"], said.reminders) == (1, [])
    time.pass_by(1.5)
    fact = read()
    text = f"<@{KIM}>: `v1.2.3` → *prod* still waits for your decision; 44m 59s left."
    assert said.reminders == [(ID, f"reminder-{NOW + 900}", text, {})]
    assert fact["wait_seconds"] == 900, "the next one"
    assert (approvals.get(rows, ID) or {})["next_reminder_at"] == NOW + 900.5 + 900
    assert read()["wait_seconds"] == 900
    assert len(said.reminders) == 1


def test_a_reminder_that_another_step_sends_is_not_sent_twice(
    rows: Table, said: Said, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    time.pass_by(900)
    monkeypatch.setattr(approvals, "reminded", lambda *_: False)
    assert (read()["wait_seconds"], said.reminders) == (900, [])


def test_who_is_mentioned_goes_by_groups_where_the_plan_asks_many(rows: Table, said: Said, time: Time) -> None:
    many = [f"U0MANY{n:03d}" for n in range(12)]
    plan = {**ASKED, "approval": {**ASKED["approval"], "eligible": many, "groups": ["S0PLATF01"]}}
    read(plan)
    assert said.short[0][2].startswith("<!subteam^S0PLATF01>: "), "with the card"
    time.pass_by(900)
    read(plan)
    assert said.reminders[0][2].startswith("<!subteam^S0PLATF01>: ")


# -- asking ----------------------------------------------------------------------------------------------------


def test_a_request_parks_its_token_shows_the_card_and_mentions_once_and_everywhere(rows: Table, said: Said) -> None:
    assert request(FACT) == {}
    (seen,) = said.shown
    assert (seen.phase, seen.approval) == ("approval", FACT)
    deadline = "<!date^1760003600^{date_short_pretty} {time}|2025-10-09 09:53 UTC>"
    text = f"<@{LEE}>, <@{KIM}>: <@{DANA}> asks to deploy `v1.2.3` to *prod*. Please decide by {deadline}."
    assert said.short == [(ID, "approval", text, {"everywhere": True})]


def test_a_rollback_is_asked_for_in_its_own_words(rows: Table, said: Said) -> None:
    plan = {**ASKED, "command": "rollback"}
    request(FACT, plan)
    assert "asks to roll *prod* back to `v1.2.3`" in said.short[0][2]


def test_the_token_is_parked_for_the_look_that_was_taken(rows: Table, said: Said, environment: Any) -> None:
    parked: list[Any] = []

    def park(*given: Any) -> bool:
        parked.append(given[1:])
        return True

    environment.setattr(waits, "park", park)
    request({**FACT, "wake": "3"})
    assert parked == [(ID, "token-1", 3)]


def test_who_is_mentioned_waits_until_slack_takes_the_card(rows: Table, said: Said) -> None:
    said.down = True
    assert request(FACT) == {}
    assert said.short == []


def test_a_wake_since_the_look_asks_nobody(rows: Table, said: Said) -> None:
    waits.wake(rows, ID)
    with pytest.raises(DecisionRecorded, match=r"^Something happened since the last look\.$"):
        request(FACT)
    assert (said.shown, said.short) == ([], [])


@pytest.mark.parametrize("what", ["a decision", "a cancel"])
def test_what_is_decided_or_cancelled_already_asks_nobody(rows: Table, said: Said, what: str) -> None:
    fact = read()
    said.shown, said.short = [], []
    if what == "a cancel":
        approvals.cancel(rows, ID, DANA)
    else:
        approvals.decide(rows, ID, "rejected", KIM)
    with pytest.raises(DecisionRecorded, match=r"^There is a decision already\.$"):
        request(fact)
    assert (said.shown, said.short) == ([], [])


def test_a_question_that_is_not_written_yet_may_be_asked(rows: Table, said: Said) -> None:
    assert request(FACT) == {}


def test_a_fact_without_a_deadline_or_a_plan_without_a_question_is_asked_all_the_same(rows: Table, said: Said) -> None:
    plan = {name: value for name, value in ASKED.items() if name != "approval"}
    request({"wake": 0, "eligible": [KIM]}, plan)
    assert said.short[0][2] == f"<@{KIM}>: <@{DANA}> asks to deploy `v1.2.3` to *prod*. Please decide by ."


def test_a_paused_rollout_is_asked_about_by_its_own_step(said: Said, environment: pytest.MonkeyPatch) -> None:
    environment.setattr(promotion, "request", lambda given: {"promotion": given["mode"]})
    assert approval.run(event("promotion")) == {"promotion": "promotion"}
