"""Who may press which button when: user, role, policy and state; and every order of what may happen to an approval.

Whatever the order, there is exactly one decision, and nobody who pressed is left without a word.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatops import clock, observability
from chatops.edge import clicks
from chatops.slack import client as slack
from chatops.steps import approval
from chatops.store import approvals, deployments, stages, waits
from chatops.store.approvals import Question
from chatops.store.table import Table
from tests.unit.conftest import Time

DANA, LEE, KIM, OUT, GUEST = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001", "U0GUEST01"
CHANNEL = "C0DEPLOY1"
Plan = dict[str, Any]
TIMING = {"approval": 3600, "reminder": 900}


class Told:
    """What came back to people through their response URLs: (user, text)."""

    def __init__(self) -> None:
        self.words: list[tuple[str, str]] = []

    def respond(self, url: str, **message: Any) -> bool:
        assert message["response_type"] == "ephemeral"
        assert message["replace_original"] is False
        self.words.append((url.rpartition("/")[2], message["text"]))
        return True


@pytest.fixture
def told(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Told:
    spy = Told()
    environment.setattr(slack, "respond", spy.respond)
    environment.setattr(slack, "call", lambda *_a, **_n: {"ok": True, "channel": CHANNEL, "ts": "1.1"})
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    return spy


def ask(rows: Table, deployment_id: str, eligible: tuple[str, ...], quorum: int, requester: str = DANA) -> Plan:
    """A deployment whose approval is asked for, as the state machine has it before its next look."""
    plan: Plan = {
        "verdict": "go",
        "command": "deploy",
        "target": "dev",
        "version": "v2",
        "requester": {"id": requester},
        "channel": CHANNEL,
        "approval": {"required": True, "eligible": list(eligible), "groups": [], "quorum": quorum},
        "timing": TIMING,
        "started_at": clock.now(),
    }
    deployments.begin(rows, deployment_id, "arn", plan)
    asked = Question(eligible, quorum, clock.now() + TIMING["approval"], clock.now() + TIMING["reminder"])
    approvals.open_question(rows, deployment_id, asked)
    return plan


def press(deployment_id: str, action: str, user: str, channel: str = CHANNEL) -> None:
    """A click; for Reject… with the modal that may follow."""
    url = f"https://hooks.slack.com/actions/{user}"
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": channel},
        "response_url": url,
        "trigger_id": "1.2.3",
        "actions": [{"action_id": action, "value": deployment_id}],
    }
    assert clicks.answer(payload) == {"statusCode": 200, "body": ""}


def submit(deployment_id: str, user: str) -> None:
    """The modal of Reject…, sent off (its card may have died while the reason was typed)."""
    private = {"id": deployment_id, "response_url": f"https://hooks.slack.com/actions/{user}"}
    view = {
        "callback_id": "reject",
        "private_metadata": json.dumps(private),
        "state": {"values": {"reason": {"reason": {"value": "no"}}}},
    }
    assert clicks.answer({"type": "view_submission", "user": {"id": user}, "view": view})["statusCode"] == 200


def decision(rows: Table, deployment_id: str) -> str:
    return str((approvals.get(rows, deployment_id) or {}).get("decision") or "")


# -- user, role, policy, state --------------------------------------------------------------------------------

USERS = {
    "an approver": LEE,
    "another approver": KIM,
    "the requester": DANA,
    "an outsider": OUT,
    "a guest": GUEST,
}
POLICIES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "one of two": ((LEE, KIM), 1, DANA),
    "two of two": ((LEE, KIM), 2, DANA),
    "an approver asked, own approval banned": ((KIM,), 1, LEE),
    "an approver asked, own approval allowed": ((LEE, KIM), 1, LEE),
}


def _decided(how: str) -> Callable[[Table, str, Time], None]:
    return lambda rows, deployment_id, _time: void(approvals.decide(rows, deployment_id, how, "U0BOSS001", "why"))


def void(_: object) -> None:
    """For lambdas that are only called."""


def _settled(rows: Table, deployment_id: str, _time: Time) -> None:
    record = deployments.get(rows, deployment_id)
    assert record
    deployments.settle(rows, record, {"end": "Stopped"})


STATES: dict[str, Callable[[Table, str, Time], None]] = {
    "open": lambda *_: None,
    "approved": lambda rows, id_, _: void([approvals.vote(rows, id_, user) for user in ("U0BOSS001", "U0BOSS002")]),
    "rejected": _decided("rejected"),
    "expired": _decided("expired"),
    "cancelled": lambda rows, id_, _: void(approvals.cancel(rows, id_, "U0BOSS001")),
    "past its deadline": lambda _rows, _id, time: time.pass_by(TIMING["approval"]),
    "stopped in the console": _settled,
}


USUAL = {"open"}


def cases(rows: Table, time: Time) -> Iterator[tuple[str, tuple[str, ...], int, str]]:
    """Everybody under every policy, each at an empty table at the same time: user, who is asked, quorum, requester."""
    for user, policy in itertools.product(USERS.values(), POLICIES.values()):
        clear(rows)
        time.at = 1_760_000_000.0
        yield (user, *policy)


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize("state", [pytest.param(s, marks=[] if s in USUAL else [pytest.mark.slow]) for s in STATES])
def test_who_may_decide_what_and_when(rows: Table, told: Told, time: Time, state: str, action: str) -> None:
    for user, eligible, quorum, requester in cases(rows, time):
        ask(rows, "d-any", eligible, quorum, requester)
        STATES[state](rows, "d-any", time)
        before, told.words = approvals.get(rows, "d-any") or {}, []
        press("d-any", action, user)
        if action == "reject":
            submit("d-any", user)
        after, case = approvals.get(rows, "d-any") or {}, (user, eligible, quorum, requester)
        assert told.words, f"whoever presses hears of it: {case}"
        assert {whom for whom, _ in told.words} == {user}, case
        if state != "open" or user not in eligible:
            assert after == before, f"nothing changed: {case}"
            assert all(text.startswith("⚠️") for _, text in told.words), case
        elif action == "reject":
            assert (after["decision"], after["by"], after["reason"]) == ("rejected", user, "no"), case
        elif quorum == 1:
            assert (after["decision"], after["by"]) == ("approved", user), case
        else:
            assert "decision" not in after, case
            assert set(after["votes"]) == {user}, case
            assert "1 of 2" in told.words[0][1], case


@pytest.mark.parametrize("state", [pytest.param(s, marks=[] if s in USUAL else [pytest.mark.slow]) for s in STATES])
def test_who_may_cancel_and_when(rows: Table, told: Told, time: Time, state: str) -> None:
    for user, eligible, quorum, requester in cases(rows, time):
        ask(rows, "d-any", eligible, quorum, requester)
        STATES[state](rows, "d-any", time)
        stood, told.words = approvals.cancelled(rows, "d-any"), []
        press("d-any", "cancel", user)
        may = user in {requester, *eligible, LEE, KIM} and state not in ("cancelled", "stopped in the console")
        found, case = approvals.cancelled(rows, "d-any"), (user, eligible, quorum, requester)
        assert (found or {}).get("by") == (user if may else (stood or {}).get("by")), case
        ((whom, text),) = told.words
        assert whom == user, case
        assert text.startswith("⚠️") != may, case


@pytest.mark.parametrize("action", ["approve", "reject", "cancel"])
def test_a_foreign_or_forged_id_decides_nothing_and_is_told(rows: Table, told: Told, action: str) -> None:
    ask(rows, "d-real", (LEE,), 1)
    press("d-forged", action, LEE)
    assert told.words[0][1].startswith("⚠️")
    assert decision(rows, "d-real") == ""


def test_a_card_in_another_channel_decides_nothing_and_says_where(rows: Table, told: Told) -> None:
    ask(rows, "d-real", (LEE,), 1)
    for action in ("approve", "reject"):
        press("d-real", action, LEE, channel="C0PUBLIC1")
    assert decision(rows, "d-real") == ""
    assert len([text for _, text in told.words if "where its card is" in text]) == 2


def test_one_person_is_one_vote_however_often_they_press(rows: Table, told: Told) -> None:
    ask(rows, "d-two", (LEE, KIM), 2)
    for _ in range(5):
        press("d-two", "approve", LEE)
    assert decision(rows, "d-two") == ""
    assert {text for _, text in told.words} == {"Your approval of `d-two` counts: 1 of 2."}
    press("d-two", "approve", KIM)
    assert decision(rows, "d-two") == "approved"


# -- every order of approve, reject, expire and cancel, with duplicates ----------------------------------------

EVENTS = ("approve by LEE", "approve by KIM", "reject", "expire", "cancel")
ORDERS = tuple(itertools.permutations(EVENTS))


def happens(event: str, deployment_id: str, plan: Plan) -> str:
    """Let it happen; the user whom it must be told to, if somebody pressed."""
    if event == "expire":
        clock.now.pass_by(TIMING["approval"])  # type: ignore[attr-defined]  # the tests' clock
        look(deployment_id, plan)
        return ""
    if event == "reject":
        submit(deployment_id, KIM)
        return KIM
    user = DANA if event == "cancel" else {"approve by LEE": LEE, "approve by KIM": KIM}[event]
    press(deployment_id, event.partition(" ")[0], user)
    return user


def duplicated(order: tuple[str, ...]) -> list[str]:
    """The first twice at once and once more in the end, and what comes second again, too late."""
    return [order[0], *order, order[0], order[1]]


def clear(rows: Table) -> None:
    """An empty table: moto copies it whole for every transaction."""
    for item in rows._client.scan(TableName=rows.name)["Items"]:
        rows._client.delete_item(TableName=rows.name, Key={name: item[name] for name in ("pk", "sk")})


def look(deployment_id: str, plan: Plan) -> dict[str, Any]:
    """The state machine's Read Decision."""
    event = {"deployment_id": deployment_id, "execution_arn": "arn", "mode": "read", "state": {"plan": plan}}
    return approval.run(event)


