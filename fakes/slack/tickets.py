"""What Slack hands out with an interaction and takes back for a while: triggers and response URLs."""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, field

from fakes.clock import Clock
from fakes.slack import limits
from fakes.slack.errors import SlackError


@dataclass
class ResponseUrl:
    """Where answers to one interaction go. `message_ts` is the message that was clicked, if one was."""

    channel: str
    user: str
    created_at: float
    message_ts: str | None = None
    uses: int = 0


@dataclass
class _Trigger:
    user: str
    created_at: float
    used: bool = False


@dataclass
class Tickets:
    """Issues and redeems both kinds. Seconds here are real ones: Slack's patience does not scale."""

    clock: Clock
    trigger_seconds: float = limits.TRIGGER_SECONDS
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _urls: dict[str, ResponseUrl] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(4_512_690_237_011))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def trigger(self, user: str) -> str:
        """A trigger_id: `<number>.<workspace>.<32 hexadecimal digits>`."""
        trigger = f"{next(self._numbers)}.738474920123.{secrets.token_hex(16)}"
        self._triggers[trigger] = _Trigger(user, self.clock.now())
        return trigger

    def exchange(self, trigger: str) -> str:
        """The user of a fresh trigger. Raises invalid_, expired_ and exchanged_trigger_id."""
        with self._lock:
            found = self._triggers.get(trigger)
            if found is None:
                raise SlackError("invalid_trigger_id")
            if self.clock.now() - found.created_at > self.trigger_seconds:
                raise SlackError("expired_trigger_id")
            if found.used:
                raise SlackError("exchanged_trigger_id")
            found.used = True
            return found.user

    def url(self, channel: str, user: str, message_ts: str | None = None) -> str:
        """The id at the end of a new response_url."""
        key = secrets.token_urlsafe(18)
        self._urls[key] = ResponseUrl(channel, user, self.clock.now(), message_ts)
        return key

    def redeem(self, key: str) -> ResponseUrl:
        """One use of a response_url: five, within thirty minutes. Raises used_url, expired_url.

        https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
        """
        with self._lock:
            found = self._urls.get(key)
            if found is None:
                raise SlackError("no_active_hooks")
            if self.clock.now() - found.created_at > limits.RESPONSE_URL_SECONDS:
                raise SlackError("expired_url")
            if found.uses >= limits.RESPONSE_URL_USES:
                raise SlackError("used_url")
            found.uses += 1
            return found
