"""The one place that talks to Slack's Web API, by slack_sdk."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from chatops import secrets
from chatops.config import settings
from chatops.errors import SlackRefused, SlackUnavailable

TIMEOUT = 6
_USUAL_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds: where Slack asks for a pause and does not say how long, and what is believed at most."""
_AUTH = frozenset({"invalid_auth", "token_revoked", "token_expired", "not_authed", "account_inactive"})
_LATER = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)


def call(method: str, **arguments: Any) -> dict[str, Any]:
    """One Web API call. Raises SlackUnavailable (no answer, 5xx, asked to wait) or SlackRefused with Slack's word.

    A refused token is read afresh from the secret and tried once more.
    """
    try:
        return _call(secrets.required(secrets.SLACK_BOT_TOKEN), method, arguments)
    except SlackRefused as error:
        if error.code not in _AUTH:
            raise
        return _call(secrets.required(secrets.SLACK_BOT_TOKEN, fresh=True), method, arguments)


def _call(token: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    client = WebClient(token=token, base_url=settings().slack_api_url, timeout=TIMEOUT, retry_handlers=[])
    try:
        answer = client.api_call(method, json={k: v for k, v in arguments.items() if v is not None})
    except SlackApiError as error:
        status, data = error.response.status_code, error.response.data
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or status >= 500 or code in _LATER:
            pause = _pause(error.response.headers) if status == 429 else 0
            raise SlackUnavailable("slack_not_now", pause, method=method, code=code or status) from None
        raise SlackRefused(method, code or str(status)) from None
    except (SlackClientError, URLError, OSError, ValueError) as error:
        raise SlackUnavailable("slack_silent", method=method, error=type(error).__name__) from None
    data = answer.data
    return data if isinstance(data, dict) else {}


def _pause(headers: Mapping[str, Any]) -> int:
    """`Retry-After` in seconds: https://docs.slack.dev/apis/web-api/rate-limits#responding-to-rate-limiting-conditions"""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    text = str(found[0] if isinstance(found, list) and found else found)
    return min(int(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() and len(text) < 10 else _USUAL_PAUSE


def respond(response_url: str, *, timeout: float = TIMEOUT, **message: Any) -> bool:
    """Answer a command or a click through its response URL (5 uses in 30 minutes); False if Slack does not take it."""
    try:
        return WebhookClient(response_url, timeout=int(timeout) or 1).send_dict(message).status_code == 200
    except (SlackClientError, URLError, HTTPException, OSError, OverflowError, ValueError):
        return False
