"""Requests to `claim` and `finish` that lack the right ticket or the right run's token, whatever else may be right.

Seeded by a `random.Random`, like those to the Slack edge.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.faults.hostile_bodies import FIXED, ID
from tests.faults.hostile_tokens import Tokens

CLAIM, FINISH = "POST /stages/claim", "POST /stages/finish"
ROUTES: list[Any] = [CLAIM, FINISH, "$default", "GET /stages/claim", "POST /slack/events", "", None, 7, [], {"a": 1}]
PAPER, OTHER = "A" * 43, "B" * 43
"""The ticket of the stage that the table holds, and one that nobody knows."""
RIGHT: dict[str, dict[str, Any]] = {
    CLAIM: {"ticket": PAPER},
    FINISH: {"ticket": PAPER, "outcome": "success", "outputs": {"image": "registry/app@sha256:1"}},
}
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 2**63, -(2**63), 10**400, float("nan"), float("inf"), -0.0),
    *("", " ", "x", "\x00", "\ud800", "é" * 43, "²", "٣", "9" * 25, "9" * 5000, "1e9", "0x1", "+1", " 1 ", "1\n"),
    *(OTHER, PAPER + "\n", "A" * 19, "A" * 300, "A" * 301, "A" * 100_000, "../" * 20, "A" * 42 + "\x00", "a" * 43),
    *(f"{ID}.build.{PAPER}", f"..{PAPER}", f"TICKET#{PAPER}", "LOCK#dev", f" {PAPER}", PAPER + PAPER),
    *("success", "SUCCESS", "success ", "skipped", ["success"], {"success": 1}),
    *([], {}, [[]], [PAPER], {"S": PAPER}, {"$ne": ""}, {"__proto__": {}}, {"image": {"a": ["\udfff"] * 9}}),
]
_DEEP = [
    "[" * 50_000,
    '{"ticket":' * 20_000,
    '{"outputs":' + "[" * 900 + "]" * 900 + "}",
    f'{{"ticket":"{PAPER}","ticket":NaN}}',
    '{"ticket":NaN,"outcome":Infinity}',
    '{"ticket":"\\ud800\\udc00\\udfff"}',
    "\ufeff{}",
    "{} {}",
    "{'ticket': 1}",
]


def _odd_ticket(pick: Random, route: str) -> str:
    """With a ticket that is none, and perhaps other fields that are none."""
    made = {**RIGHT[route], "ticket": pick.choice(ODD)}
    for name in pick.sample(sorted(made), pick.randrange(len(made))):
        made[name] = pick.choice(ODD)
    if pick.random() < 0.1 or made["ticket"] == PAPER:
        del made["ticket"]
    return json.dumps(made, ensure_ascii=pick.random() < 0.7)


def _made_up(pick: Random, route: str) -> str:
    """Right in form, with another ticket each time."""
    return json.dumps({**RIGHT[route], "ticket": f"{pick.getrandbits(258):043x}"[:43]})


def _twice(pick: Random, route: str) -> str:
    """The same key more than once: a reader believes the last one."""
    whole = json.dumps(RIGHT[route])
    odd = pick.choice([one for one in ODD if one != PAPER])
    return whole[:-1] + "," + json.dumps({"ticket": odd})[1:]


def _nested(pick: Random, route: str) -> str:
    made: Any = dict(RIGHT[route])
    for _ in range(pick.randrange(1, 60)):
        made = pick.choice([[made], {"body": made}, {"ticket": made, "outcome": "success"}])
    return json.dumps(made)


def _bare(pick: Random, route: str) -> str:
    """Right, but for the ticket's place."""
    return json.dumps({key: value for key, value in RIGHT[route].items() if key != "ticket"} | {"Ticket": PAPER})


_TEXTS: list[Callable[[Random, str], str]] = [
    _odd_ticket,
    _odd_ticket,
    _made_up,
    _twice,
    _nested,
    _bare,
    lambda pick, _: pick.choice(_DEEP),
    lambda pick, _: pick.choice(FIXED).decode("latin-1"),
]


def _event(pick: Random, tokens: Tokens) -> dict[str, Any]:
    """Either the body or the token, or both, are not the right ones."""
    route = pick.choice([CLAIM, FINISH, CLAIM, FINISH, pick.choice(ROUTES)])
    known = route if route in (CLAIM, FINISH) else CLAIM
    what = pick.choice(["token", "token", "body", "both"])
    text = json.dumps(RIGHT[known]) if what == "token" else pick.choice(_TEXTS)(pick, known)
    token = tokens.right if what == "body" else tokens.wrong(pick)
    made: dict[str, Any] = {"version": "2.0", "routeKey": route, "body": text, "isBase64Encoded": False}
    made["headers"] = _headers(pick, tokens, token)
    if pick.random() < 0.3:
        raw = text.encode("utf-8", pick.choice(["replace", "surrogatepass"]))
        made |= {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}
    return made


def _headers(pick: Random, tokens: Tokens, token: str | None) -> Any:
    if token is None:
        return pick.choice([{}, None, [], {"authorization": 7}, {"x-authorization": f"Bearer {tokens.right}"}, "x"])
    if token != tokens.right and pick.random() < 0.1:  # two of them: nobody may choose which one counts
        return {"authorization": f"Bearer {tokens.right}", "Authorization": f"Bearer {token}"}
    return {pick.choice(["authorization", "Authorization"]): f"{pick.choice(['Bearer', 'bearer'])} {token}"}


def _bad_event(pick: Random, tokens: Tokens) -> Any:
    """No body that could be read, or no event at all."""
    made = _event(pick, tokens)
    body: Any = pick.choice([*ODD, b"{}", "x" * 600_000, "{}" + " " * 262_143, made["body"] + "!", object])
    flag = pick.choice([True, False, None, 1, "true", "false", [0], {}])
    whole = {**made, "body": body, "isBase64Encoded": flag}
    without = {name: value for name, value in whole.items() if pick.random() < 0.5}
    return pick.choice([whole, without, *(None, [], {}, "", "x", 0, 1.5, True, b"x", ["body"], {"Records": [whole]})])


FAMILIES: dict[str, Callable[[Random, Tokens], Any]] = {"asked": _event, "no event": _bad_event}


def hostile(pick: Random, tokens: Tokens) -> Any:
    """One of them."""
    return (_event if pick.random() < 0.85 else _bad_event)(pick, tokens)
