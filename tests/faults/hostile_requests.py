"""Requests to the Slack edge of which none is signed right, whatever else may be right about them.

Seeded by a `random.Random`, so that the same generator runs in hypothesis (with shrinking) and fast without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from random import Random
from typing import Any

from tests.faults.hostile_bodies import body

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_760_000_000
TIMESTAMP, SIGNATURE = "x-slack-request-timestamp", "x-slack-signature"
Json = dict[str, Any]


def sign(raw: bytes, at: object = NOW, secret: str = SECRET) -> str:
    """Slack's signature over these bytes."""
    stamp = str(at).encode("utf-8", "surrogatepass")
    return "v0=" + hmac.new(secret.encode(), b"v0:" + stamp + b":" + raw, hashlib.sha256).hexdigest()


def event(raw: bytes, headers: Any, encoded: bool = False) -> Json:
    """As API Gateway hands it on (payload format 2.0); bytes that are no text always in base64."""
    try:
        text = base64.b64encode(raw).decode() if encoded else raw.decode()
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(raw).decode(), True
    return {
        "version": "2.0",
        "routeKey": "POST /slack/events",
        "requestContext": {"http": {"method": "POST", "path": "/prod/slack/events"}},
        "headers": headers,
        "body": text,
        "isBase64Encoded": encoded,
    }


def signed(raw: bytes, at: object = NOW) -> Json:
    """Right in every way; what the families below spoil."""
    return {"content-type": "application/x-www-form-urlencoded", TIMESTAMP: str(at), SIGNATURE: sign(raw, at)}


_BAD_SIGNATURES: list[Callable[[str, Random], Any]] = [
    lambda good, _: good.replace("v0=", "v1="),
    lambda good, _: good.upper(),
    lambda good, _: "v0=" + good[3:].upper(),
    lambda good, pick: good[: pick.randrange(len(good))],
    lambda good, pick: good + pick.choice("0a \n\x00é"),
    lambda good, pick: pick.choice(" \t\n\x00,") + good,
    lambda good, _: good[3:],
    lambda good, pick: f"{good}{pick.choice([',', ', ', ';', ' '])}{good}",
    lambda good, pick: f"v0={pick.getrandbits(256):064x}",
    lambda good, pick: good[:-1] + chr(pick.randrange(128, 0x2FFF)),
    lambda good, _: good.translate({ord(digit): 0x660 + int(digit) for digit in "0123456789"}),
    lambda good, pick: pick.choice(["", "v0=", "v0", "=", "\ud800", "v0=\udcff", "é" * 67, "v0=" + "a" * 100_000]),
    lambda good, pick: pick.choice([None, 0, True, [good], {"v0": good}, good.encode(), 1.5]),
]


def _bad_signature(pick: Random) -> Json:
    raw = body(pick)
    headers = signed(raw)
    headers[SIGNATURE] = pick.choice(_BAD_SIGNATURES)(headers[SIGNATURE], pick)
    return event(raw, headers, pick.random() < 0.5)


_BAD_TIMES: list[Callable[[Random], Any]] = [
    lambda pick: NOW + pick.choice([-1, 1]) * pick.choice([301, 302, 3600, 10**6, NOW - 1]),
    lambda pick: pick.choice([f"{NOW}.0", f"+{NOW}", f"-{NOW}", f" {NOW}", f"{NOW} ", f"{NOW}\n", "1_760_000_000"]),
    lambda pick: pick.choice(["", "abc", "1e9", "0x68e77800", "nan", "inf", "\x00", "null", "²", "٣" * 10, "\ud800"]),
    lambda pick: pick.choice("0123456789") * 5000,
    lambda pick: f"{NOW},{NOW}",
    lambda pick: str(NOW).rjust(pick.randrange(13, 60), "0"),
    lambda pick: str(pick.getrandbits(pick.randrange(40, 4000)) + 2 * NOW),
]


def _bad_time(pick: Random) -> Json:
    raw, at = body(pick), pick.choice(_BAD_TIMES)(pick)
    headers = signed(raw, at)
    if pick.random() < 0.1:
        headers[TIMESTAMP] = pick.choice([None, NOW, float(NOW), [str(NOW)], str(NOW).encode(), {}])
    return event(raw, headers)


