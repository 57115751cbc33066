"""Bodies that nobody honest sends, and some that look honest: bytes for a signature to be wrong about."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote_plus, urlencode

ID = "d-abcdefghijkl"
COMMAND = {
    "command": "/platform-deploy",
    "text": "v1.2.3",
    "team_id": "T0ACME001",
    "trigger_id": "1.2.3",
    "user_id": "U0DANA001",
    "user_name": "dana",
    "channel_id": "C0DEPLOY1",
    "response_url": "https://hooks.slack.com/commands/1",
}
CLICK = {
    "type": "block_actions",
    "user": {"id": "U0LEE0001"},
    "channel": {"id": "C0DEPLOY1"},
    "actions": [{"action_id": "approve", "value": ID}],
}
DIGITS = b"9" * 5000


def form(**fields: str) -> bytes:
    """As Slack encodes a form."""
    return urlencode(fields).encode()


FIXED = [
    form(**COMMAND),
    form(payload=json.dumps(CLICK)),
    b'{"type":"url_verification","challenge":"test123"}',
    b'{"type":"url_verification","challenge":"\\ud800"}',
    b'{"type":"url_verification","challenge":' + DIGITS + b"}",
    b"payload=" + DIGITS,
    b"payload=" + quote_plus("[" * 20_000).encode(),
    b'payload={"a":' * 3000,
    b"[" * 20_000,
    b'{"a":' * 10_000,
    b"command=%2Fplatform-deploy&text=%00%ff%zz%u0041%ED%A0%80%",
    b"command=%2Fplatform-deploy&text=v1\x00\x00",
    b"command=" + b"&command=".join([b"%2Fplatform-deploy"] * 200),
    b"&" * 5000,
    b"=" * 5000,
    b"a=b;c=d;" * 50,
    b"\xff\xfe\x00\x01",
    b"\xef\xbb\xbf{}",
    '{"type":"url_verification"}'.encode("utf-16"),
    b"\x1f\x8b\x08\x00gzip",
    b"------boundary\r\nContent-Disposition: form-data; name=command\r\n\r\n/platform-deploy",
    b"<xml>command</xml>",
    b"null",
    b" ",
    b"x" * 70_000,
    b"text=" + b"%F0%9F%9A%80" * 5000,
]


def _noise(pick: Random) -> bytes:
    return pick.randbytes(pick.randrange(1, 60))


def _fields(pick: Random) -> bytes:
    names = [*COMMAND, "payload", "ssl_check", "", "\x00", "é"]
    chosen = [(pick.choice(names), pick.choice([*COMMAND.values(), "", "%", "\x00", "🚀" * 9])) for _ in range(5)]
    return urlencode(chosen).encode()


def _mangled(pick: Random) -> bytes:
    made = bytearray(pick.choice(FIXED[:4]))
    for _ in range(pick.randrange(1, 4)):
        made[pick.randrange(len(made))] = pick.randrange(256)
    return bytes(made)


_MAKERS: list[Callable[[Random], bytes]] = [
    lambda pick: FIXED[0],
    lambda pick: pick.choice(FIXED),
    _noise,
    _fields,
    _mangled,
]


def body(pick: Random) -> bytes:
    """A body, never empty."""
    return pick.choice(_MAKERS)(pick)
