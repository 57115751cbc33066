"""How often Slack takes a method: per app and workspace so many calls in a minute, and posts in a channel one a second.

https://docs.slack.dev/apis/web-api/rate-limits; each method's page names its tier. Slack tolerates bursts, of a
size that it does not tell: here there are none, and in a channel those of `Workspace.burst`.
"""

from __future__ import annotations

import math
from collections import deque

MINUTE = 60
TIERS = {2: 20, 3: 50, 4: 100}
"""Calls in a minute, at least."""
OF = {
    "chat.update": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "conversations.info": 3,
    "conversations.members": 4,
    "users.info": 4,
    "usergroups.users.list": 2,
    "views.open": 4,
}
"""The tier of each method; those that are not here have a rate of their own (chat.postMessage) or hundreds a minute."""


class Rates:
    """Calls of the last minute, by method."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[float]] = {}

    def take(self, method: str, now: float) -> int:
        """Count a call of this moment (simulated seconds): 0 where Slack takes it, else the seconds to wait."""
        if method not in OF:
            return 0
        taken = self._taken.setdefault(method, deque())
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        if len(taken) >= TIERS[OF[method]]:
            return max(math.ceil(taken[0] + MINUTE - now), 1)
        taken.append(now)
        return 0
