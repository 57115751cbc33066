"""Who may ask, whom an approval is put to, and which policies nobody can satisfy."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import ReasonedError, Refusal, SlackRefused, SlackUnavailable
from chatops.domain.plan import ApprovalRule
from chatops.domain.target import Policy, Target, Timing
from chatops.slack import approvers, membership
from chatops.steps import policy

DANA, LEE, KIM, SAM, GUEST = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0SAM0001", "U0GUEST01"
ASKED = "U0ASKED01"
PLATFORM, DEVELOPERS = "S0PLATFORM", "S0DEVELOPER"
ROWS = object()
"""The table."""


class Slack:
    """Slack as far as people and groups go. `down`: what it raises instead of an answer about a group."""

    def __init__(self) -> None:
        self.people = {GUEST: "guest", "B0BOT": "bot"}
        self.groups = {PLATFORM: [SAM, KIM, LEE], DEVELOPERS: [DANA]}
        self.down: Exception | None = None

    def call(self, method: str, **asked: str) -> dict[str, Any]:
        assert method == "usergroups.users.list"
        if self.down:
            raise self.down
        return {"users": self.groups[asked["usergroup"]]}

    def standing(self, rows: object, user: str) -> str | None:
        assert rows is ROWS
        return self.people.get(user)


@pytest.fixture(autouse=True)
def slack(environment: pytest.MonkeyPatch) -> Slack:
    fake = Slack()
    environment.setattr("chatops.slack.people.call", fake.call)
    environment.setattr(policy, "table", lambda: ROWS)
    environment.setattr(membership, "standing", fake.standing)
    return fake


def target(**rules: Any) -> Target:
    return Target("prod", "acme/checkout-api", "prod_deploy", policy=Policy(**rules), timing=Timing(approval=1234))


def raises(error: Exception) -> None:
    raise error


def refusal(call: Any, *given: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(Refusal) as caught:
        call(*given)
    return caught.value.key, caught.value.values


# -- who may ask -----------------------------------------------------------------------------------------------


def test_where_nobody_is_named_everybody_but_guests_and_bots_may_ask() -> None:
    assert policy.requester(target(), DANA) == DANA
    assert refusal(policy.requester, target(), GUEST) == ("excluded_guest", {})
    assert refusal(policy.requester, target(), "B0BOT") == ("excluded_bot", {})


def test_a_guest_may_not_ask_although_named() -> None:
    assert refusal(policy.requester, target(requesters=(GUEST,)), GUEST)[0] == "excluded_guest"


@pytest.mark.parametrize(
    "rules",
    [
        {"requesters": (DANA,)},
        {"requester_groups": (DEVELOPERS,)},
        {"requester_groups": (PLATFORM, DEVELOPERS)},
        {"requesters": (LEE,), "requester_groups": (DEVELOPERS,)},
    ],
)
def test_only_those_who_are_named_or_in_a_named_group_may_ask(rules: dict[str, Any]) -> None:
    assert policy.requester(target(**rules), DANA) == DANA
    assert refusal(policy.requester, target(**rules), "U0OUT0001") == ("not_a_requester", {"target": "prod"})


def test_the_console_has_no_user_and_needs_none() -> None:
    assert policy.requester(target(requesters=(DANA,)), "") == ""


@pytest.mark.parametrize("trouble", [SlackRefused("usergroups.users.list", "missing_scope"), SlackUnavailable("503")])
def test_a_group_that_slack_does_not_tell_is_refused_in_words(slack: Slack, trouble: ReasonedError) -> None:
    slack.down = trouble
    said = ("group_unreadable", {"group": DEVELOPERS, "said": trouble.reason})
    assert refusal(policy.requester, target(requester_groups=(DEVELOPERS,)), DANA) == said
    assert policy.requester(target(requesters=(DANA,), requester_groups=(DEVELOPERS,)), DANA) == DANA, "not asked"


def test_whoever_cannot_be_read_may_not_ask(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Slack doesn't answer, Plan is tried again; what it refuses (a scope that is missing, say) is told."""

    missing = SlackRefused("users.info", "missing_scope")
    monkeypatch.setattr(membership, "standing", lambda *_: raises(missing))
    assert refusal(policy.requester, target(), DANA) == ("excluded_unreadable", {"said": missing.reason})
    silent = SlackUnavailable("slack_silent", method="users.info", error="x")
    monkeypatch.setattr(membership, "standing", lambda *_: raises(silent))
    with pytest.raises(SlackUnavailable):
        policy.requester(target(), DANA)


