"""A deadline for what is done behind one answer: what has not left this process by then never leaves it.

Lambda freezes a function when it has answered, and whatever still runs goes on with a later invocation, minutes or
hours afterwards. So an answer without a result is only given once the work has been given up for good: its sockets are
shut down, and whatever it tries later is refused, however late it wakes up.

Two fences stand before the network. Our own code calls `change` before whatever changes something. And Python itself
tells (audit events) right before it resolves a name, connects, and sends a piece of a request, whichever library asked
for it: a stall between our call and its first byte is caught there.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
ENDING = 0.1
"""Seconds for what was given up to end: it waits for nothing any more but a name's resolution, or the processor."""
_WATCHED = frozenset({"socket.getaddrinfo", "socket.connect", "http.client.send"})


class TooLateError(BaseException):
    """The work has been given up. No `except Exception` on the way may go on with something else."""


class Deadline:
    """So many seconds from now, by whichever clock goes faster: one may stand still while the function is frozen.
    The reply to the person may take `for_reply` seconds more.

    `text`: what the person is to be told if the rest comes too late; empty as long as nothing was recorded.
    `maybe`: a request that changes something has been sent, or may have been.
    `replying`: the reply to the person is on its way.
    """

    def __init__(self, seconds: float, for_reply: float = 0.0) -> None:
        _install()
        self.text, self.maybe, self.replying = "", False, False
        self._for_reply = for_reply
        self._ends = (time.time() + seconds, time.monotonic() + seconds)
        self._lock = threading.Lock()
        self._over = self._changing = self._sent = False
        self._sockets: list[socket.socket] = []
        self._copies: list[socket.socket] = []

    def left(self) -> float:
        """Seconds, at least 0."""
        now = (time.time(), time.monotonic())
        return max(0.0, min(end - moment for end, moment in zip(self._ends, now, strict=True)))

    def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises TooLateError where it has none in time; nothing of it happens then any
        more."""
        results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        if not self.left():
            raise TooLateError
        thread = threading.Thread(target=self._work, args=(work, results), name="delivery", daemon=True)
        thread.start()
        try:
            good, result = self._wait(results)
        except queue.Empty:
            self._give_up()
            thread.join(ENDING)
            raise TooLateError from None
        finally:
            for one in self._copies:
                one.close()
        thread.join()
        if not good:
            raise result
        return result  # type: ignore[no-any-return]  # as `work` returned it

    def _wait(self, results: queue.SimpleQueue[tuple[bool, Any]]) -> tuple[bool, Any]:
        while True:
            try:
                return results.get(timeout=self.left())
            except queue.Empty:
                if not self.left():  # else the reply is on its way, which may take a little longer
                    raise

    def _work(self, work: Callable[[], T], results: queue.SimpleQueue[tuple[bool, Any]]) -> None:
        _here.deadline = self
        try:
            results.put((True, work()))
        except TooLateError:
            pass  # nobody waits for it
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            results.put((False, error))

    def _give_up(self) -> None:
        with self._lock:
            self._over = True
            for one in (*self._sockets, *self._copies):
                with suppress(OSError):
                    # below TLS, whose own shutdown would let plain text through for a moment
                    socket.socket.shutdown(one, socket.SHUT_RDWR)

    def _check(self) -> None:
        if self._over or not self.left():
            self._over = True
            raise TooLateError

    def _change(self) -> None:
        with self._lock:
            self._check()
            self._changing = self.maybe = True

    def _reply(self) -> None:
        with self._lock:
            self._check()
            if not self.replying:
                self._ends = (self._ends[0] + self._for_reply, self._ends[1] + self._for_reply)
            self.replying = True

    def _admit(self, event: str, given: tuple[Any, ...]) -> None:
        with self._lock:
            self._check()
            sends = event == "http.client.send"
            if event == "socket.connect":
                self._copies.append(_copy(given[0]))  # TLS takes the socket's own descriptor over
            if sends:
                self._sockets.append(given[0].sock)
            if self._changing and not self.replying:
                self._sent |= sends
                self.maybe = self._sent  # while it connects nothing has been sent


def _copy(one: socket.socket) -> socket.socket:
    return socket.socket(one.family, one.type, one.proto, fileno=os.dup(one.fileno()))


_here = threading.local()


@cache
def _install() -> None:
    """Once: nobody can remove such a hook."""
    sys.addaudithook(_audit)


def _audit(event: str, given: tuple[Any, ...]) -> None:
    if event in _WATCHED and (deadline := _current()):
        deadline._admit(event, given)


def _current() -> Deadline | None:
    return getattr(_here, "deadline", None)


def change() -> None:
    """Call this right before a request that changes something. Raises TooLateError."""
    if deadline := _current():
        deadline._change()


def recorded(text: str) -> str:
    """The text. It is what the person asked for, and stands: whatever else comes too late, they are told this."""
    if deadline := _current():
        deadline.text = text
    return text


def replying() -> None:
    """Call this right before the reply to the person is sent. Raises TooLateError."""
    if deadline := _current():
        deadline._reply()
