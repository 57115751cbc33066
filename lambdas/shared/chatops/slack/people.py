"""Who a Slack user is, and who is in a user group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.slack.client import call
from chatops.values import dataclass

Excluded = Literal["guest", "bot", "gone", "stranger"]
"""Those who are nobody here."""
_PAGE, _PAGES = 1000, 5
_LONGEST_NAME = 80
"""Characters that Slack takes. https://docs.slack.dev/reference/objects/user-object"""


@dataclass(frozen=True)
class Workspace:
    """The app's own: its team's id, and its organization's on Enterprise Grid."""

    team: str
    enterprise: str = ""

    def holds(self, team: str, enterprise: str = "") -> bool:
        """Whether somebody of this team (and organization) is one of its own."""
        own = self.enterprise
        return team == self.team or bool(own and own in (team, enterprise))


@dataclass(frozen=True)
class Person:
    """`excluded`: why they are nobody here, None for a member. `name`: what they want to be called, empty for those
    whom Slack does not show."""

    excluded: Excluded | None
    name: str = ""


def workspace(*, patience: float = 1.0) -> Workspace:
    """https://docs.slack.dev/reference/methods/auth.test. Raises SlackUnavailable or SlackRefused."""
    found = call("auth.test", patience=patience)
    return Workspace(str(found["team_id"]), str(found.get("enterprise_id") or ""))


def person(user: str, own: Workspace, *, patience: float = 1.0) -> Person:
    """Who the user is. Raises SlackUnavailable or SlackRefused where Slack does not say (without the `users:read`
    scope, too).

    `is_stranger` alone does not tell: it is false for people of other workspaces who share a channel with the app.
    https://docs.slack.dev/reference/objects/user-object
    """
    try:
        found = call("users.info", user=user, patience=patience)["user"]
    except SlackRefused as error:
        if error.code in ("user_not_found", "user_not_visible"):
            return Person("gone")
        raise
    return Person(_excluded(found, own), _name(found))


def _name(found: Mapping[str, Any]) -> str:
    """As Slack shows it: the display name, else the real one, else the one that all have."""
    profile = found.get("profile")
    given = profile if isinstance(profile, dict) else {}
    return str(given.get("display_name") or found.get("real_name") or found.get("name") or "")[:_LONGEST_NAME]


def _excluded(found: Mapping[str, Any], own: Workspace) -> Excluded | None:
    if found.get("deleted"):
        return "gone"
    if found.get("is_bot"):
        return "bot"
    in_grid = found.get("enterprise_user")
    enterprise = str((in_grid if isinstance(in_grid, dict) else {}).get("enterprise_id") or "")
    if found.get("is_stranger") or not own.holds(str(found.get("team_id") or ""), enterprise):
        return "stranger"
    return "guest" if found.get("is_restricted") or found.get("is_ultra_restricted") else None


def group(group_id: str, *, patience: float = 1.0) -> frozenset[str]:
    """The user ids in a group (`usergroups:read`). Raises SlackRefused or SlackUnavailable."""
    return frozenset(map(str, call("usergroups.users.list", usergroup=group_id, patience=patience)["users"]))


def can_post(channel: str) -> bool:
    """False where the bot certainly cannot post: the channel is closed to it. With Slack down: True, try later."""
    try:
        found = call("conversations.info", channel=channel)["channel"]
    except SlackUnavailable:
        return True
    except SlackRefused as error:
        return error.code == "missing_scope"
    return bool(found.get("is_member", True)) and not found.get("is_archived", False)


def outside(channel: str, users: Collection[str]) -> tuple[str, ...]:
    """Those who cannot see the channel: it is private, and they are not in it. Nobody where Slack does not say, or
    where the channel has more than a few thousand members.

    https://docs.slack.dev/reference/methods/conversations.members
    """
    try:
        if not call("conversations.info", channel=channel)["channel"].get("is_private"):
            return ()
        left, cursor = dict.fromkeys(users), ""
        for _ in range(_PAGES):
            found = call("conversations.members", channel=channel, limit=_PAGE, cursor=cursor or None)
            for user in found["members"]:
                left.pop(str(user), None)
            cursor = str((found.get("response_metadata") or {}).get("next_cursor") or "")
            if not left or not cursor:
                return tuple(left)
    except (SlackUnavailable, SlackRefused):
        pass
    return ()
