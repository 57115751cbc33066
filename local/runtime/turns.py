"""How many functions work at once: Lambda would start another environment for each call, one machine can't."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """So many may work at once; the others wait for their turn, those `first` whom a person waits for. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._free, self._lock = limit, threading.Lock()
        self._waiting: list[tuple[bool, int, threading.Event]] = []
        self._order = itertools.count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, *, first: bool) -> Iterator[None]:
        """Wait for a turn; it lasts as long as the block."""
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                mine.set()
            else:
                heapq.heappush(self._waiting, (not first, next(self._order), mine))
        mine.wait()
        try:
            yield
        finally:
            with self._lock:
                if self._waiting:
                    heapq.heappop(self._waiting)[2].set()
                else:
                    self._free += 1
