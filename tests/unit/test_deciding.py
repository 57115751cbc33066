"""What the approval's buttons say to whom: every refusal and every answer in its words, and what each leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops.edge import deciding
from chatops.store import approvals, deployments, waits
from chatops.store import table as t
from chatops.store.approvals import Question
from chatops.store.table import Table
from tests.unit.conftest import Time

pytestmark = pytest.mark.slow

DANA, LEE, KIM, OUT = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001"
ID, CHANNEL = "d-any", "C0DEPLOY1"
UNKNOWN = "⚠️ This card belongs to no deployment that I know."
EXPIRED = "⚠️ `d-any` expired {ago} ago; nobody had decided."


@pytest.fixture
def table(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Table:
    """Lee and Kim are the target's approvers."""
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    return rows


PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v2", "requester": {"id": DANA}}


def ask(rows: Table, *eligible: str, quorum: int = 1, **plan: Any) -> None:
    """A deployment that waits for so many of these."""
    deployments.begin(rows, ID, "arn", {**PLAN, "channel": CHANNEL, **plan})
    asked = Question(eligible or (LEE, KIM), quorum, 1_760_003_600.0, 1_760_000_900.0)
    approvals.open_question(rows, ID, asked)


def end(rows: Table) -> None:
    deployments.settle(rows, deployments.get(rows, ID) or {}, {"end": "Stopped"})


def approve(user: str = LEE, channel: str = CHANNEL) -> str:
    return deciding.approve(ID, user, channel)


def reject(user: str = LEE, reason: str = "not today") -> str:
    return deciding.reject(ID, user, reason)


def undecided(rows: Table) -> bool:
    """Nothing was recorded, and nobody woken, but by somebody's cancel."""
    row, cancelled = approvals.get(rows, ID) or {}, approvals.cancelled(rows, ID) is not None
    return not row.get("decision") and not row.get("votes") and waits.counter(rows, ID) == int(cancelled)


# -- what counts -----------------------------------------------------------------------------------------------


def test_the_deciding_yes_is_confirmed_recorded_and_wakes_the_execution(table: Table) -> None:
    ask(table)
    assert approve() == "You approved `d-any`. It goes on."
    row = approvals.get(table, ID) or {}
    assert (row["decision"], row["by"], row["via"], waits.counter(table, ID)) == ("approved", LEE, "slack", 1)


def test_a_yes_that_others_must_follow_is_counted_and_wakes_the_execution(table: Table) -> None:
    ask(table, quorum=2)
    assert approve() == "Your approval of `d-any` counts: 1 of 2."
    assert waits.counter(table, ID) == 1, "the card shows it"
    assert approve(KIM) == "You approved `d-any`. It goes on."


def test_a_no_is_confirmed_recorded_with_its_reason_and_wakes_the_execution(table: Table) -> None:
    ask(table, quorum=2)
    approve()
    assert reject(KIM) == "You rejected `d-any`. It ends here."
    row = approvals.get(table, ID) or {}
    assert (row["decision"], row["by"], row["reason"]) == ("rejected", KIM, "not today")
    assert waits.counter(table, ID) == 2


