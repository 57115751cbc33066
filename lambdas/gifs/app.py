"""GET /gifs/{name}: the project's three pictures, so that an installation needs no other place to keep them.

Slack fetches an image once and serves it from its own cache, so this is called seldom. There is nothing to
configure and nothing secret here.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# Read once, when the function starts. What is asked for is looked up by name, never opened as a path: a name
# that is not here is a 404, whatever it looks like.
PICTURES = {path.name: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.gif"))}
ETAGS = {name: f'"{hashlib.sha256(content).hexdigest()[:32]}"' for name, content in PICTURES.items()}


def handler(event: Json, context: object) -> Json:
    """A payload-format-2.0 event in, an HTTP answer out: 200, 304 for whoever has the picture, or 404."""
    name = str((event.get("pathParameters") or {}).get("name") or "")
    if name not in PICTURES:
        return {
            "statusCode": 404,
            "headers": {"content-type": "application/json"},
            "body": '{"message": "Not Found"}',
        }
    headers = {"cache-control": "public, max-age=86400, immutable", "etag": ETAGS[name]}
    if _has(event, ETAGS[name]):
        return {"statusCode": 304, "headers": headers}
    return {
        "statusCode": 200,
        "headers": {"content-type": "image/gif", "x-content-type-options": "nosniff", **headers},
        "isBase64Encoded": True,
        "body": base64.b64encode(PICTURES[name]).decode("ascii"),
    }


def _has(event: Json, etag: str) -> bool:
    """Whether If-None-Match names this picture; weak and strong tags compare alike there.

    https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
    """
    headers = event.get("headers") or {}
    given = next((str(value) for name, value in headers.items() if name.lower() == "if-none-match"), "")
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return etag in tags or "*" in tags
