"""Who is one of us, whatever is asked of the app, and whether or not Slack answers."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain import page_link
from chatops.domain.errors import Refusal, SlackRefused, SlackUnavailable
from chatops.slack import membership
from chatops.slack.membership import standing
from chatops.store import pages
from chatops.store.table import Table
from tests.unit.conftest import Time

OWN, OTHER, GRID = "T0ACME001", "T0OTHER01", "E0ACME001"
USER = "U0DANA001"
DOWN = SlackUnavailable("slack_silent", method="users.info", error="timeout")


class Slack:
    """`user`: what users.info says; `down`: what every call raises."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {"team_id": OWN}
        self.own = {"team_id": OWN}
        self.down: Exception | None = None
        self.calls: list[str] = []

    def call(self, method: str, **_: object) -> dict[str, Any]:
        self.calls.append(method)
        if self.down:
            raise self.down
        return self.own if method == "auth.test" else {"user": self.user}


@pytest.fixture
def slack(environment: pytest.MonkeyPatch, time: Time) -> Slack:
    fake = Slack()
    environment.setattr(membership, "standing", standing)
    environment.setattr("chatops.slack.people.call", fake.call)
    environment.setattr(membership, "_workspaces", {})
    environment.setenv("SLACK_BOT_TOKEN", "xoxb-one")
    return fake


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ({"team_id": OWN}, None),
        ({"team_id": OTHER}, "stranger"),
        ({"team_id": OTHER, "is_stranger": False}, "stranger"),
        ({"team_id": OWN, "is_stranger": True}, "stranger"),
        ({"team_id": OTHER, "enterprise_user": {"enterprise_id": GRID}}, None),
        ({"team_id": OTHER, "enterprise_user": {"enterprise_id": "E0OTHER01"}}, "stranger"),
        ({"team_id": OTHER, "enterprise_user": None}, "stranger"),
        ({"team_id": GRID}, None),
        ({}, "stranger"),
        ({"team_id": OWN, "is_restricted": True}, "guest"),
        ({"team_id": OWN, "is_ultra_restricted": True}, "guest"),
        ({"team_id": OWN, "deleted": True}, "gone"),
        ({"team_id": OWN, "is_bot": True}, "bot"),
    ],
)
def test_a_member_is_of_the_apps_own_workspace_or_organization(
    user: dict[str, Any], found: str | None, slack: Slack, rows: Table
) -> None:
    slack.user, slack.own = user, {"team_id": OWN, "enterprise_id": GRID}
    assert standing(rows, USER) == found


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"name": "dana.k", "real_name": "Dana Kim", "profile": {"display_name": "dana"}}, "dana"),
        ({"name": "dana.k", "real_name": "Dana Kim", "profile": {"display_name": ""}}, "Dana Kim"),
        ({"name": "dana.k", "profile": None}, "dana.k"),
        ({"name": "x" * 1000}, "x" * 80),
        ({}, None),
    ],
)
def test_what_somebody_wants_to_be_called_is_kept_for_pages_longer_than_the_standing_holds(
    user: dict[str, Any], name: str | None, slack: Slack, rows: Table
) -> None:
    slack.user = {"team_id": OWN, **user}
    assert standing(rows, USER) is None
    assert pages.names(rows, [USER, "U0NOBODY1"]) == ({USER: name} if name else {})
    kept = rows.get(f"PERSON#{USER}", "STANDING")
    assert kept is not None
    assert kept["expires_at"] - kept["at"] >= page_link.LIFE > membership.HOLDS


def test_an_app_of_no_organization_has_no_siblings(slack: Slack, rows: Table) -> None:
    slack.user = {"team_id": OTHER, "enterprise_user": {"enterprise_id": ""}}
    assert standing(rows, USER) == "stranger"


def test_a_request_that_says_it_comes_from_elsewhere_is_believed_at_once(slack: Slack, rows: Table) -> None:
    assert standing(rows, USER) is None
    assert (standing(rows, USER, OTHER), standing(rows, USER, OWN)) == ("stranger", None)
    assert slack.calls == ["auth.test", "users.info"]


def test_what_slack_said_is_kept_for_some_minutes_and_held_for_a_day_while_it_is_away(
    slack: Slack, rows: Table, time: Time
) -> None:
    assert standing(rows, USER) is None
    slack.user = {"team_id": OWN, "is_restricted": True}
    time.pass_by(membership.FRESH - 1)
    assert standing(rows, USER) is None
    slack.down = DOWN
    time.pass_by(10)
    assert standing(rows, USER) is None, "Slack is away"
    slack.down = None
    assert standing(rows, USER) == "guest"
    slack.down = DOWN
    time.pass_by(membership.HOLDS - 1)
    assert standing(rows, USER) == "guest"
    time.pass_by(2)
    with pytest.raises(SlackUnavailable):
        standing(rows, USER)


@pytest.mark.parametrize("trouble", [DOWN, SlackRefused("users.info", "missing_scope")])
def test_nobody_is_let_in_because_something_cannot_be_read(trouble: Exception, slack: Slack, rows: Table) -> None:
    slack.down = trouble
    with pytest.raises(Refusal) as caught:
        membership.check(rows, USER)
    assert caught.value.key == "excluded_unreadable"


def test_somebody_whom_slack_does_not_show_is_gone(slack: Slack, rows: Table) -> None:
    standing(rows, "U0LEE0001")
    slack.down = SlackRefused("users.info", "user_not_found")
    assert standing(rows, USER) == "gone"


def test_another_token_may_be_another_workspaces(slack: Slack, rows: Table, environment: pytest.MonkeyPatch) -> None:
    assert standing(rows, USER) is None
    environment.setattr(membership, "_mark", lambda: "another")
    slack.own = {"team_id": OTHER}
    assert standing(rows, "U0LEE0001") == "stranger"


def test_a_table_that_takes_nothing_is_no_reason(slack: Slack, rows: Table, environment: pytest.MonkeyPatch) -> None:

    def throttled(*_: object, **__: object) -> None:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    environment.setattr(Table, "update", throttled)
    assert standing(rows, USER) is None
