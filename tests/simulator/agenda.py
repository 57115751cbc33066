"""Virtual time: what happens later, in order, and threads that wait for it. Nothing ever sleeps."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

BEGINNING = 1_790_000_000.0
"""Every play begins at this epoch second, so that it goes the same way every time."""


@dataclass(eq=False)
class _Actor:
    """A thread that runs only while everybody else stands still."""

    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    event: threading.Event | None = None
    until: float = 0.0
    over: bool = False
    error: BaseException | None = None


class Agenda:
    """The clock of a play, as the fakes and the product read it, and everything that is due. One thing at a time."""

    speed = 1.0

    def __init__(self) -> None:
        self._now = BEGINNING
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._actors: list[_Actor] = []
        self._current: _Actor | None = None
        self._stopped = threading.Semaphore(0)
        self._woken = False
        self.closed = False

    def now(self) -> float:
        """Epoch seconds."""
        return self._now

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Do this so many seconds from now."""
        heapq.heappush(self._due, (self._now + max(seconds, 0.0), next(self._order), work))

    def step(self) -> bool:
        """Do what is due next; False where nothing is."""
        if self._woken:
            for actor in self._actors:
                if actor.event is not None and actor.event.is_set():
                    self._move(actor)
                    return True
            self._woken = False
        if not self._due:
            return False
        due, _, work = heapq.heappop(self._due)
        self._now = max(self._now, due)
        work()
        return True

    # -- threads

    def start(self, work: Callable[[], object]) -> None:
        """Run this in a thread that may wait with `wait`."""
        actor = _Actor()

        def carry_out() -> None:
            actor.go.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again by whoever moved it
                actor.error = error
            finally:
                actor.over = True
                self._stopped.release()

        threading.Thread(target=carry_out, daemon=True).start()
        self._actors.append(actor)
        self.later(0, lambda: self._move(actor))

    def wake(self) -> None:
        """An event has come that threads may wait for."""
        self._woken = True

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Called in such a thread: wait for the event, so long at most; whether it came."""
        actor = self._current
        assert actor is not None, "only a thread of the agenda waits"
        if not event.is_set() and not self.closed:
            actor.event, actor.until = event, self._now + seconds
            self.later(seconds, lambda: self._wake(actor, event))
            self._stopped.release()
            actor.go.acquire()
        return event.is_set()

    def _wake(self, actor: _Actor, event: threading.Event) -> None:
        if actor.event is event and actor.until <= self._now:
            self._move(actor)

    def _move(self, actor: _Actor) -> None:
        before, self._current, actor.event = self._current, actor, None
        actor.go.release()
        self._stopped.acquire()
        self._current = before
        if actor.over:
            self._actors.remove(actor)
        if actor.error is not None:
            raise actor.error

    def close(self) -> None:
        """Let every thread end: from now on nobody waits."""
        self.closed = True
        while self._actors:
            self._move(self._actors[0])

    # -- the rest of fakes.clock.Clock

    def sleep(self, seconds: float) -> bool:
        raise AssertionError("nobody sleeps here")

    def elapsed(self, since: float) -> float:
        return self._now - since
