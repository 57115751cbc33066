"""What the buttons of both questions say to whom: every refusal and every answer, and what each leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain.errors import Refusal
from chatops.domain.question import Answer, Question, closed
from chatops.domain.text_keys import TextKey
from chatops.edge import interactions, question_buttons, replies
from chatops.messages.catalogue import say
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

ABOUT = {"version": "v2", "target": "dev"}
DONE: dict[Answer, TextKey] = {
    Answer.APPROVED: "click_approved",
    Answer.REJECTED: "click_rejected",
    Answer.PROMOTED: "click_promoted",
    Answer.ROLLED_BACK: "click_pause_rolled_back",
}
STRANGER: dict[Answer, TextKey] = {
    Answer.APPROVED: "click_not_asked",
    Answer.REJECTED: "click_not_asked",
    Answer.PROMOTED: "click_not_promoter",
    Answer.ROLLED_BACK: "click_not_your_pause",
}
LATE: dict[Kind, TextKey] = {APPROVAL: "click_already_expired", PROMOTION: "click_pause_expired"}


def done(answer: Answer) -> str:
    return say(DONE[answer], ABOUT)


def refused(key: TextKey, **values: Any) -> str:
    return f"⚠️ {say(key, ABOUT, **values)}"


def press(rows: Table, kind: Kind, button: str, user: str = LEE, channel: str = CHANNEL) -> str:
    """A whole answer, given to this table; the text for the person."""
    try:
        return carry_out(rows, kind, button, user, channel)
    except Refusal as refusal:
        return replies.refused(refusal, button, user)


def carry_out(rows: Table, kind: Kind, button: str, user: str, channel: str) -> str:
    if button == "approve":
        return question_buttons.approve(rows, ID, replies.Addressee(user, channel), "")
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
    assert press(asked.rows, kind, button) == done(kind.answers[button])
    made = asked.question(kind)
    assert (made.decision, made.by, made.via) == (kind.answers[button], LEE, "slack")
    assert made.reason == ("not today" if button == "reject" else "")
    assert wakeups.counter(asked.rows, ID) == 1


def test_a_yes_that_others_must_follow_is_counted_and_wakes_the_execution(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    assert press(asked.rows, APPROVAL, "approve") == say("click_counted", ABOUT, have=1, want=2)
    assert wakeups.counter(asked.rows, ID) == 1, "the card shows it"
    assert press(asked.rows, APPROVAL, "approve", KIM) == done(Answer.APPROVED)


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
    asks = (LEE, KIM, DANA) if button == "pause_roll_back" else (LEE, KIM)
    text = refused(STRANGER[kind.answers[button]], deciders=asks)
    assert press(asked.rows, kind, button, OUT) == text
    if button != "pause_roll_back":  # which is a cancel: the requester may
        assert press(asked.rows, kind, button, DANA) == text
    assert undecided(asked, kind)


@pytest.mark.parametrize(
    ("kind", "button", "key"),
    [
        (APPROVAL, "approve", "click_own"),
        (APPROVAL, "reject", "click_own"),
        (PROMOTION, "promote", "click_promote_own"),
    ],
)
def test_an_approver_who_asked_themselves_is_told_that_this_is_why(
    asked: Asked, kind: Kind, button: str, key: TextKey
) -> None:
    asked.ask(kind, (KIM,), requester=LEE)
    assert press(asked.rows, kind, button) == refused(key, deciders=(KIM,))
    assert undecided(asked, kind)


def test_an_approver_of_the_target_may_roll_back_whoever_was_asked_to_promote(asked: Asked) -> None:
    asked.ask(PROMOTION, (KIM,), requester=LEE)
    assert press(asked.rows, PROMOTION, "pause_roll_back") == done(Answer.ROLLED_BACK)


@each
@pytest.mark.parametrize("plan", [{}, {"target": "gone", "requester": {"id": LEE}}, {"requester": None}], ids=str)
def test_an_approver_who_was_not_asked_is_a_stranger_and_nothing_is_guessed(
    asked: Asked, kind: Kind, plan: dict[str, Any]
) -> None:
    """They became one after the question; or the target, or the requester, isn't known any more."""
    asked.ask(kind, (KIM,))
    record = asked.rows.get(f"DEPLOYMENT#{ID}", "RECORD") or {}
    asked.rows.put({**record, "plan": json.dumps({**json.loads(record["plan"]), **plan})})
    about = {"version": "v2", "target": plan.get("target", "dev"), "deciders": (KIM,)}
    assert press(asked.rows, kind, kind.buttons[0]) == f"⚠️ {say(STRANGER[kind.yes], about)}"


@each
def test_a_question_that_names_nobody_is_left_to_an_operator(asked: Asked, kind: Kind) -> None:
    asked.ask(kind, ())
    assert press(asked.rows, kind, kind.buttons[0], OUT) == refused(STRANGER[kind.yes], deciders=())