def _for_another(pick: Random) -> Json:
    """A signature that is right: for other bytes, another time, or with another secret."""
    raw, wrong = body(pick), pick.randrange(4)
    headers = signed(raw)
    if wrong == 0:
        raw += pick.choice([b"&", b"\x00", b" ", b"\n"])
    elif wrong == 1:
        raw = bytes([raw[0] ^ 1]) + raw[1:]
    elif wrong == 2:
        headers[TIMESTAMP] = str(NOW + pick.choice([-300, -1, 1, 300]))
    else:
        secret = pick.choice(["", SECRET[:-1], SECRET + " ", SECRET.upper(), "another", "xoxb-token", "é"])
        headers[SIGNATURE] = sign(raw, NOW, secret)
    return event(raw, headers, pick.random() < 0.5)


def _bad_headers(pick: Random) -> Json:
    raw = body(pick)
    good = signed(raw)
    at, signature = good[TIMESTAMP], good[SIGNATURE]
    forged = f"v0={pick.getrandbits(256):064x}"
    choices: list[Any] = [
        *(None, [], "", 7, True, list(good.items()), {}, {1: at, None: signature}),
        {TIMESTAMP: at},
        {SIGNATURE: signature},
        {"x_slack_request_timestamp": at, "x_slack_signature": signature},
        {f" {TIMESTAMP}": at, f"{SIGNATURE} ": signature},
        {TIMESTAMP.encode(): at, SIGNATURE.encode(): signature},
        {TIMESTAMP: [at], SIGNATURE: [signature]},
        {TIMESTAMP: signature, SIGNATURE: at},
        # sent twice, once right: whichever a proxy believes, this is not what Slack sends
        {TIMESTAMP: at, SIGNATURE: signature, SIGNATURE.title(): forged},
        {TIMESTAMP: at, SIGNATURE.upper(): forged, SIGNATURE: signature},
        {TIMESTAMP: at, TIMESTAMP.upper(): str(NOW - 1), SIGNATURE: signature},
        {TIMESTAMP: at, SIGNATURE: f"{forged},{signature}"},
        {TIMESTAMP: at, SIGNATURE: f"{signature}, {forged}"},
        {**good, SIGNATURE: forged, "authorization": signature, "x-forwarded-for": "127.0.0.1"},
        {f"h{n}\x00\ud800": "é" * n for n in range(50)},
    ]
    made = event(raw, pick.choice(choices))
    if pick.random() < 0.3:
        made["multiValueHeaders"] = {TIMESTAMP: [at], SIGNATURE: [signature]}
    return made


def _bad_body(pick: Random) -> Json:
    """The headers are right for bytes that the body does not hold, or not in the way that its flag says."""
    raw = body(pick)
    made, encoded = event(raw, signed(raw)), base64.b64encode(raw).decode()
    unusable: list[Any] = [7, 1.5, True, [encoded], {"body": encoded}, raw, "\ud800", "x" * 600_000, "ab\udcff"]
    wrong = pick.randrange(5)
    if wrong == 0:
        made |= {"body": encoded, "isBase64Encoded": pick.choice([False, None, 0, "", [], {}])}
    elif wrong == 1:
        flag = pick.choice([True, 1, "false", "False", [0], {"a": 1}, 0.5, "\ud800"])
        made |= {"body": pick.choice([f"{encoded}!", f"\n{encoded}x", f"é{encoded}", encoded[1:] + "-_"])}
        made["isBase64Encoded"] = flag
    elif wrong == 2:
        made["body"] = pick.choice(unusable)
    elif wrong == 3:
        made.pop("body")
    else:
        made["body"] = base64.b64encode(b"x" * pick.randrange(262_145, 300_000)).decode()
        made["isBase64Encoded"] = True
    return made


def _no_event(pick: Random) -> Any:
    """No event at all; and the shapes of other services' events."""
    raw = pick.choice(["command=%2Fplatform-deploy", "[]", '{"type":"event_callback"}', '{"a":' * 50_000, "\ud800", ""])
    return pick.choice(
        [
            *(None, [], {}, "", "x", 0, 1.5, True, b"x", ["headers", "body"], {"headers": {}}, {"body": raw}, object),
            {"Records": [{"Sns": {"Message": raw}}]},
            {"httpMethod": "POST", "headers": None, "body": raw, "requestContext": None},
            {"requestContext": pick.choice([None, [], "x", 7]), "headers": signed(b"x"), "body": raw},
            {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        ]
    )


FAMILIES: dict[str, Callable[[Random], Any]] = {
    "signature": _bad_signature,
    "timestamp": _bad_time,
    "for another": _for_another,
    "headers": _bad_headers,
    "body": _bad_body,
    "no event": _no_event,
}
_WEIGHTS = [30, 25, 20, 12, 10, 3]
_MAKERS = list(FAMILIES.values())


def hostile(pick: Random) -> Any:
    """One of them."""
    return pick.choices(_MAKERS, _WEIGHTS)[0](pick)
