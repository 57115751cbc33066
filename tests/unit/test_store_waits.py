"""The waits of an execution, and that no wake-up is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops import aws
from chatops.domain.question import Answer, Question
from chatops.store import cancels, questions, wakeups
from chatops.store.table import Table
from tests.unit import stored

ID = "d-abcdefghijkl"
LEE, DANA = "U0LEE0001", "U0DANA001"
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


def test_a_wake_after_the_wait_began_ends_it(rows: Table, states: States) -> None:
    seen = wakeups.counter(rows, ID)
    assert wakeups.park(rows, ID, "token-1", seen)
    states.waiting.add("token-1")
    wakeups.wake(rows, ID)
    assert states.answered == ["token-1"]
    assert wakeups.counter(rows, ID) == 1


def test_a_wake_between_the_look_and_the_wait_keeps_the_wait_from_beginning(rows: Table, states: States) -> None:
    for already in range(2):
        seen = wakeups.counter(rows, ID)
        assert seen == already
        wakeups.wake(rows, ID)
        assert not wakeups.park(rows, ID, "token-1", seen)
    assert states.answered == []


def test_no_wake_is_lost_whatever_the_order(rows: Table, states: States) -> None:
    """Wait and wake at the same time: either the wait never begins, or it is ended."""
    states.waiting.update(f"token-{n}" for n in range(12))
    for n in range(12):
        seen = wakeups.counter(rows, ID)
        with ThreadPoolExecutor(2) as two:
            parked = two.submit(wakeups.park, rows, ID, f"token-{n}", seen)
            two.submit(wakeups.wake, rows, ID).result()
        assert parked.result() == (f"token-{n}" in states.answered)


def test_a_token_that_came_too_late_is_no_error_and_is_forgotten(rows: Table, states: States) -> None:
    wakeups.park(rows, ID, "token-1", 0)
    wakeups.wake(rows, ID)
    assert wakeups.undelivered(rows, ID) == ""
    wakeups.wake(rows, ID)
    assert states.answered == []


def test_a_wake_that_was_recorded_and_not_delivered_is_found_later(rows: Table, states: States) -> None:
    wakeups.park(rows, ID, "token-1", 0)
    states.waiting.add("token-1")
    assert wakeups.undelivered(rows, ID) == "", "nobody has woken it yet"
    states.down = True
    with pytest.raises(ClientError):
        wakeups.wake(rows, ID)
    assert wakeups.undelivered(rows, ID) == "token-1"
    states.down = False
    wakeups.deliver(rows, ID, "token-1")
    assert (states.answered, wakeups.undelivered(rows, ID)) == (["token-1"], "")


def test_news_whose_teller_died_before_waking_anybody_is_found_later(rows: Table, states: States, time: Any) -> None:
    wakeups.park(rows, ID, "token-1", 0)
    assert wakeups.undelivered(rows, ID, time() - 1) == "", "it began after that"
    assert wakeups.undelivered(rows, ID, time() + 1) == "token-1"


def test_a_decision_that_is_recorded_is_no_error_when_nobody_can_be_woken(rows: Table, states: States) -> None:
    questions.ask(rows, ID, Question(0, 2e9, (LEE,)))
    wakeups.park(rows, ID, "token-1", 0)
    states.down = True
    questions.record(rows, ID, Answer.APPROVED, LEE)
    wakeups.nudge(rows, ID)
    assert wakeups.undelivered(rows, ID) == "token-1", "`sweep` delivers it"


@pytest.mark.parametrize("how", ["approved", "rejected", "cancelled"])
def test_a_decision_wakes_a_wait_that_began_at_its_moment_whoever_dies_after_it(
    rows: Table, states: States, how: str
) -> None:
    """Recorded after the step had looked and before it parked; the one who pressed died with that."""
    questions.ask(rows, ID, Question(0, 2e9, (LEE,)))
    stored.begin(rows, ID, "arn", PLAN)
    seen = wakeups.counter(rows, ID)
    if how == "cancelled":
        cancels.record(rows, ID, DANA)
    else:
        questions.record(rows, ID, Answer(how), LEE)
    assert not wakeups.park(rows, ID, "token-1", seen), "it looks again instead of sleeping"


def test_a_late_delivery_leaves_the_next_waits_token_alone(rows: Table, states: States) -> None:
    wakeups.park(rows, ID, "token-1", 0)
    wakeups.park(rows, ID, "token-2", 0)  # the first wait timed out; the second one began
    states.waiting.add("token-2")
    wakeups.deliver(rows, ID, "token-1")
    wakeups.wake(rows, ID)
    assert states.answered == ["token-2"]
