"""Slack's request signature, over the raw bytes, with the standard library alone. Never raises.

https://docs.slack.dev/authentication/verifying-requests-from-slack (slack_sdk's verifier raises on malformed input.)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

WINDOW = 300
"""Seconds that a request's timestamp may differ from our clock: 300 is accepted, 301 refused."""

_LONGEST_TIMESTAMP = 12


def verified(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """True if `body` was signed with `secret` within the window. `headers`: names in lower case."""
    timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not secret or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > _LONGEST_TIMESTAMP:
        return False
    if abs(int(now) - int(timestamp)) > WINDOW:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    # bytes, since compare_digest refuses text outside ASCII
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
