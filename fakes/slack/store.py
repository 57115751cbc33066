"""What is in the workspace: messages with their history, open views, and who wants to know of changes."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True)
class Button:
    """A button of a message, with what a click on it carries."""

    action_id: str
    block_id: str
    text: str
    value: str
    element: Json


@dataclass(frozen=True)
class Edit:
    """What a message said before it was changed, and when it was (epoch seconds)."""

    at: float
    text: str
    blocks: list[Json]


@dataclass
class Message:
    """One message. `ephemeral_to` names the only person who sees it; `via` says how it came."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json]
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    metadata: Json | None = None
    via: str = "chat.postMessage"
    broadcast: bool = False
    edits: list[Edit] = field(default_factory=list)
    deleted: bool = False

    @property
    def buttons(self) -> list[Button]:
        """Every button, in reading order."""
        found = []
        for block in self.blocks:
            inside = block.get("elements")
            for item in [block.get("accessory"), *(inside if isinstance(inside, list) else [])]:
                if isinstance(item, dict) and item.get("type") == "button":
                    label = item["text"]["text"]
                    found.append(Button(item["action_id"], block["block_id"], label, item.get("value", ""), item))
        return found

    def button(self, action_id: str) -> Button:
        """The button with this action_id. Raises LookupError that lists what there is."""
        for one in self.buttons:
            if one.action_id == action_id:
                return one
        raise LookupError(f"no button {action_id!r} in the message; it has {[b.action_id for b in self.buttons]}")


@dataclass
class View:
    """A modal somebody has open. `errors` is what the app said of the last submission, by block_id."""

    id: str
    user: str
    content: Json
    hash: str = ""
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(self.content["title"]["text"])


@dataclass(frozen=True)
class Change:
    """Something a person would see happen. `message` or `view` as it is now."""

    kind: Literal["posted", "edited", "deleted", "view_opened", "view_changed", "view_closed", "reset"]
    message: Message | None = None
    view: View | None = None


class Store:
    """Messages in the order they were posted. Safe for threads; listeners are called outside the lock."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._last = 0
        self._messages: list[Message] = []
        self._views: list[View] = []
        self.listeners: list[Callable[[Change], None]] = []

    def stamp(self) -> str:
        """A `ts`: seconds and microseconds, never the same twice, always later than the one before."""
        with self._changed:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    @property
    def messages(self) -> list[Message]:
        """Every message that is not deleted, oldest first."""
        with self._changed:
            return [message for message in self._messages if not message.deleted]

    @property
    def views(self) -> list[View]:
        """Every view that is open, oldest first."""
        with self._changed:
            return [view for view in self._views if view.open]

    def find(self, channel: str, ts: str) -> Message | None:
        return next((one for one in self.messages if (one.channel, one.ts) == (channel, ts)), None)

    def find_view(self, view_id: str) -> View | None:
        return next((one for one in self.views if one.id == view_id), None)

    def post(self, message: Message) -> Message:
        self._do(Change("posted", message), lambda: self._messages.append(message))
        return message

    def edit(self, message: Message, text: str, blocks: list[Json], at: float) -> None:
        def change() -> None:
            message.edits.append(Edit(at, message.text, message.blocks))
            message.text, message.blocks = text, blocks

        self._do(Change("edited", message), change)

    def delete(self, message: Message) -> None:
        self._do(Change("deleted", message), lambda: setattr(message, "deleted", True))

    def open_view(self, view: View) -> View:
        self._do(Change("view_opened", view=view), lambda: self._views.append(view))
        return view

    def change_view(self, view: View, content: Json | None = None, errors: dict[str, str] | None = None) -> None:
        def change() -> None:
            view.content = content if content is not None else view.content
            view.errors = errors or {}

        self._do(Change("view_changed", view=view), change)

    def close_view(self, view: View) -> None:
        self._do(Change("view_closed", view=view), lambda: setattr(view, "open", False))

    def clear(self) -> None:
        def change() -> None:
            self._messages.clear()
            self._views.clear()

        self._do(Change("reset"), change)

    def wait_for(self, wanted: Callable[[Message], object], seconds: float) -> Message:
        """The first message of which `wanted` is true, waiting up to `seconds` (real) for it.

        Raises TimeoutError with what there was instead.
        """
        with self._changed:

            def match() -> Message | None:
                return next((one for one in self._messages if not one.deleted and wanted(one)), None)

            found = self._changed.wait_for(match, seconds)
            if found is None:
                texts = [one.text for one in self._messages]
                raise TimeoutError(f"no such message within {seconds:g} s; there are {texts}")
            return found

    def snapshot(self) -> list[Message]:
        """Copies that do not change under a reader."""
        with self._changed:
            return copy.deepcopy(self._messages)

    def _do(self, change: Change, work: Callable[[], None]) -> None:
        with self._changed:
            work()
            self._changed.notify_all()
        for listener in list(self.listeners):
            listener(change)
