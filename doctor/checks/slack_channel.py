"""Can the bot post where messages go that have no channel of their own?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doctor.installation import Installation
from doctor.result import NotLooked, Result, failed, ok, skipped

LINK = "https://slack.com/help/articles/201980108-Add-people-to-a-channel"
_CAUSES = "Executions started in the console, and commands from channels that are closed to the bot, are told nowhere."


def look(installation: Installation, _: str) -> Iterator[Result]:
    """By `conversations.info`."""
    channel = installation.settings.channel
    if not channel:
        yield skipped(
            "SLACK_CHANNEL_ID is not set: messages go to the command's own channel, where the bot must be.",
            "Set it, and what is started in the console is told there.",
        )
        return
    if ("configuration", "") in installation.broken and not channel.isalnum():
        raise NotLooked("SLACK_CHANNEL_ID is no channel's id; see configuration")
    found: dict[str, Any] = installation.slack.ask("conversations.info", channel=channel).json
    yield _unseen(channel, str(found.get("error"))) if not found.get("ok") else _seen(channel, found["channel"])


def _seen(channel: str, found: dict[str, Any]) -> Result:
    name = f"#{found.get('name')} ({channel})"
    if found.get("is_archived"):
        return failed(
            f"{name} is archived.", _CAUSES, "Unarchive it, or set SLACK_CHANNEL_ID to another channel.", LINK
        )
    if found.get("is_member") is False:
        return failed(
            f"The bot is not in {name}.",
            f"Slack answers not_in_channel to its messages. {_CAUSES}",
            "In that channel write /invite @platform-deploy (the bot's name).",
            LINK,
        )
    return ok(f"The bot is in {name}." if found.get("is_member") else f"Slack shows the bot {name}.")


def _unseen(channel: str, error: str) -> Result:
    if error == "missing_scope":
        raise NotLooked("the scope is missing; see Slack app")
    return failed(
        f"Slack shows the bot no channel {channel} ({error}).",
        _CAUSES,
        "Look whether the id is right (the channel's details, About); in a private channel write /invite "
        "@platform-deploy, since a bot sees only those that it is in.",
        LINK,
    )
