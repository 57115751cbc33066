"""People at their keyboards: signed requests as Slack would send them, and what comes of the answers."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from fakes.slack import outcomes, payloads
from fakes.slack.directory import C_DEPLOY, U_DEV, Channel
from fakes.slack.server import Slack
from fakes.slack.store import Json, Message, View

FORM = "application/x-www-form-urlencoded"
USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
PATIENCE = 3.0
"""Seconds after which Slack tells the person that the app did not answer."""
WAITED = "x-local-waited"
"""A header of the answer: seconds for which there was no processor for the request. Slack's patience begins then."""


@dataclass(frozen=True)
class Sent:
    """One request as it went out: enough to send exactly the same bytes again."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the app answered. `seconds` is how long it took once there was a processor for it; `message` is what Slack
    showed because of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    sent: Sent
    message: Message | None = None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def in_time(self) -> bool:
        """Whether Slack would have waited for it."""
        return self.status != 0 and self.seconds <= PATIENCE


Post = Callable[[Sent, float], tuple[int, Mapping[str, str], bytes]]
"""Sends a request, with a timeout in seconds; status 0 means that there was no answer."""


def over_http(sent: Sent, timeout: float) -> tuple[int, Mapping[str, str], bytes]:
    """The real thing; an HTTP error is an answer like any other."""
    request = urllib.request.Request(sent.url, sent.body, dict(sent.headers), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()
    except OSError as error:
        return 0, {}, str(error).encode()


class SlackUser:
    """Anybody of the workspace, acting at the app whose request URL is `url`.

    `clock` gives the signature's timestamp; a test may hand in a wrong one. Every method returns the app's
    answer and leaves in the fake what a person would then see. `timeout`: seconds, the wait for a processor included.
    """

    def __init__(
        self,
        slack: Slack,
        url: str,
        signing_secret: str,
        *,
        post: Post = over_http,
        now: Callable[[], float] = time.time,
        timeout: float = 120.0,
    ) -> None:
        self._slack = slack
        self._space = slack.space
        self._url = url
        self._signer = SignatureVerifier(signing_secret)
        self._post = post
        self._now = now
        self._timeout = timeout

    def slash(self, command: str, text: str = "", user: str = U_DEV, channel: str = C_DEPLOY) -> Answer:
        """Type a slash command in a channel."""
        where = self._channel(channel)
        url = self._slack.response_url(channel, user)
        trigger = self._space.tickets.trigger(user)
        fields = payloads.slash(command, text, self._space.user(user), where, url, trigger)
        answer = self.send(urlencode(fields).encode())
        return _with(answer, outcomes.slash(self._space, command, user, channel, answer))

    def click(self, message: Message, action_id: str, user: str = U_DEV, overrides: Json | None = None) -> Answer:
        """Press a button. `overrides` replaces keys of the action: a forged value, a foreign id.

        Slack ignores the body of the answer: an app speaks through response_url or the Web API.
        """
        button = message.button(action_id)
        where = self._channel(message.channel)
        payload = payloads.block_actions(
            message,
            self._space.shown(message),
            button,
            self._space.user(user),
            where,
            self._slack.response_url(message.channel, user, message.ts),
            self._space.tickets.trigger(user),
            self._space.store.stamp(),
        )
        payload["actions"][0] |= overrides or {}
        return self.interact(payload)

    def submit(self, view: View, values: dict[str, Any] | None = None, user: str | None = None) -> Answer:
        """Send a modal off, with what was typed by action_id or block_id; its user is who opened it."""
        who = self._space.user(user or view.user)
        shown = self._space.shown_view(view, payloads.state_values(view.content, values or {}))
        answer = self.interact(payloads.view_submission(shown, who, self._space.tickets.trigger(who.id)))
        outcomes.submission(self._space, view, answer)
        return answer

    def close(self, view: View) -> Answer | None:
        """Close a modal; the app hears of it only if the view asks for that."""
        self._space.store.close_view(view)
        if not view.content.get("notify_on_close"):
            return None
        return self.interact(payloads.view_closed(self._space.shown_view(view), self._space.user(view.user)))

    def interact(self, payload: Json) -> Answer:
        """Send an interaction payload as it is."""
        return self.send(urlencode({"payload": json.dumps(payload)}).encode())

    def send(self, body: bytes, content_type: str = FORM, **headers: str) -> Answer:
        """Sign a body and send it."""
        return self._exchange(self.signed(body, content_type, **headers))

    def signed(self, body: bytes, content_type: str = FORM, **headers: str) -> Sent:
        """The request with Slack's signature: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
        timestamp = str(int(self._now()))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body)
        return Sent(
            self._url,
            {
                "Content-Type": content_type,
                "User-Agent": USER_AGENT,
                "Accept": "application/json,*/*",
                "X-Slack-Request-Timestamp": timestamp,
                "X-Slack-Signature": str(signature),
                **headers,
            },
            body,
        )

    def resend(self, answer: Answer | Sent, retry: int | None = None) -> Answer:
        """The same bytes and signature again: a replay, or with `retry` what Slack's own retry looks like."""
        sent = answer.sent if isinstance(answer, Answer) else answer
        if retry is None:
            return self._exchange(sent)
        marks = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        return self._exchange(Sent(sent.url, {**sent.headers, **marks}, sent.body))

    def buttons(self, message: Message) -> list[str]:
        """The action_ids of a message's buttons, in reading order."""
        return [button.action_id for button in message.buttons]

    def _exchange(self, sent: Sent) -> Answer:
        began = time.monotonic()
        status, headers, body = self._post(sent, self._timeout)
        waited = {name.lower(): value for name, value in headers.items()}.get(WAITED, "0")
        return Answer(status, headers, body, time.monotonic() - began - float(waited), sent)

    def _channel(self, channel: str) -> Channel:
        return self._space.channels[channel]


def _with(answer: Answer, message: Message | None) -> Answer:
    return Answer(answer.status, answer.headers, answer.body, answer.seconds, answer.sent, message)