def expected(order: tuple[str, ...], quorum: int) -> tuple[str, str]:
    """Of the state machine's Read Decision, and of the record, by the rules alone: what comes first stands."""
    yes: set[str] = set()
    for event in order:
        if event == "cancel":
            return "cancelled", ""
        if event == "expire":
            return "expired", "expired"
        if event == "reject":
            return "rejected", "rejected"
        yes.add(event)
        if len(yes) >= quorum:
            return "approved", "approved"
    raise AssertionError(order)


@pytest.mark.slow
@pytest.mark.parametrize("quorum", [1, 2])
def test_in_every_order_the_first_valid_decision_stands_and_everybody_is_told(
    rows: Table, told: Told, time: Time, quorum: int
) -> None:
    for order in ORDERS:
        clear(rows)
        plan = ask(rows, "d-any", (LEE, KIM), quorum)
        seen: set[str] = set()
        for event in duplicated(order):
            told.words = []
            whom = happens(event, "d-any", plan)
            assert [user for user, _ in told.words] == ([whom] if whom else []), (order, event)
            seen |= {decision(rows, "d-any")} - {""}
            assert len(seen) <= 1, f"{order}: the decision changed"
        wanted, recorded = expected(order, quorum)
        assert decision(rows, "d-any") == recorded, order
        assert look("d-any", plan)["decision"] == wanted, order
        assert approvals.cancelled(rows, "d-any"), "recorded beside it, as long as the deployment has not ended"


