"""The approval step asks and reminds, once each, and has Slack told."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.question import Answer
from chatops.errors import DecisionRecorded
from chatops.store import cancels, questions, waits
from chatops.store.table import Table
from tests.unit.approval_world import (
    ASKED,
    DANA,
    FACT,
    ID,
    KIM,
    LEE,
    Said,
    read,
    request,
    said,
    shown,
)
from tests.unit.conftest import Time

__all__ = ["said"]
pytestmark = pytest.mark.slow


# -- reminding -------------------------------------------------------------------------------------------------


def test_a_reminder_that_is_due_names_who_is_missing_and_how_long_is_left(rows: Table, said: Said, time: Time) -> None:
    read()
    questions.record(rows, ID, Answer.APPROVED, LEE)
    time.pass_by(899)
    assert (read()["wait_seconds"], said.reminders) == (1, [])
    time.pass_by(1.5)
    fact = read()
    text = f"<@{KIM}>: `v1.2.3` → *prod* still waits for your decision; 44m 59s left."
    assert said.reminders == [(ID, "reminder-1", text, {"everywhere": False})]
    assert fact["wait_seconds"] == 900, "until the next one"
    time.pass_by(899)
    assert (read()["wait_seconds"], len(said.reminders)) == (1, 1)
    time.pass_by(1)
    assert (read()["wait_seconds"], len(said.reminders)) == (900, 2)


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
    assert shown(seen) == ("approval", FACT)
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
    with pytest.raises(DecisionRecorded, match=r"^Something changed since the decision was read\.$"):
        request(FACT)
    assert (said.shown, said.short) == ([], [])


@pytest.mark.parametrize("what", ["a decision", "a cancel"])
def test_what_is_decided_or_cancelled_already_asks_nobody(rows: Table, said: Said, what: str) -> None:
    fact = read()
    said.shown, said.short = [], []
    if what == "a cancel":
        cancels.record(rows, ID, DANA)
    else:
        questions.record(rows, ID, Answer.REJECTED, KIM)
    with pytest.raises(DecisionRecorded, match=r"^There is a decision already\.$"):
        request(fact)
    assert (said.shown, said.short) == ([], [])


def test_a_question_that_is_not_written_yet_may_be_asked(rows: Table, said: Said) -> None:
    assert request(FACT) == {}
