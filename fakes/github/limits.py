"""The primary rate limit: 5,000 requests an hour and user.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

HOUR = 3600


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
        return {
            "limit": self.limit,
            "used": self.used,
            "remaining": self.limit - self.used,
            "reset": int(self._reset),
        }

    def headers(self) -> dict[str, str]:
        """The headers that stand on every answer."""
        return {f"x-ratelimit-{name}": str(value) for name, value in self.body().items()} | {
            "x-ratelimit-resource": "core"
        }
