"""Requests to `claim` and `finish` that hold no right ticket and no right token, whatever else may be right.

Seeded by a `random.Random`, like those to the Slack edge.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.faults.hostile_bodies import FIXED, ID

CLAIM, FINISH = "POST /stages/claim", "POST /stages/finish"
ROUTES: list[Any] = [CLAIM, FINISH, "$default", "GET /stages/claim", "POST /slack/events", "", None, 7, [], {"a": 1}]
PAPER = "A" * 43
RIGHT: dict[str, dict[str, Any]] = {
    CLAIM: {"ticket": PAPER, "run_id": 9001, "run_attempt": 1},
    FINISH: {
        "finish_token": f"{ID}.deploy.{PAPER}",
        "run_id": 9001,
        "outcome": "success",
        "outputs": {"image": "registry/app@sha256:1"},
    },
}
"""In form, and known to nobody."""
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 2**63, -(2**63), 10**400, float("nan"), float("inf"), -0.0),
    *("", " ", "x", "\x00", "\ud800", "é" * 43, "²", "٣", "9" * 25, "9" * 5000, "1e9", "0x1", "+1", " 1 ", "1\n"),
    *(PAPER, PAPER + "\n", "A" * 19, "A" * 300, "A" * 301, "A" * 100_000, "../" * 20, "A" * 42 + "\x00"),
    *(f"{ID}.build.{PAPER}", f"{ID}.other.{PAPER}", f"..{PAPER}", f"{ID}.build.", f"#.deploy.{PAPER}", "LOCK#dev"),
    *("success", "SUCCESS", "success ", "skipped", ["success"], {"success": 1}),
    *([], {}, [[]], [PAPER], {"S": PAPER}, {"$ne": ""}, {"__proto__": {}}, {"image": {"a": ["\udfff"] * 9}}),
]
_DEEP = [
    "[" * 50_000,
    '{"ticket":' * 20_000,
    '{"run_id":' + "9" * 5000 + "}",
    '{"outputs":' + "[" * 900 + "]" * 900 + "}",
    '{"ticket":NaN,"run_id":Infinity}',
    f'{{"ticket":"{PAPER}","run_id":1e400,"run_attempt":1}}',
    '{"ticket":"\\ud800\\udc00\\udfff","run_id":1,"run_attempt":1}',
    "\ufeff{}",
    "{} {}",
    "{'ticket': 1}",
]


def _one(pick: Random, route: Any) -> dict[str, Any]:
    return dict(RIGHT[route if route in (CLAIM, FINISH) else CLAIM])


def _odd_field(pick: Random, route: Any) -> str:
    made = _one(pick, route)
    for name in pick.sample(sorted(made), pick.randrange(1, len(made) + 1)):
        if pick.random() < 0.2:
            made.pop(name)
        else:
            made[name] = pick.choice(ODD)
    return json.dumps(made, ensure_ascii=pick.random() < 0.7)


def _made_up(pick: Random, route: Any) -> str:
    """Right in form, with another ticket each time."""
    made, paper = _one(pick, route), f"{pick.getrandbits(258):043x}"[:43]
    made |= (
        {"ticket": paper} if "ticket" in made else {"finish_token": f"{ID}.{pick.choice(['build', 'deploy'])}.{paper}"}
    )
    return json.dumps(made)


def _twice(pick: Random, route: Any) -> str:
    """The same key more than once: whichever a reader believes, neither is right."""
    whole = json.dumps(_one(pick, route))
    return whole[:-1] + "," + json.dumps({pick.choice(["ticket", "finish_token", "run_id"]): pick.choice(ODD)})[1:]


def _nested(pick: Random, route: Any) -> str:
    made: Any = _one(pick, route)
    for _ in range(pick.randrange(1, 60)):
        made = pick.choice([[made], {"body": made}, {"ticket": made, "run_id": 1, "run_attempt": 1}])
    return json.dumps(made)


def _mangled(pick: Random, route: Any) -> str:
    made = list(json.dumps(_one(pick, route)))
    for _ in range(pick.randrange(1, 4)):
        made[pick.randrange(len(made))] = chr(pick.choice([*range(32, 127), 0, 0xE9, 0xD800, 0x1F680]))
    return "".join(made)


_TEXTS: list[Callable[[Random, Any], str]] = [
    _odd_field,
    _odd_field,
    _made_up,
    _twice,
    _nested,
    _mangled,
    lambda pick, _: pick.choice(_DEEP),
    lambda pick, _: pick.choice(FIXED).decode("latin-1"),
]


def _event(pick: Random) -> Any:
    route = pick.choice([CLAIM, FINISH, CLAIM, FINISH, pick.choice(ROUTES)])
    known = isinstance(route, str)
    text = pick.choice(_TEXTS)(pick, route if known else CLAIM)
    made: dict[str, Any] = {"version": "2.0", "routeKey": route, "headers": {}, "body": text, "isBase64Encoded": False}
    if pick.random() < 0.3:
        raw = text.encode("utf-8", pick.choice(["replace", "surrogatepass"]))
        made |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
    return made


def _bad_event(pick: Random) -> Any:
    """No body that could be read, or no event at all."""
    made = _event(pick)
    body: Any = pick.choice([*ODD, b"{}", "x" * 600_000, "{}" + " " * 262_143, made["body"] + "!", object])
    flag = pick.choice([True, False, None, 1, "true", "false", [0], {}])
    whole = {**made, "body": body, "isBase64Encoded": flag}
    without = {name: value for name, value in whole.items() if pick.random() < 0.5}
    return pick.choice([whole, without, *(None, [], {}, "", "x", 0, 1.5, True, b"x", ["body"], {"Records": [whole]})])


FAMILIES: dict[str, Callable[[Random], Any]] = {"asked": _event, "no event": _bad_event}


def hostile(pick: Random) -> Any:
    """One of them."""
    return (_event if pick.random() < 0.85 else _bad_event)(pick)
