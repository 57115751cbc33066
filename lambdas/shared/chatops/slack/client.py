"""The one place that talks to Slack's Web API, by slack_sdk's own methods: Slack reads no JSON where it is only asked
(`users.info`, `conversations.info`, …), and they send each request as its method reads it.

slack_sdk takes as long to import as a whole first command of the Slack edge takes. So it is imported where Slack is
asked; whoever always asks does that when they start (`ready`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from typing import Any, TypeVar

from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.network import tls
from chatops.network.kept import PROXIES, Kept, path_of
from chatops.settings import secrets
from chatops.settings.config import settings

T = TypeVar("T")
TIMEOUT = 6
_USUAL_PAUSE, _LONGEST_PAUSE = 30, 3600
"""Seconds: where Slack asks for a pause and does not say how long, and what is believed at most."""
_WORD = re.compile(r"[a-z0-9_.-]+", re.IGNORECASE)
"""An error word of Slack's; slack_sdk puts a sentence in its place where the answer is no JSON."""
AUTH = frozenset({"invalid_auth", "token_revoked", "token_expired", "not_authed", "account_inactive"})
LATER = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
READS: Mapping[str, tuple[str, type]] = {
    "auth.test": ("team_id", str),
    "chat.postMessage": ("ts", str),
    "conversations.info": ("channel", dict),
    "conversations.members": ("members", list),
    "usergroups.users.list": ("users", list),
    "users.info": ("user", dict),
}
"""What is read of an answer: its key and type. https://docs.slack.dev/reference/methods"""


def call(method: str, *, patience: float = 1.0, **arguments: Any) -> dict[str, Any]:
    """One Web API call, by slack_sdk's method of that name; an argument of None is not sent. Raises SlackUnavailable
    (no answer or not Slack's, 5xx, asked to wait) or SlackRefused with Slack's word.

    `patience` scales the timeout. A refused token is read afresh from the secret and tried once more.
    """
    try:
        return _call(secrets.required(secrets.SLACK_BOT_TOKEN), method, arguments, patience)
    except SlackRefused as error:
        if error.code not in AUTH:
            raise
        return _call(secrets.required(secrets.SLACK_BOT_TOKEN, fresh=True), method, arguments, patience)


def is_answer(method: str, data: object) -> bool:
    """Whether this is an answer of Slack's to the method: refused with a word, or with what is read of it."""
    if not isinstance(data, dict):
        return False
    if data.get("ok") is not True:
        return data.get("ok") is False and _WORD.fullmatch(str(data.get("error", ""))) is not None
    key, kind = READS.get(method, ("ok", bool))
    return isinstance(data.get(key), kind)


def _call(token: str, method: str, arguments: dict[str, Any], patience: float) -> dict[str, Any]:
    import slack_sdk
    from slack_sdk.errors import SlackApiError, SlackClientError

    base = settings().slack_api_url
    client = slack_sdk.WebClient(
        token=token, base_url=base, timeout=max(int(TIMEOUT * patience), 1), retry_handlers=[], ssl=tls.web()
    )
    ask = getattr(client, method.replace(".", "_"))
    try:
        answer = _verified(partial(ask, **arguments))
    except SlackApiError as error:
        answer = error.response
    except (SlackClientError, HTTPException, OSError, ValueError, AttributeError) as error:
        # AttributeError: slack_sdk takes every JSON for an object
        raise SlackUnavailable("slack_silent", method=method, error=type(error).__name__) from None
    status, data = answer.status_code, answer.data
    code = str(data.get("error", "")) if is_answer(method, data) else ""
    if status == 429 or status >= 500 or code in LATER:
        pause = _pause(answer.headers) if status == 429 else 0
        raise SlackUnavailable("slack_not_now", pause, method=method, code=code or status)
    if not is_answer(method, data) or (data["ok"] and status != 200):
        raise SlackUnavailable("slack_silent", method=method, error=f"HTTP {status}")
    if not data["ok"]:
        raise SlackRefused(method, code)
    found: dict[str, Any] = data
    return found


def _verified(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except OSError as error:  # urllib's URLError is one
        if not tls.unverified(error):
            raise
        return ask()


def _pause(headers: Mapping[str, Any]) -> int:
    """`Retry-After` in seconds: https://docs.slack.dev/apis/web-api/rate-limits#responding-to-rate-limiting-conditions"""
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    text = str(found[0] if isinstance(found, list) and found else found)
    return min(int(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() and len(text) < 10 else _USUAL_PAUSE


def respond(response_url: str, *, timeout: float = TIMEOUT, **message: Any) -> bool:
    """Answer a command or a click through its response URL (5 uses in 30 minutes); False if Slack does not take it.

    One POST of JSON. slack_sdk would take two hundred million instructions to import for it, a third of what a click
    may cost; only where a proxy stands in between it is slack_sdk's.
    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    send = _by_slack_sdk if any(map(os.environ.get, PROXIES)) else _straight
    try:
        return send(response_url, message, timeout) == 200
    except (HTTPException, OSError, ValueError):
        return False


def _straight(url: str, message: dict[str, Any], timeout: float) -> int:
    server = Kept(url, timeout, timeout, tls.web)
    headers = {"Content-Type": "application/json;charset=utf-8"}
    try:
        return server.post(path_of(url), headers, json.dumps(message).encode()).status
    finally:
        server.close()


def _by_slack_sdk(url: str, message: dict[str, Any], timeout: float) -> int:
    from slack_sdk.webhook import WebhookClient

    client = WebhookClient(url, timeout=max(int(timeout), 1), ssl=tls.web())
    return _verified(partial(client.send_dict, message)).status_code