@each_button
def test_an_answer_counts_only_where_its_card_is(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    assert press(asked.rows, kind, button, channel="C0PUBLIC1") == refused("click_wrong_channel")
    assert undecided(asked, kind)


@each_button
@pytest.mark.parametrize(("pressed_in", "shown_in"), [("", CHANNEL), ("C0PUBLIC1", "")])
def test_where_either_channel_is_not_known_it_counts(
    asked: Asked, kind: Kind, button: str, pressed_in: str, shown_in: str
) -> None:
    asked.ask(kind, channel=shown_in)
    assert press(asked.rows, kind, button, channel=pressed_in) == done(kind.answers[button])


# -- too late ----------------------------------------------------------------------------------------------------------


@each_button
def test_a_card_of_no_deployment_is_called_that(asked: Asked, kind: Kind, button: str) -> None:
    assert press(asked.rows, kind, button) == refused("click_unknown")
    stored.begin(
        asked.rows, ID, "arn", {"target": "dev", "command": "deploy", "version": "v2", "requester": {"id": DANA}}
    )
    assert press(asked.rows, kind, button) == refused("click_unknown"), "nothing was asked about it"


@each_button
def test_after_a_decision_people_are_told_whose_and_when(asked: Asked, kind: Kind, button: str) -> None:
    texts = {
        kind.yes: refused("click_already", by=KIM, decision=kind.yes, ago="1m 05s"),
        kind.no: refused("click_already", by=KIM, decision=kind.no.replace("_", " "), ago="1m 05s"),
        Answer.EXPIRED: refused(LATE[kind], ago="1m 05s"),
    }
    if kind is PROMOTION:
        texts[Answer.PASSED] = refused("click_pause_passed", ago="1m 05s")
    for answer, text in texts.items():
        asked.clear()
        asked.ask(kind)
        asked.record(kind, answer, KIM)
        asked.time.pass_by(65)
        assert press(asked.rows, kind, button) == text
        asked.end()
        assert press(asked.rows, kind, button) == text, "it says more than how the deployment ended"


CLOSED: dict[str, tuple[Callable[[Asked], object], Callable[[Kind], str]]] = {
    "ended": (Asked.end, lambda _: refused("click_expired", end="Stopped")),
    "cancelled": (lambda asked: cancels.record(asked.rows, ID, DANA), lambda _: refused("click_cancelled", by=DANA)),
    "at its deadline": (lambda asked: asked.time.pass_by(HOUR), lambda kind: refused(LATE[kind], ago="0s")),
    "a minute later": (lambda asked: asked.time.pass_by(HOUR + 65), lambda kind: refused(LATE[kind], ago="1m 05s")),
}


@each_button
@pytest.mark.parametrize("how", CLOSED)
def test_who_is_too_late_is_told_for_what(asked: Asked, kind: Kind, button: str, how: str) -> None:
    happens, text = CLOSED[how]
    asked.ask(kind)
    happens(asked)
    assert press(asked.rows, kind, button) == text(kind)
    assert undecided(asked, kind)


@each_button
def test_how_it_ended_is_told_without_the_question_too(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    asked.end()
    asked.rows.delete(f"DEPLOYMENT#{ID}", f"PAUSE#{kind.mark}" if kind.mark else "APPROVAL")
    assert press(asked.rows, kind, button) == refused("click_expired", end="Stopped")


@each_button
def test_until_its_deadline_it_counts(asked: Asked, kind: Kind, button: str) -> None:
    asked.ask(kind)
    asked.time.pass_by(HOUR - 1)
    assert press(asked.rows, kind, button) == done(kind.answers[button])


def test_a_decision_says_more_than_an_end_an_end_more_than_a_cancel_and_that_more_than_the_deadline() -> None:
    question = Question(0, 10, (LEE,))
    for at, decided in ((5, Answer.APPROVED), (5, None)):
        made = question.answered(decided, LEE, at) if decided else question
        assert (made.decision, made.reason) == (decided, "")
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
        text = refused("click_already", by=KIM, decision=answer.replace("_", " "), ago="0s")
        assert press(rows, kind, button) == text


def test_two_who_approve_at_the_same_moment_have_both_approved_where_both_count(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    both = Meanwhile(asked.rows, lambda: [asked.record(APPROVAL, Answer.APPROVED, user) for user in (LEE, KIM)])
    assert press(both, APPROVAL, "approve", LEE) == done(Answer.APPROVED), "Kim's was the deciding one"


@each_button
@pytest.mark.parametrize("how", ["cancelled", "ended"])
def test_a_cancel_or_an_end_at_the_same_moment_is_told(asked: Asked, kind: Kind, button: str, how: str) -> None:
    happens, text = CLOSED[how]
    asked.ask(kind, quorum=2)
    assert press(Meanwhile(asked.rows, lambda: happens(asked)), kind, button) == text(kind)
    assert undecided(asked, kind)


def test_a_no_after_ones_own_yes_at_the_moment_of_a_cancel_is_no_counted_approval(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    press(asked.rows, APPROVAL, "approve")
    rows = Meanwhile(asked.rows, lambda: cancels.record(asked.rows, ID, DANA))
    assert press(rows, APPROVAL, "reject") == refused("click_cancelled", by=DANA)
