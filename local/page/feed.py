"""Server-sent events: what changes in the channel and in the executions, to every open page.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that a page that has gone away is noticed."""
POLL = 0.4
"""Seconds between looks at the executions, while a page is open: Step Functions tells nobody by itself."""
BACKLOG = 1000
"""Events that wait for a page that does not read; one that has more is let go, and connects anew."""

Event = tuple[str, Any]


class Feed:
    """Hands every event to every listener. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[queue.Queue[Event | None]] = []
        self.closed = False

    @property
    def listening(self) -> bool:
        """Whether anybody is."""
        return bool(self._listeners)

    def publish(self, name: str, data: Any) -> None:
        """Tell everybody; never waits for anybody."""
        with self._lock:
            for listener in list(self._listeners):
                try:
                    listener.put_nowait((name, data))
                except queue.Full:
                    self._listeners.remove(listener)
                    listener.get_nowait()
                    listener.put_nowait(None)

    def subscribe(self, heartbeat: float = HEARTBEAT) -> Iterator[str]:
        """The text of an event stream, from now until the feed or the page is closed.

        It begins with `hello`: whoever fetches what there is after that misses nothing.
        """
        listener: queue.Queue[Event | None] = queue.Queue(BACKLOG)
        with self._lock:
            if not self.closed:
                self._listeners.append(listener)
        return self._stream(listener, heartbeat)

    def _stream(self, listener: queue.Queue[Event | None], heartbeat: float) -> Iterator[str]:
        try:
            yield "retry: 1000\nevent: hello\ndata: {}\n\n"
            while not self.closed:
                try:
                    event = listener.get(timeout=heartbeat)
                except queue.Empty:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n"
        finally:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            self.closed = True
            for listener in self._listeners:
                while listener.full():
                    listener.get_nowait()
                listener.put_nowait(None)


class Watcher:
    """Looks at the executions while somebody listens, and publishes `execution` with the name of each that moved."""

    def __init__(self, sfn: Any, machine_arn: str, feed: Feed, poll: float = POLL) -> None:
        self._sfn, self._machine_arn, self._feed, self._poll = sfn, machine_arn, feed, poll
        self._seen: dict[str, tuple[str, int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="page-watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def look(self) -> list[str]:
        """The names of the executions that moved since the last look."""
        moved = []
        found = self._sfn.list_executions(stateMachineArn=self._machine_arn, maxResults=100)["executions"]
        for one in found:
            before = self._seen.get(one["name"])
            if before and before[0] == one["status"] != "RUNNING":
                continue  # what has ended moves no more
            now = (one["status"], self._last_event(one["executionArn"]))
            if now != before:
                self._seen[one["name"]] = now
                moved.append(one["name"])
        return moved

    def _last_event(self, arn: str) -> int:
        newest = self._sfn.get_execution_history(executionArn=arn, maxResults=1, reverseOrder=True)["events"]
        return int(newest[0]["id"]) if newest else 0

    def _watch(self) -> None:
        while not self._stop.wait(self._poll):
            if not self._feed.listening:
                continue
            try:
                for name in self.look():
                    self._feed.publish("execution", {"name": name})
            except (BotoCoreError, ClientError):
                self._stop.wait(1)  # the engine is busy, or going; the page shows what it has
