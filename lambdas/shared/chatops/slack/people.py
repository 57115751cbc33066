"""Who a Slack user is, and who is in a user group."""

from __future__ import annotations

from typing import Literal

from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.slack.client import call

Excluded = Literal["guest", "bot", "gone"]
"""Those who may never ask."""


def excluded(user: str) -> Excluded | None:
    """Why the user may never ask; None for everybody else.

    With Slack down nobody is excluded by this: deployments go on, and the command itself came signed from Slack.
    Without the `users:read` scope neither can be told.
    """
    try:
        found = call("users.info", user=user)["user"]
    except SlackUnavailable:
        return None
    except SlackRefused as error:
        return "gone" if error.code in ("user_not_found", "user_not_visible") else None
    if found.get("deleted"):
        return "gone"
    if found.get("is_bot"):
        return "bot"
    return "guest" if found.get("is_restricted") or found.get("is_ultra_restricted") else None


def group(group_id: str) -> frozenset[str]:
    """The user ids in a group (`usergroups:read`). Raises SlackRefused or SlackUnavailable."""
    return frozenset(map(str, call("usergroups.users.list", usergroup=group_id)["users"]))


def can_post(channel: str) -> bool:
    """False where the bot certainly cannot post: the channel is closed to it. With Slack down: True, try later."""
    try:
        found = call("conversations.info", channel=channel)["channel"]
    except SlackUnavailable:
        return True
    except SlackRefused as error:
        return error.code == "missing_scope"
    return bool(found.get("is_member", True)) and not found.get("is_archived", False)