def test_a_decision_stands_although_the_execution_cannot_be_woken(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack's three seconds leave little of the usual patience."""
    seen: list[Any] = []
    monkeypatch.setattr(waits, "nudge", lambda *given, **named: seen.append((given, named)))
    ask(table, quorum=2)
    approve()
    approve(KIM)
    assert [(given[1], named) for given, named in seen] == [(ID, {"patience": 0.25})] * 2


@pytest.mark.parametrize("press", [approve, reject])
def test_the_table_is_asked_with_little_patience(table: Table, monkeypatch: pytest.MonkeyPatch, press: Any) -> None:
    ask(table)
    asked: list[float] = []

    def impatient(*, patience: float) -> Table:
        asked.append(patience)
        return t.table(patience=patience)

    monkeypatch.setattr(deciding, "table", impatient)
    press()
    assert asked == [0.25]


# -- who may ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("press", [approve, reject])
def test_who_was_not_asked_is_told_who_was(table: Table, press: Any) -> None:
    ask(table)
    for user in (OUT, DANA):
        assert press(user) == "⚠️ Only <@U0LEE0001>, <@U0KIM0001> may decide about `d-any`."
    assert undecided(table)


@pytest.mark.parametrize("press", [approve, reject])
def test_an_approver_who_asked_themselves_is_told_that_this_is_why(table: Table, press: Any) -> None:
    ask(table, KIM, requester={"id": LEE})
    own = "⚠️ You asked for `d-any` yourself, and nobody may approve their own request. It waits for <@U0KIM0001>."
    assert press(LEE) == own
    assert undecided(table)


def test_an_approver_who_came_later_than_the_question_was_not_asked(table: Table) -> None:
    ask(table, KIM)
    assert approve() == "⚠️ Only <@U0KIM0001> may decide about `d-any`."


@pytest.mark.parametrize("plan", [{"target": "gone", "requester": {"id": LEE}}, {"requester": None}])
def test_of_a_target_or_a_requester_that_is_not_known_any_more_nothing_is_guessed(
    table: Table, plan: dict[str, Any]
) -> None:
    ask(table, KIM)
    record = table.get(f"DEPLOYMENT#{ID}", "RECORD") or {}
    table.put({**record, "plan": json.dumps({**json.loads(record["plan"]), **plan})})
    assert approve() == "⚠️ Only <@U0KIM0001> may decide about `d-any`."


def test_a_question_that_names_nobody_lets_nobody_decide(table: Table) -> None:
    ask(table)
    table.update(f"DEPLOYMENT#{ID}", "APPROVAL", "REMOVE #eligible")
    assert approve() == "⚠️ Only \N{EN DASH} may decide about `d-any`."


def test_an_approval_counts_only_where_its_card_is(table: Table) -> None:
    ask(table)
    assert approve(channel="C0PUBLIC1") == "⚠️ Decide about `d-any` where its card is."
    assert undecided(table)


def test_where_either_channel_is_not_known_it_counts(table: Table) -> None:
    ask(table, quorum=2)
    assert "counts: 1 of 2" in approve(channel="")
    table.delete(f"DEPLOYMENT#{ID}", "RECORD")
    deployments.begin(table, ID, "arn", PLAN)
    assert "You approved" in approve(KIM, "C0PUBLIC1")


# -- too late --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("press", [approve, reject])
def test_a_card_of_no_deployment_is_called_that(table: Table, press: Any) -> None:
    assert press() == UNKNOWN
    deployments.begin(table, ID, "arn", PLAN)
    assert press() == UNKNOWN, "nothing was asked about it"


@pytest.mark.parametrize("press", [approve, reject])
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("approved", "⚠️ <@U0KIM0001> has approved `d-any` already, 1m 05s ago."),
        ("rejected", "⚠️ <@U0KIM0001> has rejected `d-any` already, 1m 05s ago."),
        ("expired", EXPIRED.format(ago="1m 05s")),
    ],
)
def test_after_a_decision_people_are_told_whose_and_when(
    table: Table, time: Time, press: Any, word: str, said: str
) -> None:
    ask(table)
    approvals.decide(table, ID, word, KIM)
    time.pass_by(65)
    assert press() == said
    end(table)
    assert press() == said, "it says more than how the deployment ended"


@pytest.mark.parametrize("press", [approve, reject])
def test_after_the_end_people_are_told_how_it_ended(table: Table, press: Any) -> None:
    ask(table)
    end(table)
    assert press() == "⚠️ `d-any` has ended (Stopped); this card is expired. Nothing was changed by your click."
    table.delete(f"DEPLOYMENT#{ID}", "APPROVAL")
    assert "has ended" in press()


