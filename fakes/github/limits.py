"""The primary rate limit, 5,000 requests an hour and user, and the secondary ones.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

from collections import deque

MINUTE, HOUR = 60, 3600
READ, WRITE = 1, 5
"""Points of a request: GET, HEAD and OPTIONS, and all others."""


class RateLimit:
    """Counts what a user has used of the hour; all tokens of the fake belong to one user."""

    def __init__(self, limit: int = 5000) -> None:
        self.limit = limit
        self.used = 0
        self._reset = 0.0

    def look(self, now: float) -> None:
        """Start a new hour when the old one is over."""
        if now >= self._reset:
            self.used, self._reset = 0, now + HOUR

    @property
    def exhausted(self) -> bool:
        """Nothing left until the reset."""
        return self.used >= self.limit

    def spend(self) -> None:
        """Count one request."""
        self.used = min(self.used + 1, self.limit)

    def refund(self) -> None:
        """A 304 to an authorised conditional request is free."""
        self.used = max(self.used - 1, 0)

    def body(self) -> dict[str, int]:
        """The `rate-limit` object of GET /rate_limit."""
        return {"limit": self.limit, "used": self.used, "remaining": self.limit - self.used, "reset": int(self._reset)}

    def headers(self) -> dict[str, str]:
        """The headers that stand on every answer."""
        return {f"x-ratelimit-{name}": str(value) for name, value in self.body().items()} | {
            "x-ratelimit-resource": "core"
        }


class SecondaryLimits:
    """No more than 900 points in any minute, and 100 requests at the same time; counted always, refused only where
    they are `enforced`. `most`: the points of the fullest minute so far. `refused`: requests that were turned away.

    A 304 has its points: GitHub excepts it from the primary limit only. What GitHub counts as content-generating (80 a
    minute) says so on its own page; nothing that the bot sends does.
    """

    def __init__(self, points: int = 900, concurrent: int = 100) -> None:
        self.points, self.concurrent, self.enforced = points, concurrent, False
        self.most = self.refused = self.open = 0
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def takes(self, method: str, now: float) -> bool:
        """Count a request that begins now, unless it is one too many."""
        while self._spent and self._spent[0][0] <= now - MINUTE:
            self._sum -= self._spent.popleft()[1]
        cost = READ if method in ("GET", "HEAD", "OPTIONS") else WRITE
        if self.enforced and (self._sum + cost > self.points or self.open >= self.concurrent):
            self.refused += 1
            return False
        self._spent.append((now, cost))
        self._sum += cost
        self.most = max(self.most, self._sum)
        return True