def test_a_group_that_cannot_be_read_does_not_let_the_requester_promote(slack: Slack) -> None:
    slack.down = SlackUnavailable("slack_silent", method="usergroups.users.list", error="x")
    rules = target(approver_groups=(PLATFORM,))
    assert refusal(lambda: policy.promoters(rules, DANA, (), approved=False))[0] == "group_unreadable"
    assert policy.promoters(rules, DANA, (LEE,), approved=False) == (LEE,), "who was asked before still may"


# -- who decides -----------------------------------------------------------------------------------------------


def test_the_approvers_come_first_then_the_groups_each_person_once_and_never_the_requester() -> None:
    rules = {"approvers": (LEE, DANA), "approver_groups": (PLATFORM,)}
    assert policy.eligible(target(**rules), DANA) == (LEE, KIM, SAM)
    assert policy.eligible(target(**rules), "U0OUT0001") == (LEE, DANA, KIM, SAM)


def test_own_approval_must_be_allowed() -> None:
    assert policy.eligible(target(approvers=(LEE, DANA), own_approval=True), DANA) == (LEE, DANA)
    assert policy.eligible(target(approver_groups=(DEVELOPERS,)), DANA) == ()


# -- what is asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        ("deploy", {}),
        ("rollback", {}),
        ("rollback", {"deploy_approval": True}),
        ("deploy", {"rollback_approval": True}),
    ],
)
def test_what_needs_no_approval_asks_nobody(command: str, rules: dict[str, Any]) -> None:
    assert policy.question(target(approvers=(LEE,), **rules), command, DANA) is None


@pytest.mark.parametrize("command", ["deploy", "rollback"])
def test_an_approval_says_whom_it_asks_how_many_and_for_how_long(command: str) -> None:
    rules = {"approvers": (LEE,), "approver_groups": (PLATFORM,), "quorum": 3, f"{command}_approval": True}
    assert policy.question(target(**rules), command, DANA) == ApprovalRule((LEE, KIM, SAM), (PLATFORM,), 3, 1234)


@pytest.mark.parametrize(
    ("rules", "key", "more"),
    [
        ({}, "no_approvers", {}),
        ({"approvers": (DANA,)}, "own_approval", {}),
        ({"approver_groups": (DEVELOPERS,)}, "own_approval", {}),
        ({"approvers": (DANA, LEE), "quorum": 2}, "quorum", {"quorum": 2, "count": 1}),
    ],
)
def test_a_policy_that_nobody_can_satisfy_is_refused_at_once(
    rules: dict[str, Any], key: str, more: dict[str, int]
) -> None:
    given = target(**rules, deploy_approval=True)
    assert refusal(policy.question, given, "deploy", DANA) == (key, {"target": "prod", **more})


def test_an_approval_is_put_to_a_hundred_people_at_most(slack: Slack) -> None:
    """They travel in the execution's state."""
    slack.groups[PLATFORM] = [f"U0MANY{n:03d}" for n in range(99)]
    given = target(approvers=(LEE,), approver_groups=(PLATFORM,), deploy_approval=True)
    asked = policy.question(given, "deploy", DANA)
    assert asked is not None
    assert len(asked.eligible) == 100
    slack.groups[PLATFORM].append(KIM)
    said = ("too_many_approvers", {"target": "prod", "count": 101, "most": 100})
    assert refusal(policy.question, given, "deploy", DANA) == said


