"""Bodies that are signed right and mean no good: any form fields, any JSON for a payload, any text after a command."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import urlencode

from tests.faults.hostile_bodies import COMMAND, DIGITS, FIXED, ID

CARD, OUTSIDER = "d-cardcardcard", "U0OUT0001"
WORDS = [
    *("v1.2.3", "v2", "dev", "prod", "deev", "help", "history", "cancel", ID, CARD, "--dry-run", "--break-glass", "-"),
    *(
        "$(reboot)",
        "`id`",
        "v1;id",
        "v1'--",
        '"',
        "../..",
        "a//b",
        "..",
        "v" * 300,
        "&amp;",
        "&lt;!channel&gt;",
        "<@U1>",
    ),
    *("&#36;", "&#x110000;", f"&#{'9' * 5000};", "&#xD800;", "&bogus;", "%00", "\x00", "\u202e", "\ufeff", "\u2028"),
    *("é", "🚀" * 40, "ﬀ", "K", "٣", "²", "１２", "—dry-run", "a\nb", "\t", " " * 500, "x" * 9000, "9" * 5000),  # noqa: RUF001
]
VALUES = [
    *("", " ", "0", "U0OUT0001", "C0DEPLOY1", "T0ACME001", "1.2.3", "\x00", "é" * 60_000, "🚀" * 20_000, "x" * 200_000),
    *(
        "javascript:alert(1)",
        "http://[",
        "http://a b/",
        "https://\x00/",
        "file:///etc/passwd",
        "ftp://x",
        "http://x:99999",
    ),
    *("\ufffe", "\U0010ffff", "null", "{}", "[]", "../../", "%", "'; DROP", "\ud83d", "d-" + "x" * 78, "\u0131" * 80),
]


def text(pick: Random) -> str:
    """What somebody typed after a command."""
    return pick.choice([" ", " ", "\u00a0", "  ", ""]).join(pick.choices(WORDS, k=pick.randrange(6)))


def _encoded(fields: dict[str, str]) -> bytes:
    return urlencode(fields, errors="surrogatepass").encode()


def command(pick: Random) -> bytes:
    """A slash command whose text, and now and then whose other fields, are anything."""
    fields: dict[str, str] = {**COMMAND, "trigger_id": str(pick.random()), "user_id": OUTSIDER, "text": text(pick)}
    fields["command"] = pick.choice(
        ["/platform-deploy", "/platform-status", "/platform-rollback", "/x-Deploy", "/", "deploy"]
    )
    for _ in range(pick.choice([0, 0, 1, 2, 4])):
        fields[pick.choice([*COMMAND, "payload", "is_enterprise_install"])] = pick.choice(VALUES)
    for _ in range(pick.choice([0, 0, 1])):
        fields.pop(pick.choice(list(fields)))
    return _encoded(fields)


CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": OUTSIDER, "name": "out", "team_id": "T0ACME001"},
    "team": {"id": "T0ACME001"},
    "channel": {"id": "C0DEPLOY1"},
    "trigger_id": "1.2.3",
    "response_url": "http://127.0.0.1:9/r",
    "actions": [{"action_id": "approve", "value": ID}],
}
SUBMISSION: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": OUTSIDER},
    "view": {
        "callback_id": "reject",
        "private_metadata": json.dumps({"id": ID, "response_url": "http://127.0.0.1:9/r"}),
        "state": {"values": {"reason": {"reason": {"value": "no"}}}},
    },
}
SCALARS: list[Any] = [
    *VALUES,
    *WORDS,
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**400,
    1e308,
    float("inf"),
    [],
    {},
    [[]],
    {"": {}},
]


def junk(pick: Random, depth: int = 3) -> Any:
    """Any JSON."""
    kind = pick.randrange(4) if depth else 0
    if kind == 0 or kind == 3:
        return copy.deepcopy(pick.choice(SCALARS))  # a second spoiling would change the lists among them
    if kind == 1:
        return [junk(pick, depth - 1) for _ in range(pick.randrange(4))]
    return {pick.choice([*CLICK, *SUBMISSION["view"], "", "\ud800"]): junk(pick, depth - 1) for _ in range(4)}


def _spoil(node: Any, pick: Random) -> Any:
    """The same tree with one place, somewhere in it, that is something else or gone."""
    if not isinstance(node, dict | list) or not node or pick.random() < 0.15:
        return junk(pick, 2)
    at = pick.choice(list(node) if isinstance(node, dict) else range(len(node)))
    if pick.random() < 0.1:
        del node[at]
    else:
        node[at] = _spoil(node[at], pick)
    return node


def payload(pick: Random) -> bytes:
    """An interaction: a click or a modal with a place or two spoilt, or any JSON, or none."""
    made = copy.deepcopy(pick.choice([CLICK, CLICK, SUBMISSION]))
    if "actions" in made:
        made["actions"][0]["action_id"] = pick.choice(
            [*("approve", "reject", "cancel", "roll_back"), *("promote", "pause_roll_back")]
        )
        odd = [
            "d-unknownnnnnn",
            "\ud800",
            "\ufffe",
            "é" * 80,
            "x" * 81,
            f"{ID}/0a1b2c3d4e5f",
            f"{CARD}/",
            "/",
            "\ud800/\0",
        ]
        made["actions"][0]["value"] = pick.choice([ID, CARD, *odd])
    for _ in range(pick.choice([0, 1, 1, 2])):
        made = _spoil(made, pick)
    kinds = [json.dumps(made)] * 6 + [json.dumps(junk(pick)), json.dumps(made)[: pick.randrange(300)]]
    kinds += [
        pick.choice(["[" * 50_000, '{"type":' * 9000, DIGITS.decode(), '{"a":' + DIGITS.decode() + "}", "", "NaN"])
    ]
    return _encoded({"payload": pick.choice(kinds), **({"command": "/platform-deploy"} if pick.random() < 0.1 else {})})


MAKERS: dict[str, Callable[[Random], bytes]] = {
    "command": command,
    "payload": payload,
    "bytes": lambda pick: pick.choice([*FIXED, pick.randbytes(pick.randrange(200))]),
}


def signed_body(pick: Random) -> bytes:
    """One of them."""
    return pick.choices(list(MAKERS.values()), [10, 10, 1])[0](pick)
