"""What the buttons of both questions say to whom: every refusal and every answer, and what each leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops.domain.errors import Refusal
from chatops.domain.question import Answer, Question, closed
from chatops.edge import interactions, question_buttons, replies
from chatops.store import cancels, table, wakeups
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.question_session import (
    APPROVAL,
    CHANNEL,
    DANA,
    HOUR,
    ID,
    KIM,
    LEE,
    OUT,
    PROMOTION,
    Asked,
    Kind,
    Meanwhile,
    asked,
    each,
    each_button,
)

__all__ = ["asked"]
pytestmark = pytest.mark.slow

OPERATOR = "an operator"
BOTH = f"<@{LEE}>, <@{KIM}>"
DONE = {
    Answer.APPROVED: f"You approved `{ID}`. It goes on.",
    Answer.REJECTED: f"You rejected `{ID}`. It ends here.",
    Answer.PROMOTED: f"You promoted `{ID}`. Its rollout goes on.",
    Answer.ROLLED_BACK: f"You rolled `{ID}` back. Its message says how it ends.",
}
STRANGER = {
    Answer.APPROVED: f"⚠️ Only {{people}} may decide about `{ID}`.",
    Answer.REJECTED: f"⚠️ Only {{people}} may decide about `{ID}`.",
    Answer.PROMOTED: f"⚠️ Only {{people}} may promote `{ID}`.",
    Answer.ROLLED_BACK: f"⚠️ Only {{people}} and {{requester}} may roll `{ID}` back.",
}
LATE = {
    APPROVAL: f"⚠️ `{ID}` expired {{ago}} ago; nobody had decided.",
    PROMOTION: f"⚠️ Nobody decided about `{ID}` in time; this pause ended {{ago}} ago.",
}
UNKNOWN = "⚠️ This card belongs to no deployment that I know."


def press(rows: Table, kind: Kind, button: str, user: str = LEE, channel: str = CHANNEL) -> str:
    """A whole answer, given to this table; the text for the person."""
    try:
        return carry_out(rows, kind, button, user, channel)
    except Refusal as refusal:
        return replies.refused(refusal, button, user)


def carry_out(rows: Table, kind: Kind, button: str, user: str, channel: str) -> str:
    if button == "approve":
        return question_buttons.approve(rows, ID, user, channel)
    if button == "reject":
        question_buttons.ask_reason(rows, ID, replies.Addressee(user, channel), "1.2.trigger")
        return question_buttons.reject(rows, ID, user, "not today")
    return question_buttons.at_pause(rows, button, kind.value(), replies.Addressee(user, channel), "")


def undecided(session: Asked, kind: Kind) -> bool:
    """Nothing was recorded, and nobody woken, except by somebody's cancel."""
    found, cancelled = session.question(kind), session.cancelled_by() is not None
    return not found.decision and not found.votes and wakeups.counter(session.rows, ID) == int(cancelled)


# -- what counts -------------------------------------------------------------------------------------------------------


