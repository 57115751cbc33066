"""A real Slack workspace at the local run: with SLACK_APP_TOKEN and SLACK_BOT_TOKEN set, commands and clicks come in
through Socket Mode, and messages go out to Slack itself.

Slack does not sign what it sends here: it has authenticated the connection. Each envelope therefore enters behind the
signature's check, by a signature of our own: it is turned into the form that Slack would have posted, signed with the
local run's secret, and sent through the gateway like every other request.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

SLACK = "https://slack.com/api/"
APP_TOKEN, BOT_TOKEN = "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"

logger = logging.getLogger(__name__)


class Reply(Protocol):
    """An HTTP answer of the edge."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class Acknowledges(Protocol):
    """As much of slack_sdk's client as an envelope's listener needs."""

    def send_socket_mode_response(self, response: SocketModeResponse) -> None: ...


Deliver = Callable[[bytes], Reply]
"""Signs a form and sends it to the edge."""


def wanted(env: Mapping[str, str]) -> bool:
    """Whether both tokens are set. Raises ValueError for a token that cannot be one, or an app's without its bot's."""
    app, bot = (env.get(name, "").strip() for name in (APP_TOKEN, BOT_TOKEN))
    if not app:
        return False
    if not app.startswith("xapp-"):
        raise ValueError(f"{APP_TOKEN} should hold an app-level token (xapp-…) with the scope connections:write")
    if not bot.startswith("xoxb-"):
        raise ValueError(f"{APP_TOKEN} is set; {BOT_TOKEN} should hold the same app's bot token (xoxb-…)")
    return True


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """What the functions are told otherwise when Slack is the real one.

    The fake's people and channels do not exist there, and Slack cannot fetch pictures from this machine.
    """
    given = {name: env.get(name, "").strip() for name in ("SLACK_API_URL", "SLACK_CHANNEL_ID", "SLACK_APPROVERS")}
    return {
        **given,
        "SLACK_API_URL": given["SLACK_API_URL"] or SLACK,
        "GIF_BASE_URL": env.get("GIF_BASE_URL", "").strip() or "none",
    }


def form(request: SocketModeRequest) -> bytes | None:
    """The body that Slack would post to a request URL for this envelope; None for what nobody here listens to."""
    if request.type == "slash_commands":
        fields = {k: v for k, v in request.payload.items() if isinstance(v, str | int | float)}
        return urlencode(fields).encode()
    if request.type == "interactive":
        return urlencode({"payload": json.dumps(request.payload)}).encode()
    return None


def payload(request: SocketModeRequest, reply: Reply) -> dict[str, Any] | None:
    """What the acknowledgement says: the answer's body, where Slack takes one."""
    if not request.accepts_response_payload:
        return None
    try:
        said = json.loads(reply.body) if reply.body.strip() else None
    except ValueError:
        said = None
    if reply.status != 200 and request.type == "slash_commands":
        return {"response_type": "ephemeral", "text": f"⚠️ The local run did not take this (status {reply.status})."}
    return said if isinstance(said, dict) and reply.status == 200 else None


def listener(deliver: Deliver) -> Callable[[Acknowledges, SocketModeRequest], None]:
    """Handles one envelope: hand it to the edge, acknowledge it with the answer. The edge answers within Slack's three
    seconds; one that is not acknowledged comes again, and is the same delivery."""

    def hear(client: Acknowledges, request: SocketModeRequest) -> None:
        body = form(request)
        said = payload(request, deliver(body)) if body is not None else None
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, said))

    return hear


@contextmanager
def connected(deliver: Deliver, env: Mapping[str, str]) -> Iterator[bool]:
    """Connected while the block runs, if the tokens are set: True then. Raises ConnectionError with Slack's word."""
    if not wanted(env):
        yield False
        return
    api = environment(env)["SLACK_API_URL"].rstrip("/") + "/"
    # its own logger tells of every reconnection, which is Slack's daily routine
    quiet = logging.getLogger(f"{__name__}.client")
    quiet.setLevel(logging.ERROR)
    client = SocketModeClient(env[APP_TOKEN].strip(), logger=quiet, web_client=WebClient(base_url=api, logger=quiet))
    client.socket_mode_request_listeners.append(listener(deliver))
    try:
        try:
            client.connect()
        except (SlackClientError, OSError) as error:
            raise ConnectionError(_said(error)) from None
        yield True
    finally:
        client.close()


def _said(error: Exception) -> str:
    code = getattr(error, "response", {}).get("error", "") if hasattr(error, "response") else ""
    hint = " (is Socket Mode switched on for the app, and the token one of its app-level tokens?)" if code else ""
    return f"Slack did not open a connection: {code or error}{hint}"
