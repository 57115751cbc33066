"""Who may press Promote and Roll back at a pause, and when: user, policy and state; and every order of what may happen.

Whatever the order, there is exactly one decision about a pause, and nobody who pressed is left without a word.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from chatops import clock, policy, targets
from chatops.edge import cancelling, clicks
from chatops.errors import InvalidRequest
from chatops.platforms.rollout import Pause, Rollout, RolloutState
from chatops.slack import client as slack
from chatops.steps import pausing
from chatops.store import approvals, deployments, pauses, waits
from chatops.store.table import Table
from chatops.targets import Policy, Target
from tests.unit.conftest import Time
from tests.unit.test_click_matrix import CHANNEL, DANA, GUEST, KIM, LEE, OUT, USERS, Told, clear, void

BOSS, HOUR = "U0BOSS001", 3600
PAUSE = Pause("ecs-pause-1", "arn")
ACTIONS = {"promote": "promoted", "pause_roll_back": "rolled_back"}


@pytest.fixture
def told(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Told:
    spy = Told()
    environment.setattr(slack, "respond", spy.respond)
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    return spy


def pause(rows: Table, eligible: tuple[str, ...] = (LEE, KIM), requester: str = DANA, name: str = "d-any") -> None:
    """A deployment whose rollout is paused, and those asked who may promote it."""
    plan = {
        "verdict": "go",
        "command": "deploy",
        "target": "dev",
        "version": "v2",
        "requester": {"id": requester},
        "channel": CHANNEL,
        "approval": {"required": True, "eligible": [LEE, KIM], "groups": [], "quorum": 1},
        "started_at": clock.now(),
    }
    deployments.begin(rows, name, "arn", plan)
    facts = {"stage": "BAKE_TIME", "strategy": "CANARY", "traffic": 10.0, "on_timeout": "ROLLBACK"}
    pauses.opened(rows, name, PAUSE.mark, facts, clock.now() + HOUR)
    pauses.asks(rows, name, PAUSE.mark, list(eligible))


def press(action: str, user: str, value: str = f"d-any/{PAUSE.mark}", channel: str = CHANNEL) -> None:
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": user},
        "channel": {"id": channel},
        "response_url": f"https://hooks.slack.com/actions/{user}",
        "actions": [{"action_id": action, "value": value}],
    }
    assert clicks.answer(payload) == {"statusCode": 200, "body": ""}


def decision(rows: Table, name: str = "d-any") -> tuple[str, str]:
    row = pauses.get(rows, name, PAUSE.mark) or {}
    return str(row.get("decision") or ""), str(row.get("by") or "")


def _settled(rows: Table, _time: Time) -> None:
    deployments.settle(rows, deployments.get(rows, "d-any") or {}, {"end": "Stopped"})


def _decided(how: str) -> Callable[[Table, Time], None]:
    return lambda rows, _: void(pauses.decide(rows, "d-any", PAUSE.mark, how, BOSS))


STATES: dict[str, Callable[[Table, Time], None]] = {
    "open": lambda *_: None,
    "promoted": _decided("promoted"),
    "rolled back": _decided("rolled_back"),
    "expired": _decided("expired"),
    "continued elsewhere": _decided("passed"),
    "cancelled": lambda rows, _: void(approvals.cancel(rows, "d-any", BOSS)),
    "past its deadline": lambda _, time: time.pass_by(HOUR),
    "stopped in the console": _settled,
}
ASKED: dict[str, tuple[tuple[str, ...], str]] = {
    "both approvers": ((LEE, KIM), DANA),
    "an approver's own deployment, which nobody else has approved": ((KIM,), LEE),
    "nobody has been asked yet": ((), DANA),
}


RARE = {"continued elsewhere", "stopped in the console", "expired", "rolled back", "past its deadline"}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", [pytest.param(s, marks=[pytest.mark.slow] if s in RARE else []) for s in STATES])
def test_who_may_decide_what_and_when(rows: Table, told: Told, time: Time, state: str, action: str) -> None:
    for user, (eligible, requester) in itertools.product(USERS.values(), ASKED.values()):
        clear(rows)
        time.at, told.words = 1_760_000_000.0, []
        pause(rows, eligible, requester)
        STATES[state](rows, time)
        before, cancel = decision(rows), approvals.cancelled(rows, "d-any")
        press(action, user)
        case = (user, eligible, requester)
        ((whom, text),) = told.words
        assert whom == user, case
        may = user in eligible or (action == "pause_roll_back" and user in (requester, LEE, KIM))
        if state == "open" and may:
            assert decision(rows) == (ACTIONS[action], user), case
            assert not text.startswith("⚠️"), case
            by = (approvals.cancelled(rows, "d-any") or {}).get("by")
            assert by == (user if action == "pause_roll_back" else None), case
        else:
            assert decision(rows) == before, f"nothing changed: {case}"
            assert approvals.cancelled(rows, "d-any") == cancel, case
            assert text.startswith("⚠️"), case


MARK = PAUSE.mark
ODD = ("", "d-any", f"d-forged/{MARK}", "d-any/0123456789ab", "d-any/zz", f"d any/{MARK}", "/", "a/b/c")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_stale_foreign_or_forged_button_decides_nothing_and_is_told(rows: Table, told: Told, action: str) -> None:
    pause(rows)
    for value in ODD:
        told.words = []
        press(action, LEE, value)
        ((_, text),) = told.words
        assert text.startswith("⚠️"), value
        assert decision(rows) == ("", ""), value
        assert approvals.cancelled(rows, "d-any") is None, value


def test_in_another_channel_nothing_is_decided(rows: Table, told: Told) -> None:
    pause(rows)
    for action in ACTIONS:
        press(action, LEE, channel="C0PUBLIC1")
    assert decision(rows) == ("", "")
    assert all("where its card is" in text for _, text in told.words)


def test_whoever_is_late_is_told_who_decided_and_when(rows: Table, told: Told, time: Time) -> None:
    pause(rows)
    press("promote", LEE)
    time.pass_by(61)
    press("pause_roll_back", KIM)
    assert told.words[1] == (KIM, f"⚠️ <@{LEE}> has promoted `d-any` already, 1m 01s ago.")


def test_a_press_that_changes_something_wakes_the_execution_and_no_other_does(rows: Table, told: Told) -> None:
    pause(rows)
    press("promote", OUT)
    press("promote", GUEST)
    assert waits.counter(rows, "d-any") == 0
    press("promote", LEE)
    press("promote", KIM)
    assert waits.counter(rows, "d-any") == 1


# -- every order -------------------------------------------------------------------------------------------------

EVENTS = ("promote by LEE", "roll back", "expire", "cancel")


def look(rows: Table, time: Time) -> str:
    """Check Rollout: ECS still says that it is paused."""
    target = Target("dev", "a/b", "dev_deploy", cluster="c", service="s")
    found = Rollout(RolloutState.PAUSED, "IN_PROGRESS", lifecycle_stage="BAKE_TIME", pause=PAUSE)
    state = str(pausing.at(pausing.Look(rows, "d-any", target, time.at, 0, {}), found)["state"])
    return "cancelled" if approvals.cancelled(rows, "d-any") else state


def happens(event: str, rows: Table, time: Time) -> str:
    """Let it happen; the user whom it must be told to, if somebody pressed."""
    if event == "expire":
        time.pass_by(HOUR)
        look(rows, time)
        return ""
    if event == "cancel":
        cancelling.cancel("d-any", DANA)
        return ""
    user = LEE if event == "promote by LEE" else KIM
    press("pause_roll_back" if event == "roll back" else "promote", user)
    return user


def expected(order: tuple[str, ...]) -> tuple[str, str]:
    """The decision on record, and what the state machine reads, by the rules alone: what comes first stands, and a
    wish to take it back is heard as long as the deployment has not ended."""
    first = order[0]
    if first == "cancel":
        return "", "cancelled"
    recorded = {"expire": "expired", "roll back": "rolled_back"}.get(first, "promoted")
    return recorded, "cancelled"  # the cancel comes in every order


@pytest.mark.slow
def test_in_every_order_the_first_decision_stands_and_everybody_is_told(rows: Table, told: Told, time: Time) -> None:
    for order in itertools.permutations(EVENTS):
        clear(rows)
        time.at = 1_760_000_000.0
        pause(rows)
        seen: set[str] = set()
        for event in [order[0], *order, order[0], order[1], "promote by KIM"]:
            told.words = []
            whom = happens(event, rows, time)
            assert [user for user, _ in told.words] == ([whom] if whom else []), (order, event)
            seen |= {decision(rows)[0]} - {""}
            assert len(seen) <= 1, f"{order}: the decision changed"
        recorded, read = expected(order)
        assert (decision(rows)[0], look(rows, time)) == (recorded, read), order


# -- who is asked ------------------------------------------------------------------------------------------------

APPROVED, OPEN = {"decision": "approved"}, {"required": False}


@pytest.mark.parametrize(
    ("rules", "user", "approval", "decided", "wanted"),
    [
        (Policy(approvers=(LEE, KIM)), DANA, {}, {}, (LEE, KIM)),
        (Policy(approvers=(LEE, KIM)), LEE, OPEN, {}, (KIM,)),
        (Policy(approvers=(LEE, KIM)), LEE, {"eligible": [KIM]}, APPROVED, (LEE, KIM)),
        (Policy(approvers=(LEE, KIM), own_approval=True), LEE, OPEN, {}, (LEE, KIM)),
        (Policy(approvers=(LEE,)), LEE, OPEN, {}, (LEE,)),
        (Policy(), DANA, OPEN, {}, (DANA,)),
        (Policy(), "", OPEN, {}, ()),
        (Policy(approver_groups=("S0TEAM001",)), DANA, OPEN, {}, (KIM, LEE)),
        (Policy(approver_groups=("S0GONE001",)), DANA, {"eligible": [KIM]}, APPROVED, (KIM,)),
    ],
    ids=[
        "the approvers",
        "not one's own, as long as nobody else has approved it",
        "one's own, once somebody else has approved it",
        "one's own, where the policy allows that for approvals",
        "one's own, where there is nobody else",
        "without approvers the requester",
        "of the console's, an operator",
        "the members of user groups",
        "those who were asked before, where Slack does not show the group",
    ],
)
def test_who_may_promote(
    environment: pytest.MonkeyPatch, rules: Policy, user: str, approval: Any, decided: Any, wanted: tuple[str, ...]
) -> None:
    def members(group: str) -> frozenset[str]:
        if group == "S0GONE001":
            raise InvalidRequest("group_unreadable", group=group, said="x")
        return frozenset({LEE, KIM})

    environment.setattr(policy, "members", members)
    target = Target("dev", "a/b", "dev_deploy", policy=rules)
    assert policy.promoters(target, user, approval, decided) == wanted


def test_whoever_is_asked_may_also_be_named_by_the_targets_policy_alone(rows: Table, told: Told) -> None:
    """Roll back is a cancel: an approver of the target may, whoever was asked to promote."""
    pause(rows, (KIM,), LEE)
    assert targets.targets()["dev"].policy.approvers == (LEE, KIM)
    press("pause_roll_back", LEE)
    assert decision(rows) == ("rolled_back", LEE)
