"""GitHub's webhook against whatever is not signed right: refused, nothing looked at, never an exception."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from chatops import aws
from lambdas.wake import app
from tests.faults import hostile_requests
from tests.faults.counts import storm, storms
from tests.faults.spies import Spies
from tests.unit.test_webhook import SECRET, payload, request

SIGNATURE = "x-hub-signature-256"
REFUSED = {400, 401}
RAW = json.dumps(payload()).encode()


def _signature(pick: Random) -> Any:
    made = request(RAW, encoded=pick.random() < 0.5)
    good = str(made["headers"][SIGNATURE]).replace("sha256=", "v0=")
    bad = pick.choice(hostile_requests._BAD_SIGNATURES)(good, pick)
    made["headers"][SIGNATURE] = bad.replace("v0=", "sha256=") if isinstance(bad, str) else bad
    return made


def _for_another(pick: Random) -> Any:
    """A signature that is right: for other bytes."""
    made, raw = request(RAW), bytearray(RAW)
    raw[pick.randrange(len(raw))] ^= 1 << pick.randrange(8)
    made["body"] = base64.b64encode(bytes(raw)).decode()
    return made


def _body(pick: Random) -> Any:
    odd: list[Any] = [None, 7, "", "!", "x" * 600_000, "\ud800", [], {}, True]
    return {**request(RAW), "body": pick.choice(odd), "isBase64Encoded": pick.choice([True, False, None, 1, "x"])}


def _headers(pick: Random) -> Any:
    made, forged = request(RAW), f"sha256={pick.getrandbits(256):064x}"
    good = made["headers"][SIGNATURE]
    choices: list[Any] = [
        *(None, [], "", 7, {}, {SIGNATURE: [good]}, {f" {SIGNATURE}": good}, {"x-hub-signature": good}),
        {SIGNATURE: good, SIGNATURE.title(): forged},
        {SIGNATURE: f"{forged},{good}"},
        {SIGNATURE: good.replace("256", "1")},
    ]
    return {**made, "headers": pick.choice(choices)}


def _of_slacks(pick: Random) -> Any:
    """Whatever would not be let in at Slack's edge, on this route."""
    made = hostile_requests.hostile(pick)
    return {**(made if isinstance(made, dict) else {"body": made}), "routeKey": "POST /github/events"}


FAMILIES: list[Callable[[Random], Any]] = [_signature, _for_another, _body, _headers, _of_slacks]


def status(event: Any) -> int:
    answer = app.handler(event, None)
    json.dumps(answer, ensure_ascii=False).encode()
    return int(answer["statusCode"])


@pytest.fixture
def guarded(environment: pytest.MonkeyPatch, spies: Spies) -> Spies:
    environment.setenv("GITHUB_WEBHOOK_SECRET", SECRET)
    environment.setattr(aws, "client", lambda *_, **__: pytest.fail("AWS is asked"))
    return spies


@storms
def test_hostile_deliveries_are_refused(guarded: Spies, count: int, seed: int) -> None:
    answers = storm(lambda pick: pick.choice(FAMILIES)(pick), status, count, seed)
    assert (guarded.calls, set(answers)) == ([], REFUSED)