@each_button
def test_an_answer_is_confirmed_recorded_and_wakes_the_execution(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    assert press(asked.rows, kind, button) == DONE[kind.answers[button]]
    made = asked.question(kind)
    assert (made.decision, made.by, made.via) == (kind.answers[button], LEE, "slack")
    assert made.reason == ("not today" if button == "reject" else "")
    assert wakeups.counter(asked.rows, ID) == 1


def test_a_yes_that_others_must_follow_is_counted_and_wakes_the_execution(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    assert press(asked.rows, APPROVAL, "approve") == f"Your approval of `{ID}` counts: 1 of 2."
    assert wakeups.counter(asked.rows, ID) == 1, "the card shows it"
    assert press(asked.rows, APPROVAL, "approve", KIM) == DONE[Answer.APPROVED]


@each_button
def test_the_table_is_asked_and_the_execution_woken_with_little_patience(
    asked: Asked, kind: Kind, button: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack waits for three seconds. The answer stands although the execution cannot be woken."""
    seen: list[float] = []
    woken: list[float] = []

    def impatient(*, patience: float) -> Table:
        seen.append(patience)
        return table.table(patience=patience)

    monkeypatch.setattr(interactions, "table", impatient)
    monkeypatch.setattr(wakeups, "nudge", lambda *_, patience: woken.append(patience))
    asked.ask(kind)
    asked.give(kind, button, LEE)
    assert (set(seen), woken) == ({0.25}, [0.25])


# -- who may -----------------------------------------------------------------------------------------------------------


@each_button
def test_who_was_not_asked_is_told_who_was(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    text = STRANGER[kind.answers[button]].format(people=BOTH, requester=f"<@{DANA}>")
    assert press(asked.rows, kind, button, OUT) == text
    if button != "pause_roll_back":  # which is a cancel: the requester may
        assert press(asked.rows, kind, button, DANA) == text
    assert undecided(asked, kind)


@pytest.mark.parametrize(
    ("kind", "button", "text"),
    [
        (APPROVAL, "approve", "nobody may approve their own request"),
        (APPROVAL, "reject", "nobody may approve their own request"),
        (PROMOTION, "promote", "nobody else has approved it"),
    ],
)
def test_an_approver_who_asked_themselves_is_told_that_this_is_why(
    asked: Asked, kind: Kind, button: str, text: str
) -> None:
    asked.ask(kind, (KIM,), requester=LEE)
    assert press(asked.rows, kind, button) == f"⚠️ You asked for `{ID}` yourself, and {text}. It waits for <@{KIM}>."
    assert undecided(asked, kind)


def test_an_approver_of_the_target_may_roll_back_whoever_was_asked_to_promote(asked: Asked) -> None:
    asked.ask(PROMOTION, (KIM,), requester=LEE)
    assert press(asked.rows, PROMOTION, "pause_roll_back") == DONE[Answer.ROLLED_BACK]


@each
@pytest.mark.parametrize("plan", [{}, {"target": "gone", "requester": {"id": LEE}}, {"requester": None}], ids=str)
def test_an_approver_who_was_not_asked_is_a_stranger_and_nothing_is_guessed(
    asked: Asked, kind: Kind, plan: dict[str, Any]
) -> None:
    """They became one after the question; or the target, or the requester, isn't known any more."""
    asked.ask(kind, (KIM,))
    record = asked.rows.get(f"DEPLOYMENT#{ID}", "RECORD") or {}
    asked.rows.put({**record, "plan": json.dumps({**json.loads(record["plan"]), **plan})})
    assert press(asked.rows, kind, kind.buttons[0]) == STRANGER[kind.yes].format(people=f"<@{KIM}>")


@each
def test_a_question_that_names_nobody_is_left_to_an_operator(asked: Asked, kind: Kind) -> None:
    asked.ask(kind, ())
    assert press(asked.rows, kind, kind.buttons[0], OUT) == STRANGER[kind.yes].format(people=OPERATOR)


@each_button
def test_an_answer_counts_only_where_its_card_is(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    assert press(asked.rows, kind, button, channel="C0PUBLIC1") == f"⚠️ Decide about `{ID}` where its card is."
    assert undecided(asked, kind)


@each_button
@pytest.mark.parametrize(("pressed_in", "shown_in"), [("", CHANNEL), ("C0PUBLIC1", "")])
def test_where_either_channel_is_not_known_it_counts(
    asked: Asked, kind: Kind, button: str, pressed_in: str, shown_in: str
) -> None:
    asked.ask(kind, channel=shown_in)
    assert press(asked.rows, kind, button, channel=pressed_in) == DONE[kind.answers[button]]


# -- too late ----------------------------------------------------------------------------------------------------------


@each_button
def test_a_card_of_no_deployment_is_called_that(asked: Asked, kind: Kind, button: str) -> None:
    assert press(asked.rows, kind, button) == UNKNOWN
    stored.begin(
        asked.rows, ID, "arn", {"target": "dev", "command": "deploy", "version": "v2", "requester": {"id": DANA}}
    )
    assert press(asked.rows, kind, button) == UNKNOWN, "nothing was asked about it"


@each_button
def test_after_a_decision_people_are_told_whose_and_when(asked: Asked, kind: Kind, button: str) -> None:
    texts = {
        kind.yes: f"⚠️ <@{KIM}> has {kind.yes} `{ID}` already, 1m 05s ago.",
        kind.no: f"⚠️ <@{KIM}> has {kind.no.replace('_', ' ')} `{ID}` already, 1m 05s ago.",
        Answer.EXPIRED: LATE[kind].format(ago="1m 05s"),
    }
    if kind is PROMOTION:
        texts[Answer.PASSED] = f"⚠️ This pause of `{ID}` ended 1m 05s ago: it was continued outside this bot."
    for answer, text in texts.items():
        asked.clear()
        asked.ask(kind)
        asked.record(kind, answer, KIM)
        asked.time.pass_by(65)
        assert press(asked.rows, kind, button) == text
        asked.end()
        assert press(asked.rows, kind, button) == text, "it says more than how the deployment ended"


@each_button
def test_after_the_end_people_are_told_how_it_ended(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    asked.end()
    text = f"⚠️ `{ID}` has ended (Stopped); this card is expired. Nothing was changed by your click."
    assert press(asked.rows, kind, button) == text
    asked.rows.delete(f"DEPLOYMENT#{ID}", f"PAUSE#{kind.mark}" if kind.mark else "APPROVAL")
    assert press(asked.rows, kind, button) == text


@each_button
def test_after_a_cancel_people_are_told_whose(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    cancels.record(asked.rows, ID, DANA)
    assert press(asked.rows, kind, button) == f"⚠️ `{ID}` was cancelled by <@{DANA}>."
    assert undecided(asked, kind)


@each_button
@pytest.mark.parametrize(("seconds", "ago"), [(HOUR, "0s"), (HOUR + 65, "1m 05s")])
def test_from_its_deadline_on_nothing_counts(asked: Asked, kind: Kind, button: str, seconds: int, ago: str) -> None:
    asked.ask(kind)
    asked.time.pass_by(seconds)
    assert press(asked.rows, kind, button) == LATE[kind].format(ago=ago)
    assert undecided(asked, kind)


@each_button
def test_until_its_deadline_it_counts(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    asked.time.pass_by(HOUR - 1)
    assert press(asked.rows, kind, button) == DONE[kind.answers[button]]


def test_a_decision_says_more_than_an_end_an_end_more_than_a_cancel_and_that_more_than_the_deadline() -> None:
    question = Question(0, 10, (LEE,))
    for at, decided in ((5, Answer.APPROVED), (5, None)):
        made = question.answered(decided, LEE, at) if decided else question
        for end, cancelled_by in (("Stopped", KIM), ("", KIM), ("", None)):
            objection = closed(made, end, cancelled_by, 20)
            key = "click_expired" if end else "click_cancelled" if cancelled_by else "click_already_expired"
            assert objection
            assert objection.key == ("click_already" if decided else key)


# -- at the same moment ------------------------------------------------------------------------------------------------


@each_button
def test_who_is_a_moment_later_than_another_is_told_what_stands(asked: Asked, kind: Kind, button: str) -> None:
    """Also than another one who gave the same answer."""
    for answer in (kind.yes, kind.no):
        asked.clear()
        asked.ask(kind)
        rows = Meanwhile(asked.rows, lambda answer=answer: asked.record(kind, answer, KIM))  # type: ignore[misc]
        text = f"⚠️ <@{KIM}> has {answer.replace('_', ' ')} `{ID}` already, 0s ago."
        assert press(rows, kind, button) == text


def test_two_who_approve_at_the_same_moment_have_both_approved_where_both_count(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    both = Meanwhile(asked.rows, lambda: [asked.record(APPROVAL, Answer.APPROVED, user) for user in (LEE, KIM)])
    assert press(both, APPROVAL, "approve", LEE) == DONE[Answer.APPROVED], "Kim's was the deciding one"


@each_button
@pytest.mark.parametrize("how", ["cancel", "end"])
def test_a_cancel_or_an_end_at_the_same_moment_is_told(asked: Asked, kind: Kind, button: str, how: str) -> None:
    asked.ask(kind, quorum=2)
    happens = asked.end if how == "end" else lambda: cancels.record(asked.rows, ID, DANA)
    text = press(Meanwhile(asked.rows, happens), kind, button)
    assert text.startswith(f"⚠️ `{ID}` has ended (Stopped)" if how == "end" else f"⚠️ `{ID}` was cancelled by <@{DANA}>.")
    assert undecided(asked, kind)


def test_a_no_after_ones_own_yes_at_the_moment_of_a_cancel_is_no_counted_approval(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    press(asked.rows, APPROVAL, "approve")
    rows = Meanwhile(asked.rows, lambda: cancels.record(asked.rows, ID, DANA))
    assert press(rows, APPROVAL, "reject") == f"⚠️ `{ID}` was cancelled by <@{DANA}>."