# -- through a freeze ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [LEE, KIM, ""])
def test_approvers_and_the_console_break_the_glass(user: str) -> None:
    approvers.break_glass(target(approvers=(LEE,), approver_groups=(DEVELOPERS, PLATFORM)), user)


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ({"approvers": (LEE,)}, "glass_not_you"),
        ({"approver_groups": (PLATFORM,)}, "glass_not_you"),
        ({}, "glass_nobody"),
    ],
)
def test_nobody_else_does(rules: dict[str, Any], key: str) -> None:
    assert refusal(approvers.break_glass, target(**rules), DANA) == (key, {"target": "prod"})


# -- at a pause ------------------------------------------------------------------------------------------------


NAMED, GROUPED = {"approvers": (LEE, DANA)}, {"approvers": (LEE,), "approver_groups": (PLATFORM,)}
PROMOTERS: dict[str, tuple[dict[str, Any], str, tuple[str, ...], bool, tuple[str, ...]]] = {
    "the approvers, then who was asked, then the groups": (GROUPED, DANA, (ASKED, LEE), False, (LEE, ASKED, KIM, SAM)),
    "the approvers, then the groups": (GROUPED, DANA, (), False, (LEE, KIM, SAM)),
    "two people put a version live": (NAMED, DANA, (), False, (LEE,)),
    "unless somebody else has approved it": (NAMED, DANA, (), True, (LEE, DANA)),
    "unless the policy lets one": ({**NAMED, "own_approval": True}, DANA, (), False, (LEE, DANA)),
    "or somebody else has asked for it": (NAMED, "U0OUT0001", (), False, (LEE, DANA)),
    "the requester where nobody is named": ({}, DANA, (), False, (DANA,)),
    "the requester where nobody else may": ({"approvers": (DANA,)}, DANA, (), False, (DANA,)),
    "nobody where there is no requester either": ({}, "", (), False, ()),
}


@pytest.mark.parametrize(("rules", "requester", "asked", "approved", "wanted"), PROMOTERS.values(), ids=PROMOTERS)
def test_who_may_promote(
    rules: dict[str, Any], requester: str, asked: tuple[str, ...], approved: bool, wanted: tuple[str, ...]
) -> None:
    assert policy.promoters(target(**rules), requester, asked, approved=approved) == wanted


def test_a_group_that_slack_does_not_tell_keeps_nobody_else_from_promoting(slack: Slack) -> None:
    slack.down = SlackUnavailable("503")
    given = target(approvers=(LEE,), approver_groups=(PLATFORM,))
    assert policy.promoters(given, DANA, (KIM,), approved=False) == (LEE, KIM)


# -- people who have left ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("why", "group"), [("gone", ()), ("guest", ()), ("stranger", ()), ("gone", (PLATFORM,))])
def test_a_quorum_that_people_who_left_would_have_to_fill_is_refused_at_once(
    slack: Slack, why: str, group: tuple[str, ...]
) -> None:
    named = target(approvers=(LEE, KIM), approver_groups=group, quorum=2, deploy_approval=True)
    slack.groups[PLATFORM] = [KIM]
    slack.people[KIM] = why
    key, values = refusal(policy.question, named, "deploy", DANA)
    assert (key, values) == ("quorum_gone", {"target": "prod", "people": (KIM,), "count": 1, "quorum": 2})


def test_of_several_those_who_are_still_there_are_asked_and_all_while_slack_does_not_say(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = target(approvers=(LEE, KIM, SAM), quorum=2, deploy_approval=True)
    slack.people[KIM] = "gone"
    assert policy.question(given, "deploy", DANA) == ApprovalRule((LEE, SAM), (), 2, 1234)
    refused = SlackRefused("users.info", "missing_scope")
    for error in (refused, SlackUnavailable("slack_silent", method="users.info", error="x")):
        monkeypatch.setattr(membership, "standing", lambda *_, error=error: raises(error))
        assert policy.question(given, "deploy", DANA) == ApprovalRule((LEE, KIM, SAM), (), 2, 1234)
