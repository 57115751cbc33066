"""The workspace as methods see it: who may post where, and how a message or a view is shown."""

from __future__ import annotations

import json
import threading
from typing import Any

from fakes.clock import Clock
from fakes.slack import blocks, directory, limits
from fakes.slack.directory import APP_ID, BOT_ID, TEAM_ID, U_BOT, Channel, User
from fakes.slack.errors import SlackError
from fakes.slack.rates import Rates
from fakes.slack.store import Json, Message, Store, View
from fakes.slack.tickets import Tickets


class Workspace:
    """People, channels, messages, views. The bot is the only one who calls methods."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.store = Store()
        self.tickets = Tickets(clock)
        self.users = directory.users()
        self.channels = directory.channels()
        self.groups = directory.groups()
        self.bad_image_urls: set[str] = set()
        self.enforce_rate_limit = False
        self.burst = 1
        self._posted: dict[str, float] = {}
        self._rates, self._began = Rates(), clock.now()
        self._lock = threading.Lock()

    def user(self, user_id: Any) -> User:
        """Raises user_not_found."""
        found = self.users.get(str(user_id))
        if found is None:
            raise SlackError("user_not_found")
        return found

    def visible_channel(self, channel_id: Any) -> Channel:
        """A channel the bot can see: public, or private with the bot in it. Raises channel_not_found."""
        found = self.channels.get(str(channel_id))
        if found is None or (found.is_private and U_BOT not in found.members):
            raise SlackError("channel_not_found")
        return found

    def open_channel(self, channel: Any) -> Channel:
        """A channel the bot can post in, by its id or its name. Raises channel_not_found, not_in_channel, is_archived.

        https://docs.slack.dev/reference/methods/chat.postMessage#channels
        """
        name = str(channel).removeprefix("#")
        found = next((one for one in self.channels.values() if one.name and one.name == name), None)
        known = self.visible_channel(found.id if found else channel)
        if U_BOT not in known.members:
            raise SlackError("not_in_channel")
        if known.is_archived:
            raise SlackError("is_archived")
        return known

    def conversation(self, channel: Any) -> Channel:
        """As `open_channel`, and the direct messages with a person by the person's id."""
        person = self.users.get(str(channel))
        if person is None:
            return self.open_channel(channel)
        if person.deleted or person.id == U_BOT:
            raise SlackError("channel_not_found")
        direct = directory.direct(person)
        return self.channels.setdefault(direct.id, direct)

    def content(self, text: Any, given: Any, *, too_long: str = "invalid_blocks") -> tuple[str, list[Json]]:
        """Text and blocks, checked. Raises no_text, invalid_blocks, invalid_blocks_format, and `too_long` where the
        blocks have too many characters."""
        if given not in (None, "") and not isinstance(given, list):
            raise SlackError("invalid_blocks_format")
        shown = blocks.accepted(given) if isinstance(given, list) else []
        if not shown and not text:
            raise SlackError("no_text")
        if len(json.dumps(shown, ensure_ascii=False)) > limits.MESSAGE_BLOCKS_CHARACTERS:
            raise SlackError(too_long)
        for where, address in blocks.image_urls(shown):
            if any(bad in address for bad in self.bad_image_urls):
                raise SlackError("invalid_blocks", f"downloading image failed [json-pointer:{where}]")
        return str(text or "")[: limits.MESSAGE_TEXT], shown

    def pace(self, channel: str) -> None:
        """About one post a second in a channel, in bursts of `burst`. Raises ratelimited; seconds are simulated ones.

        https://docs.slack.dev/apis/web-api/rate-limits
        """
        if not self.enforce_rate_limit:
            return
        with self._lock:
            now = self.clock.elapsed(self._began)
            free = max(self._posted.get(channel, now), now)  # when the posts so far are a second apart
            if free - now > self.burst - 1:
                raise SlackError("ratelimited", retry_after=1)
            self._posted[channel] = free + 1

    def rate(self, method: str) -> None:
        """Raises ratelimited where the method was called too often within a minute."""
        if self.enforce_rate_limit:
            with self._lock:
                pause = self._rates.take(method, self.clock.elapsed(self._began))
            if pause:
                raise SlackError("ratelimited", retry_after=pause)

    def post(self, channel: str, text: str, kept: list[Json], **more: Any) -> Message:
        more.setdefault("user", U_BOT)
        return self.store.post(Message(channel=channel, ts=self.store.stamp(), text=text, blocks=kept, **more))

    def shown(self, message: Message) -> Json:
        """A message object: https://docs.slack.dev/reference/events/message"""
        answer: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
        if message.user == U_BOT:
            answer |= {
                "bot_id": BOT_ID,
                "app_id": APP_ID,
                "bot_profile": {
                    "id": BOT_ID,
                    "app_id": APP_ID,
                    "user_id": U_BOT,
                    "name": self.users[U_BOT].name,
                    "icons": {"image_36": "https://a.slack-edge.com/80588/img/plugins/app/bot_36.png"},
                    "deleted": False,
                    "updated": 1700000000,
                    "team_id": TEAM_ID,
                },
            }
        answer["team"] = TEAM_ID
        if message.blocks:
            answer["blocks"] = message.blocks
        if message.thread_ts:
            answer |= {"thread_ts": message.thread_ts}
        if message.metadata:
            answer["metadata"] = message.metadata
        if message.edits:
            answer["edited"] = {"user": message.user, "ts": f"{message.edits[-1].at:.6f}"}
        return answer

    def shown_view(self, view: View, values: Json | None = None) -> Json:
        """A view object: https://docs.slack.dev/reference/views/modal-views"""
        defaults: Json = {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            "submit_disabled": False,
        }
        return {
            "id": view.id,
            "team_id": TEAM_ID,
            **defaults,
            **view.content,
            "state": {"values": values or {}},
            "hash": view.hash,
            "previous_view_id": None,
            "root_view_id": view.id,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
        }
