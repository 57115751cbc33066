"""API Gateway's HTTP API events (payload format 2.0), as far as the functions behind it need them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

MAX_BODY = 256 * 1024
"""Bytes of the largest body that is looked at: Slack's largest payloads are far below."""


def headers(event: Any) -> dict[str, str]:
    """Header names in lower case; anything that is no text is left out. A header that stands there twice becomes one
    with a comma, as HTTP reads it: nobody may choose which of two is believed."""
    found = event.get("headers") if isinstance(event, dict) else None
    made: dict[str, str] = {}
    for name, value in found.items() if isinstance(found, dict) else ():
        if isinstance(name, str) and isinstance(value, str):
            known = made.get(name.lower())
            made[name.lower()] = value if known is None else f"{known},{value}"
    return made


def body(event: Any) -> bytes | None:
    """The raw bytes of the body, or None if it is unusable or too large."""
    text = event.get("body") if isinstance(event, dict) else None
    if text is None:
        return b""
    if not isinstance(text, str) or len(text) > 2 * MAX_BODY:
        return None
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) <= MAX_BODY else None


def answer(status: int, content: Any = None, kind: str = "application/json") -> dict[str, Any]:
    """A response; a dict becomes JSON, a text stays one."""
    text = content if isinstance(content, str) else json.dumps(content) if content is not None else ""
    return {"statusCode": status, "headers": {"content-type": kind}, "body": text}
