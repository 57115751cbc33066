"""The routes of deployments' pages against whatever has no signature that holds: 404 alike, never an exception."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from chatops import aws, clock
from chatops.domain import page_link
from chatops.steps.page import SHUT
from lambdas.page import app
from tests.faults import hostile_requests
from tests.faults.counts import storm, storms
from tests.unit.page_requests import ID, STARTED, request

UNTIL = page_link.end(STARTED)
GOOD = page_link.signature(b"the stack's own key", ID, UNTIL)
"""Right in every way but for the key."""
ROUTES = ("GET /d/{id}", "GET /d/{id}/state", "GET /pages/{name}")
ODD: list[Any] = [
    None,
    7,
    "",
    "\ud800",
    "\x00",
    [],
    {},
    True,
    "../../etc/passwd",
    "%2e%2e%2f",
    "x" * 100_000,
    "d-" * 60,
]


def _signature(pick: Random) -> Any:
    made = request(ID, GOOD)
    bad = pick.choice(hostile_requests._BAD_SIGNATURES)(f"v0={GOOD}", pick)
    made["headers"]["authorization"] = bad.replace("v0=", "Bearer ") if isinstance(bad, str) else bad
    return made


def _forged(pick: Random) -> Any:
    """Of the right form, for any end and any id."""
    until = pick.choice([UNTIL, UNTIL - 1, int(STARTED), pick.randrange(10**9, 10**10)])
    key = pick.choice([b"", bytes(32), pick.randbytes(32)])
    return request(pick.choice([ID, "d-zzzzzzzzzzzz", "배포", "..", "a" * 80]), page_link.signature(key, ID, until))


def _headers(pick: Random) -> Any:
    odd: list[Any] = [
        *(
            None,
            [],
            "",
            7,
            {},
            {"authorization": [GOOD]},
            {"authorization": GOOD},
            {" authorization": f"Bearer {GOOD}"},
        ),
        {"authorization": f"Bearer {GOOD}", "Authorization": f"Bearer {GOOD}"},
        {"authorization": f"Bearer {GOOD}", "x-http-method-override": "DELETE", "if-none-match": "*"},
        {"authorization": "Bearer " * 10_000 + GOOD},
        {"cookie": GOOD, "x-forwarded-host": "evil.example", "host": "evil.example", "x-original-url": "/prod/d/x"},
    ]
    return {**request(ID, GOOD), "headers": pick.choice(odd)}


def _path(pick: Random) -> Any:
    name, value = pick.choice(["id", "name"]), pick.choice(ODD)
    return {**request(ID, GOOD), "pathParameters": pick.choice([{name: value}, value]), "rawPath": value}


def _route(pick: Random) -> Any:
    odd = pick.choice([*ROUTES, "POST /d/{id}/state", "$default", None, 7, ["GET /d/{id}"]])
    return {**request(ID, GOOD), "routeKey": odd, "body": pick.choice(ODD), "isBase64Encoded": pick.choice(ODD)}


def _of_slacks(pick: Random) -> Any:
    made = hostile_requests.hostile(pick)
    return {**(made if isinstance(made, dict) else {"body": made}), "routeKey": "GET /d/{id}/state"}


FAMILIES: list[Callable[[Random], Any]] = [_signature, _forged, _headers, _path, _route, _of_slacks]


def status(event: Any) -> int:
    """200 is the page that says nothing of a deployment."""
    answer = app.handler(event, None)
    json.dumps(answer, ensure_ascii=False).encode()
    assert answer["headers"].items() >= SHUT.items()
    assert answer["statusCode"] == 404 or answer == app.handler({"routeKey": ROUTES[0]}, None)
    return int(answer["statusCode"])


@pytest.fixture
def guarded(environment: pytest.MonkeyPatch) -> list[Any]:
    """What is asked of DynamoDB, which has no key."""
    read: list[Any] = []

    class NoKey:
        def get_item(self, **asked: Any) -> dict[str, Any]:
            read.append(asked["Key"]["pk"]["S"])
            return {}

    environment.setattr(aws, "client", lambda *_, **__: NoKey())
    environment.setattr(clock, "now", lambda: STARTED + 60)
    return read


@storms
def test_hostile_requests_see_nothing(guarded: list[Any], count: int, seed: int) -> None:
    answers = storm(lambda pick: pick.choice(FAMILIES)(pick), status, count, seed)
    assert answers[404] > answers[200] > 0
    assert set(guarded) == {"PAGES"}