def test_after_a_cancel_no_ticket_of_the_deployment_opens_anything(rows: Table, told: Told) -> None:
    """An approval that crossed a cancel: both are on record, and nothing is deployed."""
    ask(rows, "d-crossed", (LEE,), 1)
    stages.prepare(rows, "d-crossed", "deploy", "dev", 60)
    approvals.vote(rows, "d-crossed", LEE)
    press("d-crossed", "cancel", DANA)
    ticket = (stages.get(rows, "d-crossed", "deploy") or {})["ticket"]
    assert stages.claim(rows, str(ticket), 1, 1)[0] == ""


def test_every_press_that_changes_something_wakes_the_execution(rows: Table, told: Told) -> None:
    ask(rows, "d-wakes", (LEE, KIM), 2)
    for number, (action, user) in enumerate([("approve", LEE), ("approve", KIM), ("cancel", DANA)], start=1):
        press("d-wakes", action, user)
        assert waits.counter(rows, "d-wakes") == number


# -- what is refused is on record ------------------------------------------------------------------------------


def test_who_was_refused_what_and_why_is_logged(
    rows: Table, told: Told, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(observability.logger, "warning", lambda message, **facts: logged.append({message: facts}))
    ask(rows, "d-real", (KIM,), 1, requester=LEE)
    tries = {
        ("approve", OUT, "d-real", CHANNEL): "click_not_asked",
        ("approve", LEE, "d-real", CHANNEL): "click_own",
        ("reject", KIM, "d-real", "C0PUBLIC1"): "click_wrong_channel",
        ("cancel", OUT, "d-real", CHANNEL): "cancel_not_you",
        ("approve", KIM, "d-forged", CHANNEL): "click_unknown",
        ("roll_back", KIM, "../../etc", CHANNEL): "click_unknown",
    }
    for action, user, deployment_id, channel in tries:
        press(deployment_id, action, user, channel)
    submit("d-real", OUT)
    expected = [
        {"refused": {"why": why, "action": action, "deployment_id": deployment_id, "user": user}}
        for (action, user, deployment_id, _), why in tries.items()
    ]
    assert logged == [
        *expected,
        {"refused": {"why": "click_not_asked", "action": "reject", "deployment_id": "d-real", "user": OUT}},
    ]
    assert len(told.words) == len(logged), "everybody is told, too"
    press("d-real", "approve", KIM)
    assert len(logged) == len(tries) + 1, "what is done is no refusal"
