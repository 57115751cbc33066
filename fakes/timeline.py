"""Things that happen later, without a thread: they are caught up with whenever somebody looks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from fakes.clock import Clock

Action = Callable[[float], None]
"""Called with the epoch second at which it was due, which may lie a little in the past."""


class Timeline:
    """A queue of actions by simulated time. Not thread-safe: its owner holds a lock.

    Simulated time is summed up from look to look, so that a change of the clock's speed in the middle of a
    rollout neither jumps nor rewinds it. An action that schedules another does so from its own due time: the
    result does not depend on how often anybody looks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = clock.now()
        self._simulated = 0.0
        self._cursor = 0.0
        self._order = itertools.count()
        self._queue: list[tuple[float, int, str, Action]] = []
        self._shelf: dict[str, list[tuple[float, Action]]] = {}
        self.planned: Callable[[float], object] = lambda _: None
        """Told of everything that is planned: in how many simulated seconds it is due."""

    def after(self, seconds: float, owner: str, action: Action) -> None:
        """Run `action` `seconds` of simulated time from now (inside an action: from its due time)."""
        heapq.heappush(self._queue, (self._cursor + seconds, next(self._order), owner, action))
        self.planned(self._cursor + seconds - self._simulated)

    def over_at(self, at: float, seconds: float) -> float:
        """The epoch second at which so much simulated time after `at` will be over, if the speed stays as it is."""
        return at + seconds / self._clock.speed

    def drop(self, owner: str) -> None:
        """Forget everything that `owner` had planned."""
        self._queue = [entry for entry in self._queue if entry[2] != owner]
        heapq.heapify(self._queue)
        self._shelf.pop(owner, None)

    def hold(self, owner: str) -> None:
        """Put what `owner` had planned aside until `resume`."""
        held = sorted(entry for entry in self._queue if entry[2] == owner)
        self.drop(owner)
        self._shelf[owner] = [(due - self._cursor, action) for due, _, _, action in held]

    def resume(self, owner: str) -> None:
        """Go on with what `hold` put aside, as much later as the pause lasted."""
        for remaining, action in self._shelf.pop(owner, []):
            self.after(remaining, owner, action)

    def advance(self) -> None:
        """Run everything that is due by now, in order."""
        now, speed = self._clock.now(), self._clock.speed
        self._simulated += max(0.0, now - self._seen) * speed
        self._seen = now
        while self._queue and self._queue[0][0] <= self._simulated:
            due, _, _, action = heapq.heappop(self._queue)
            self._cursor = due
            action(now - (self._simulated - due) / speed)
        self._cursor = self._simulated
