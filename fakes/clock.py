"""The fakes' sense of time: real seconds divided by a speed, so that scenarios need not be waited for."""

from __future__ import annotations

import threading
import time


class Clock:
    """Simulated waiting. `speed` 10 makes a rollout of 30 simulated seconds take 3 real ones.

    Timestamps stay real (epoch seconds): services stamp what they return with the wall clock, and so do fakes.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed
        self._closed = threading.Event()

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    def sleep(self, seconds: float) -> bool:
        """Wait `seconds` of simulated time; returns False if the clock was closed meanwhile."""
        return not self._closed.wait(max(seconds, 0) / self.speed)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event, `seconds` of simulated time at most; returns whether it came."""
        return event.wait(max(seconds, 0) / self.speed)

    def elapsed(self, since: float) -> float:
        """Simulated seconds that have passed since the epoch second `since`."""
        return (self.now() - since) * self.speed

    def close(self) -> None:
        """Wake every sleeper; nobody sleeps from now on."""
        self._closed.set()