@pytest.mark.parametrize("press", [approve, reject])
def test_after_a_cancel_people_are_told_whose(table: Table, press: Any) -> None:
    ask(table)
    approvals.cancel(table, ID, DANA)
    assert press() == "⚠️ `d-any` was cancelled by <@U0DANA001>."
    assert undecided(table)


@pytest.mark.parametrize("press", [approve, reject])
@pytest.mark.parametrize(("seconds", "said"), [(3600, "0s"), (3665, "1m 05s")])
def test_from_its_deadline_on_nothing_counts(table: Table, time: Time, press: Any, seconds: int, said: str) -> None:
    ask(table)
    time.pass_by(seconds)
    assert press() == EXPIRED.format(ago=said)
    assert undecided(table)


def test_until_its_deadline_it_counts(table: Table, time: Time) -> None:
    ask(table)
    time.pass_by(3599)
    assert "You approved" in approve()


# -- at the same moment ----------------------------------------------------------------------------------------


def meanwhile(patch: pytest.MonkeyPatch, happens: Any) -> None:
    """Something happens once everything has been looked at."""
    look = deciding.obstacle

    def late(*given: Any) -> str:
        said = look(*given)
        happens()
        return said

    patch.setattr(deciding, "obstacle", late)


@pytest.mark.parametrize("press", [approve, reject])
def test_who_is_a_moment_later_than_another_is_told_what_stands(
    table: Table, monkeypatch: pytest.MonkeyPatch, press: Any
) -> None:
    ask(table)
    other = "rejected" if press is approve else "approved"
    meanwhile(monkeypatch, lambda: approvals.decide(table, ID, other, KIM))
    assert press() == f"⚠️ <@U0KIM0001> has {other} `d-any` already, 0s ago."


def test_two_who_approve_at_the_same_moment_have_both_approved_where_both_count(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(table, quorum=2)

    def both() -> None:
        approvals.vote(table, ID, LEE)
        approvals.vote(table, ID, KIM)

    meanwhile(monkeypatch, both)
    assert approve(LEE) == "You approved `d-any`. It goes on.", "Kim's was the deciding one"


def test_a_yes_that_comes_after_the_last_one_needed_is_told_that_it_was_decided(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(table)
    meanwhile(monkeypatch, lambda: approvals.vote(table, ID, KIM))
    assert approve(LEE) == "⚠️ <@U0KIM0001> has approved `d-any` already, 0s ago."


def test_a_no_of_another_at_the_same_moment_is_theirs(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(table)
    meanwhile(monkeypatch, lambda: approvals.decide(table, ID, "rejected", KIM))
    assert reject(LEE) == "⚠️ <@U0KIM0001> has rejected `d-any` already, 0s ago."


@pytest.mark.parametrize("press", [approve, reject])
def test_a_cancel_or_an_end_at_the_same_moment_is_told(
    table: Table, monkeypatch: pytest.MonkeyPatch, press: Any
) -> None:
    ask(table, quorum=2)
    meanwhile(monkeypatch, lambda: approvals.cancel(table, ID, DANA))
    assert press() == "⚠️ `d-any` was cancelled by <@U0DANA001>."
    assert undecided(table)


@pytest.mark.parametrize("press", [approve, reject])
def test_an_end_at_the_same_moment_is_told(table: Table, monkeypatch: pytest.MonkeyPatch, press: Any) -> None:
    ask(table)
    meanwhile(monkeypatch, lambda: end(table))
    assert press().startswith("⚠️ `d-any` has ended (Stopped)")
    assert undecided(table)


def test_a_no_after_ones_own_yes_at_the_moment_of_a_cancel_is_no_counted_approval(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(table, quorum=2)
    approve(LEE)
    meanwhile(monkeypatch, lambda: approvals.cancel(table, ID, DANA))
    assert reject(LEE) == "⚠️ `d-any` was cancelled by <@U0DANA001>."
