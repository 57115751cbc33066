"""Kept connections are used again within seconds, and renewed after that.

Between two invocations the execution environment is frozen, for minutes or hours. Meanwhile a server closes the
connection, and its word may not have been read when the next request goes out; or a NAT forgets it (after 350 s on AWS)
and says nothing. A request on it is lost, or hangs until its timeout, and nobody knows whether it was carried out.
urllib3 notices only what has been read already.
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html#nat-gateway-troubleshooting-timeout
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from chatops import clock

KEPT_SECONDS = 4.0
"""Below the shortest time after which servers close what is idle (5 s is a common default)."""


class Renewal:
    """When to close what is kept. `close` closes the connections that nobody uses just now."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close
        self._used = _clocks()

    def before_request(self, **_: object) -> None:
        """Call this right before each request."""
        now = _clocks()
        # a clock may stand still while the environment is frozen, and be set right afterwards
        if any(abs(late - early) > KEPT_SECONDS for early, late in zip(self._used, now, strict=True)):
            self._close()
        self._used = now


def _clocks() -> tuple[float, float]:
    return clock.now(), time.monotonic()


def renewing(client: Any) -> Any:
    """The boto3 client, with connections that are renewed."""
    client.meta.events.register("before-send", Renewal(client.close).before_request)
    return client
