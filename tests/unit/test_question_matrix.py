"""Who may press which button when, for both questions, by user, role, policy and state; and every order of events.

Whatever the order, there is exactly one decision, and everybody who pressed is told what came of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatops import observability
from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.domain.freeze import Lock, Weekly
from chatops.domain.question import Answer
from chatops.domain.results import RolloutResult
from chatops.domain.target import Policy, Target
from chatops.edge import answers, cancel, question_buttons
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.slack import client as slack
from chatops.slack import people
from chatops.steps import approval, promotion
from chatops.store import cancels, questions, stages, wakeups
from tests.unit import stored
from tests.unit.question_session import (
    APPROVAL,
    BOSS,
    CHANNEL,
    DANA,
    GUEST,
    HOUR,
    ID,
    KIM,
    KINDS,
    LEE,
    OUT,
    PAUSE,
    PROMOTION,
    Asked,
    Kind,
    asked,
    each,
    each_button,
)
from tests.unit.steps import call

__all__ = ["asked"]

# -- user, role, policy, state -----------------------------------------------------------------------------------------

USERS = {"an approver": LEE, "another approver": KIM, "the requester": DANA, "an outsider": OUT, "a guest": GUEST}
POLICIES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "one of two": ((LEE, KIM), 1, DANA),
    "two of two": ((LEE, KIM), 2, DANA),
    "an approver's own deployment, and they were not asked": ((KIM,), 1, LEE),
    "an approver's own deployment, and they were asked": ((LEE, KIM), 1, LEE),
    "nobody has been asked yet": ((), 1, DANA),
}
STATES: dict[str, Callable[[Asked, Kind], object]] = {
    "open": lambda *_: None,
    "agreed": lambda session, kind: [session.record(kind, kind.yes, user) for user in (BOSS, "U0BOSS002")],
    "refused": lambda session, kind: session.record(kind, kind.no),
    "expired": lambda session, kind: session.record(kind, Answer.EXPIRED),
    "continued elsewhere": lambda session, kind: session.record(kind, Answer.PASSED),
    "cancelled": lambda session, _: cancels.record(session.rows, ID, BOSS),
    "past its deadline": lambda session, _: session.time.pass_by(HOUR),
    "stopped in the console": lambda session, _: session.end(),
}
states = pytest.mark.parametrize(
    "state", [pytest.param(s, marks=[] if s == "open" else [pytest.mark.slow]) for s in STATES]
)


def cases(session: Asked, kind: Kind) -> Iterator[tuple[str, tuple[str, ...], int, str]]:
    """Everybody under every policy, each at an empty table at the same time: user, who is asked, quorum, requester.
    A promotion needs one person, and an approval is never put to nobody."""
    for user, (eligible, quorum, requester) in itertools.product(USERS.values(), POLICIES.values()):
        if eligible if kind is APPROVAL else quorum == 1:
            session.clear()
            yield user, eligible, quorum, requester


@pytest.mark.parametrize(
    ("kind", "button", "state"),
    [
        pytest.param(kind, button, state, marks=[] if state == "open" else [pytest.mark.slow])
        for kind in KINDS
        for button in kind.buttons
        for state in STATES
        if kind is PROMOTION or state != "continued elsewhere"  # before its approval it has no rollout
    ],
    ids=str,
)
def test_who_may_answer_what_and_when(asked: Asked, kind: Kind, button: str, state: str) -> None:
    answer = kind.answers[button]
    for case in cases(asked, kind):
        user, eligible, quorum, requester = case
        asked.ask(kind, eligible, quorum, requester)
        STATES[state](asked, kind)
        before, cancelled = asked.question(kind), asked.cancelled_by()
        text, after = asked.give(kind, button, user), asked.question(kind)
        assert [whom for whom, _ in asked.told] == [user], f"whoever presses is told, once: {case}"
        may_cancel = answer is Answer.ROLLED_BACK and user in {requester, LEE, KIM}
        if state != "open" or not (user in eligible or may_cancel):
            assert (after, asked.cancelled_by()) == (before, cancelled), f"nothing changed: {case}"
            assert text.startswith("⚠️"), case
            continue
        assert not text.startswith("⚠️"), case
        assert asked.cancelled_by() == (user if answer is Answer.ROLLED_BACK else None), case
        if answer is kind.yes and quorum == 2:
            assert (after.decision, set(after.votes)) == (None, {user}), case
            assert "1 of 2" in text, case
        else:
            assert (after.decision, after.by, after.reason) == (answer, user, "no" if button == "reject" else ""), case


@states
def test_who_may_cancel_and_when(asked: Asked, state: str) -> None:
    for case in cases(asked, APPROVAL):
        user, eligible, quorum, requester = case
        asked.ask(APPROVAL, eligible, quorum, requester)
        STATES[state](asked, APPROVAL)
        stood = asked.cancelled_by()
        text = asked.press("cancel", ID, user)
        may = user in {requester, LEE, KIM} and state not in ("cancelled", "stopped in the console")
        assert asked.cancelled_by() == (user if may else stood), case
        assert [whom for whom, _ in asked.told] == [user], case
        assert text.startswith("⚠️") != may, case


ODD = (
    "",
    "d-forged",
    "../../etc",
    f"d-forged/{PROMOTION.mark}",
    f"{ID}/fedcba987654",
    f"{ID}/zz",
    "d any/x",
    "/",
    "a/b/c",
)


@pytest.mark.parametrize("button", [*APPROVAL.buttons, *PROMOTION.buttons, "cancel"])
def test_a_stale_foreign_or_forged_button_decides_nothing_and_is_told(asked: Asked, button: str) -> None:
    for kind in KINDS:
        asked.clear()
        asked.ask(kind)
        for value in ODD:
            assert asked.press(button, value, LEE).startswith("⚠️"), value
            assert (asked.question(kind).decision, asked.cancelled_by()) == (None, None), value


def test_one_person_is_one_vote_however_often_they_press(asked: Asked) -> None:
    asked.ask(APPROVAL, quorum=2)
    texts = {asked.press("approve", ID, LEE) for _ in range(5)}
    assert (texts, asked.question(APPROVAL).decision) == ({"Your approval of `v2` → *dev* counts: 1 of 2."}, None)
    asked.press("approve", ID, KIM)
    assert asked.question(APPROVAL).decision is Answer.APPROVED


# -- every order of yes, no, expiry and cancel, with duplicates --------------------------------------------------------

EVENTS = {"yes of LEE": LEE, "yes of KIM": KIM, "no": KIM, "expire": "", "cancel": DANA}


def happens(event: str, session: Asked, kind: Kind, plan: dict[str, Any]) -> None:
    yes, no = kind.buttons
    if event == "expire":
        session.time.pass_by(HOUR)
        read(session, kind, plan)
    elif event == "cancel":
        session.press("cancel", ID, DANA)
    elif event == "no" and kind is APPROVAL:
        session.submit(KIM)
    else:
        session.press(no if event == "no" else yes, kind.value(), EVENTS[event])


def read(session: Asked, kind: Kind, plan: dict[str, Any]) -> str:
    """What the state machine reads: Read Decision, or Check Rollout while the service still says that it is paused."""
    if kind is APPROVAL:
        event = {"deployment_id": ID, "execution_arn": "arn", "mode": "read", "state": {"plan": plan}}
        return str(call(approval.run, event)["decision"])
    target = Target("dev", "a/b", "dev_deploy", cluster="c", service="s")
    found = Rollout(RolloutState.PAUSED, "IN_PROGRESS", lifecycle_stage="BAKE_TIME", pause=PAUSE)
    seen = promotion.Observation(session.rows, ID, target, session.time.at, 0, RolloutResult())
    state = promotion.at(seen, found, found.result()).state
    return "cancelled" if session.cancelled_by() else state


def expected(order: tuple[str, ...], kind: Kind, quorum: int) -> Answer | None:
    """The decision on record by the rules alone: what comes first stands."""
    yes: set[str] = set()
    for event in order:
        if event == "cancel":
            return None
        if event == "expire":
            return Answer.EXPIRED
        if event == "no":
            return kind.no
        yes.add(event)
        if len(yes) >= quorum:
            return kind.yes
    raise AssertionError(order)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "quorum"),
    [
        pytest.param(APPROVAL, 1, marks=pytest.mark.weekly),
        (APPROVAL, 2),
        pytest.param(PROMOTION, 1, marks=pytest.mark.weekly),
    ],
    ids=str,
)
def test_in_every_order_the_first_decision_stands_and_everybody_is_told(asked: Asked, kind: Kind, quorum: int) -> None:
    for three in itertools.permutations(EVENTS, 3):
        order = three if "cancel" in three else (*three, "cancel")
        asked.clear()
        plan = asked.ask(kind, quorum=quorum)
        seen: set[Answer | None] = set()
        for event in [order[0], *order, order[0], order[1]]:  # some twice at once, and again when it is too late
            asked.told = []
            happens(event, asked, kind, plan)
            assert [user for user, _ in asked.told] == ([EVENTS[event]] if EVENTS[event] else []), (order, event)
            seen |= {asked.question(kind).decision} - {None}
            assert len(seen) <= 1, f"{order}: the decision changed"
        recorded = expected(order, kind, quorum)
        assert asked.question(kind).decision is recorded, order
        assert asked.cancelled_by(), "recorded beside it, as long as the deployment has not ended"
        # a rollout that somebody wants to take back is taken back, whatever was decided before
        wanted = recorded if recorded and kind is APPROVAL else "cancelled"
        assert read(asked, kind, plan) == wanted, order


def test_after_a_cancel_no_ticket_of_the_deployment_opens_anything(asked: Asked) -> None:
    """An approval that crossed a cancel: both are on record, and nothing is deployed."""
    asked.ask(APPROVAL)
    stages.prepare(asked.rows, ID, "deploy", "dev", 60)
    asked.record(APPROVAL, Answer.APPROVED, LEE)
    asked.press("cancel", ID, DANA)
    assert stages.claim(asked.rows, ID, "deploy", 1) == "this deploy stage's ticket is revoked"


@each
def test_a_press_that_changes_something_wakes_the_execution_and_no_other_does(asked: Asked, kind: Kind) -> None:
    asked.ask(kind, quorum=2)
    pressed = [(OUT, 0), (GUEST, 0), (LEE, 1), (KIM, 2 if kind is APPROVAL else 1), (KIM, 2 if kind is APPROVAL else 1)]
    for user, woken in pressed:
        asked.press(kind.buttons[0], kind.value(), user)
        assert wakeups.counter(asked.rows, ID) == woken
    cancel.cancel(ID, DANA)
    assert wakeups.counter(asked.rows, ID) == woken + 1


# -- what is refused is logged -----------------------------------------------------------------------------------------


def test_who_was_refused_what_and_why_is_logged(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(observability.logger, "warning", lambda message, **fields: logged.append({message: fields}))
    asked.ask(APPROVAL, (KIM,), requester=LEE)
    paused = PROMOTION.value()
    tries = {
        ("approve", OUT, ID, "C0DEPLOY1"): "click_not_asked",
        ("approve", LEE, ID, "C0DEPLOY1"): "click_own",
        ("reject", KIM, ID, "C0PUBLIC1"): "click_wrong_channel",
        ("cancel", OUT, ID, "C0DEPLOY1"): "cancel_not_you",
        ("approve", KIM, "d-forged", "C0DEPLOY1"): "click_unknown",
        ("promote", KIM, paused, "C0DEPLOY1"): "click_unknown",
        ("roll_back", KIM, "../../etc", "C0DEPLOY1"): "click_unknown",
    }
    for button, user, value, channel in tries:
        asked.press(button, value, user, channel)
    asked.submit(OUT)
    expected = [
        {"refused": {"why": why, "action": button, "deployment_id": value, "user": user}}
        for (button, user, value, _), why in tries.items()
    ]
    late = {"refused": {"why": "click_not_asked", "action": "reject", "deployment_id": ID, "user": OUT}}
    assert logged == [*expected, late]
    assert len(asked.told) == len(logged), "everybody is told, too"
    asked.press("approve", ID, KIM)
    assert len(logged) == len(tries) + 1, "an answer that counts isn't a refusal"
    assert questions.get(asked.rows, ID, PROMOTION.mark) is None


# -- every answer reaches the person ----------------------------------------------------------------------------------


def test_a_modal_sent_off_long_after_somebody_elses_answer_says_so(
    asked: Asked, environment: pytest.MonkeyPatch
) -> None:
    """No response URL is needed for that: it holds for thirty minutes."""
    asked.ask(APPROVAL)
    asked.press("approve", ID, LEE)
    asked.time.pass_by(1800)
    environment.setattr(slack, "respond", lambda *_a, **_n: False)
    assert asked.submit(KIM) == f"⚠️ <@{LEE}> has approved `v2` → *dev* already, 30m ago."


def test_where_the_response_url_is_used_up_the_answer_is_an_ephemeral_message(
    asked: Asked, environment: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []
    environment.setattr(slack, "respond", lambda *_a, **_n: False)
    environment.setattr(slack, "call", lambda method, **named: calls.append((method, named)) or {})
    asked.ask(APPROVAL, quorum=2)
    asked.press("approve", ID, OUT)
    asked.press("approve", ID, LEE)
    asked.submit(KIM)
    assert [(method, named["channel"], named["user"]) for method, named in calls] == [
        ("chat.postEphemeral", CHANNEL, user) for user in (OUT, LEE, KIM)
    ]


@pytest.mark.parametrize("code", ["expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"])
def test_a_modal_that_slack_does_not_open_asks_for_another_press(
    asked: Asked, environment: pytest.MonkeyPatch, code: str
) -> None:
    logged: list[Any] = []
    environment.setattr(observability.logger, "warning", lambda message, **fields: logged.append(fields))
    asked.ask(APPROVAL)

    def refuse(method: str, **_named: Any) -> None:
        raise SlackRefused(method, code)

    environment.setattr(slack, "call", refuse)
    told = asked.press("reject", ID, KIM)
    assert "press the button again" in told
    assert "Nothing was recorded" in told
    assert any(code in fields.get("reason", "") for fields in logged), "Slack's own word"
    assert asked.question(APPROVAL).decision is None


# -- what has changed since somebody was asked ------------------------------------------------------------------------


@each_button
def test_somebody_who_has_left_the_approvers_is_asked_about_again_at_the_click(
    asked: Asked, environment: pytest.MonkeyPatch, kind: Kind, button: str
) -> None:
    group = Target("dev", "acme/x", "dev_deploy", policy=Policy(approvers=(LEE,), approver_groups=("S0PLATF01",)))
    environment.setattr(answers, "targets", lambda: {"dev": group})
    members: dict[str, Any] = {"now": {KIM}}

    def call(method: str, **_: Any) -> dict[str, Any]:
        if method == "usergroups.users.list":
            if members["now"] is None:
                raise SlackUnavailable("slack_silent")
            return {"users": list(members["now"])}
        return {"ok": True}

    environment.setattr(people, "call", call)
    for now, counts in (({KIM}, True), (None, True), (set(), False)):
        asked.clear()
        asked.ask(kind, (LEE, KIM))
        members["now"] = now
        told = asked.give(kind, button, KIM)
        assert (asked.question(kind).decision is not None) is counts
        assert ("aren't an approver" in told) is not counts
    assert asked.give(kind, button, LEE)
    assert asked.question(kind).decision is not None, "who is named is asked about nowhere"


FROZEN = Weekly(frozenset(range(7)), 0, 1440, "UTC", "year-end sale")


@pytest.fixture
def frozen(asked: Asked, environment: pytest.MonkeyPatch) -> Asked:
    target = Target("dev", "acme/x", "dev_deploy", policy=Policy(approvers=(LEE,)), freeze=(FROZEN,))
    for module in (answers, question_buttons):
        environment.setattr(module, "targets", lambda: {"dev": target})
    return asked


@each
def test_during_a_freeze_an_approvers_yes_wants_a_reason_which_is_recorded(frozen: Asked, kind: Kind) -> None:
    yes = kind.buttons[0]
    frozen.ask(kind, (LEE, DANA))
    assert frozen.press(yes, kind.value(), LEE) == "", "a modal opens"
    assert frozen.question(kind).decision is None
    assert not frozen.submit(LEE, "the shop is down", modal=yes).startswith("⚠️")
    question = frozen.question(kind)
    assert (question.decision, question.by, question.reason) == (kind.yes, LEE, "the shop is down")


def test_somebodys_lock_holds_a_paused_rollout_as_a_freeze_does(asked: Asked) -> None:
    asked.ask(PROMOTION, (LEE, DANA))
    stored.lock(asked.rows, "dev", Lock(KIM, "migration", asked.time.at, asked.time.at + HOUR))
    told = asked.press("promote", PROMOTION.value(), DANA)
    assert f"<@{KIM}> has locked it (migration)." in told
    assert (asked.press("promote", PROMOTION.value(), LEE), asked.question(PROMOTION).decision) == ("", None)
    asked.time.pass_by(HOUR - 1)
    asked.submit(LEE, "half the shop is on it", modal="promote")
    assert asked.question(PROMOTION).decision is Answer.PROMOTED


def test_only_the_approval_that_decides_wants_a_reason_and_a_rollbacks_never(frozen: Asked) -> None:
    frozen.ask(APPROVAL, (LEE, KIM), quorum=2)
    assert "1 of 2" in frozen.press("approve", APPROVAL.value(), LEE)
    frozen.clear()
    frozen.ask(APPROVAL, (LEE, KIM), command="rollback")
    assert frozen.press("approve", APPROVAL.value(), LEE)
    assert frozen.question(APPROVAL).decision is Answer.APPROVED


@pytest.mark.parametrize(
    ("kind", "stays"), [(APPROVAL, "Nothing was recorded."), (PROMOTION, "The rollout stays where it is.")], ids=str
)
def test_during_a_freeze_whoever_is_no_approver_is_told_when_it_ends(frozen: Asked, kind: Kind, stays: str) -> None:
    yes = kind.buttons[0]
    frozen.ask(kind, (LEE, DANA))
    told = frozen.press(yes, kind.value(), DANA)
    assert f"*dev* is frozen until further notice (year-end sale). {stays}" in told
    assert "Only approvers of *dev* can deploy during a freeze or a lock." in told
    assert frozen.submit(DANA, "please", modal=yes) == told, "a modal that was open already, or made up"
    assert frozen.question(kind).decision is None


def test_during_a_freeze_rolling_back_is_free(frozen: Asked) -> None:
    frozen.ask(PROMOTION, (LEE, DANA))
    frozen.press("pause_roll_back", PROMOTION.value(), DANA)
    assert frozen.question(PROMOTION).decision is Answer.ROLLED_BACK


def test_a_deployment_that_has_broken_the_glass_is_promoted_without_asking_again(frozen: Asked) -> None:
    frozen.ask(PROMOTION, (LEE, DANA), break_glass={"by": LEE, "reason": "payments"})
    frozen.press("promote", PROMOTION.value(), DANA)
    assert frozen.question(PROMOTION).decision is Answer.PROMOTED
