"""Slack's request signature, over the raw bytes, with the standard library alone. Never raises.

https://docs.slack.dev/authentication/verifying-requests-from-slack (slack_sdk's verifier raises on malformed input.)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

WINDOW = 300
"""Seconds that a request's timestamp may differ from our clock: 300 is accepted, 301 refused."""

_LONGEST_TIMESTAMP = 12


_FORM = re.compile(r"v0=[0-9a-f]{64}")


def plausible(headers: Mapping[str, str], now: float) -> bool:
    """False for what no secret could make good: it is refused before the secret is even looked for."""
    timestamp = headers.get("x-slack-request-timestamp", "")  # pragma: no mutate: no other text than digits is accepted
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > _LONGEST_TIMESTAMP:
        return False
    in_time = abs(int(now) - int(timestamp)) <= WINDOW
    signature = headers.get("x-slack-signature", "")  # pragma: no mutate: no text but a signature has its form
    return in_time and _FORM.fullmatch(signature) is not None


def verified(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """True if `body` was signed with `secret` within the window. `headers`: names in lower case."""
    if not secret or not plausible(headers, now):
        return False
    base = b"v0:" + headers["x-slack-request-timestamp"].encode() + b":" + body
    # an environment may hold bytes that are no text
    expected = "v0=" + hmac.new(secret.encode(errors="surrogateescape"), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers["x-slack-signature"])
