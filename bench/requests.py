"""The requests that both edges get: a slash command as Slack sends it, through API Gateway (payload format 2.0)."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlencode

COMMAND = {
    "token": "not-used",
    "team_id": "T0ACME",
    "team_domain": "acme",
    "channel_id": "C0DEPLOY",
    "channel_name": "deploys",
    "user_id": "U0DANA001",
    "user_name": "dana",
    "command": "/platform-deploy",
    "text": "v1.2.3",
    "api_app_id": "A0BOT",
    "response_url": "https://hooks.slack.com/commands/T0ACME/1/x",
}


def command(secret: str, number: int = 1) -> dict[str, Any]:
    """A signed `/platform-deploy v1.2.3`; each number is a delivery of its own."""
    body = urlencode({**COMMAND, "trigger_id": f"{number}.2.abcdef"})
    now = str(int(time.time()))
    signature = hmac.new(secret.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": now,
        "x-slack-signature": f"v0={signature}",
    }
    return {
        "version": "2.0",
        "routeKey": "POST /slack/events",
        "rawPath": "/prod/slack/events",
        "headers": headers,
        "requestContext": {"http": {"method": "POST", "path": "/prod/slack/events"}, "stage": "prod"},
        "body": body,
        "isBase64Encoded": False,
    }


def forged(secret: str, number: int = 1) -> dict[str, Any]:
    """The same from somebody who does not know the secret."""
    return command(f"not {secret}", number)


def stray(secret: str, number: int = 1) -> dict[str, Any]:
    """What finds the address by chance: no signature at all."""
    made = command(secret, number)
    return {**made, "headers": {"content-type": made["headers"]["content-type"]}}


KINDS = {"command": command, "forged": forged, "stray": stray}
