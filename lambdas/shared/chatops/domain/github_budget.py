"""What is left of GitHub's rate limit, and who may spend it first; pure.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from chatops.values import dataclass

MINUTE, HOUR = 60, 3600
SKEW = 120
"""Seconds that GitHub's clock and those of two functions may differ."""
WATCHED, STEP = 0.20, 0.02
"""Shares of the limit: what is left is written down once it is less than the first, each time that it has become less
by the second. A bot that uses little of the hour writes nothing."""
_NUMBER = re.compile(r"[0-9]{1,15}")


class Need(Enum):
    """What a request is for. `kept`: the share of the hour's requests that is kept for needs above this one; `spread`:
    seconds over which those who have waited begin again, so that hundreds do not all begin in the same one."""

    NOW = (0.0, 10)
    """A dispatch, a cancel, a stop: somebody waits, or a run must not go on."""
    BUILD = (0.0, 120)
    """The dispatch of a build, which after a pause gives way to plans: those are refused if they wait long."""
    PLAN = (0.02, 40)
    """Somebody has typed a command."""
    END = (0.04, 30)
    """A run that has reported its end, or should have claimed its stage by now."""
    LOOK = (0.10, 120)
    """Progress that nobody waits for, and what `sweep` checks."""
    SHOW = (0.20, 120)
    """What GitHub's own pages show of deployments."""

    def __init__(self, kept: float, spread: int) -> None:
        self.kept, self.spread = kept, spread


@dataclass(frozen=True, slots=True)
class Budget:
    """`paused_until`: end of the pause that GitHub has asked for last, which took `paused_for` seconds. `remaining`
    requests of `limit` are left until `reset_at`.

    Times are epoch seconds; 0 where nothing is known. What cannot be true counts as not known.
    """

    paused_until: float = 0.0
    paused_for: float = 0.0
    remaining: int = 0
    limit: int = 0
    reset_at: float = 0.0

    def pause(self, now: float) -> float:
        """Seconds left of GitHub's pause: it holds for every request of the same token."""
        left = self.paused_until - now
        return left if 0 < left <= HOUR + SKEW else 0.0

    def recovering(self, need: Need, now: float) -> float:
        """Seconds left of those over which requests of this need are spread after GitHub's pause."""
        left = self.paused_until + need.spread - now
        return left if 0 < left <= need.spread else 0.0

    def postponed(self, need: Need, now: float) -> float:
        """Seconds until the reset, where nothing is left or what is left is kept for needs above this one; else 0."""
        left = self.reset_at - now
        return left if 0 < left <= HOUR + SKEW and 0 <= self.remaining <= self.limit * need.kept else 0.0

    def unasked(self, now: float) -> int:
        """Seconds to wait where GitHub refuses and does not say for how long: a minute, and twice as long each time
        that it refuses again right after the pause.

        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
        """
        if MINUTE <= self.paused_for <= HOUR and 0 <= now - self.paused_until <= self.paused_for:
            return min(int(2 * self.paused_for), HOUR)
        return MINUTE

    def outdated(self, seen: Budget) -> bool:
        """Whether what an answer has just said should be written down."""
        if seen.remaining >= seen.limit * WATCHED or seen.reset_at < self.reset_at:
            return False
        if seen.reset_at > self.reset_at or self.limit != seen.limit:
            return True
        less = self.remaining - seen.remaining
        return less >= seen.limit * STEP or any(seen.remaining <= seen.limit * n.kept < self.remaining for n in Need)


def seen(headers: Mapping[str, str], now: float) -> Budget | None:
    """What an answer's headers say of the limit that the bot's requests share; None where they say nothing usable, or
    speak of another resource's limit."""
    values = [headers.get(f"X-RateLimit-{name}", "") for name in ("Remaining", "Limit", "Reset")]
    if headers.get("X-RateLimit-Resource", "core") != "core" or not all(map(_NUMBER.fullmatch, values)):
        return None
    remaining, limit, reset = map(int, values)
    return Budget(remaining=remaining, limit=limit, reset_at=reset) if 0 < reset - now <= HOUR + SKEW else None
