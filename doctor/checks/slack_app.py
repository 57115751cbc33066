"""Does Slack know the bot, and was it granted what its manifest asks for?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from doctor.installation import Installation
from doctor.result import NoAnswer, Result, failed, ok

MANIFEST = Path(__file__).resolve().parents[2] / "slack-manifest.yaml"
LINK = "https://api.slack.com/apps"
LATER = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
GROUPS = "usergroups:read"
_USES = {
    "commands": "the slash commands do not exist",
    "chat:write": "no message can be posted or edited",
    "users:read": "guests, bots and people who left cannot be told from others",
    "channels:read": "the bot cannot see whether it may post in a channel, and does not fall back to SLACK_CHANNEL_ID",
    "groups:read": "the same for private channels",
    GROUPS: "members of an approving user group cannot be named: requests are refused",
}


@cache
def manifest() -> tuple[str, ...]:
    """The bot's scopes in slack-manifest.yaml."""
    found: Any = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return tuple(found["oauth_config"]["scopes"]["bot"])


def look(installation: Installation, _: str) -> Iterator[Result]:
    """By `auth.test`, whose answer names the token's scopes in a header."""
    answer = installation.slack.ask("auth.test")
    found: dict[str, Any] = answer.json
    if not found.get("ok"):
        if found.get("error") in LATER:
            raise NoAnswer(f"Slack has no answer to auth.test now ({found.get('error')})")
        yield failed(
            f"Slack refuses SLACK_BOT_TOKEN ({found.get('error')}).",
            "No message can be posted or edited: nobody is asked for approval, nobody is told.",
            "Take the Bot User OAuth Token of the app's page OAuth & Permissions; install the app if there is none.",
            LINK,
        )
        return
    if not found.get("bot_id"):
        yield failed(
            "SLACK_BOT_TOKEN is no bot's: auth.test names no bot.",
            "Messages would come from a person, and stop when that person leaves.",
            "Take the Bot User OAuth Token (xoxb-…) of the app's page OAuth & Permissions.",
            LINK,
        )
        return
    lacking = _lacking(installation, answer.headers.get("X-OAuth-Scopes", ""))
    if lacking:
        yield failed(
            f"The bot lacks the scopes {', '.join(lacking)}.",
            "Without them " + "; ".join(_USES.get(scope, "something is refused") for scope in lacking) + ".",
            "Paste slack-manifest.yaml into the app's page App Manifest, then install the app again (Install App): "
            "scopes count from then on.",
            LINK,
        )
    else:
        yield ok(f"The bot is {found.get('user')} in the workspace {found.get('team')}, with every scope it needs.")


def _lacking(installation: Installation, header: str) -> list[str]:
    granted = {scope.strip() for scope in header.split(",")}
    asked = [scope for scope in manifest() if scope not in granted]
    grouped = any(one.policy.approver_groups or one.policy.requester_groups for one in installation.targets.values())
    return [scope for scope in asked if grouped or scope != GROUPS]
