"""The Slack edge: what is let in, what is refused, and that nothing else happens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time as real_time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops import aws, http
from chatops.edge import handler
from chatops.edge.signature import WINDOW, verified
from chatops.settings import secrets
from local.gateway import http_api_event

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
# Slack's published example: https://docs.slack.dev/authentication/verifying-requests-from-slack
VECTOR_TIME = 1531420618
VECTOR_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
VECTOR = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
FORM = "application/x-www-form-urlencoded"


def sign(body: bytes, at: object, secret: str = SECRET) -> str:
    base = b"v0:" + str(at).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def headers(body: bytes, at: object, secret: str = SECRET) -> dict[str, str]:
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": sign(body, at, secret)}


class Spy:
    """Stands where a verified delivery goes on, and where AWS would be asked."""

    def __init__(self) -> None:
        self.delivered: list[dict[str, str]] = []

    def deliver(self, form: dict[str, str]) -> dict[str, Any]:
        self.delivered.append(form)
        return {"statusCode": 200, "body": "delivered"}

    def client(self, *_arguments: Any, **_named: Any) -> None:
        pytest.fail("an unsigned request reached AWS")


@pytest.fixture
def spy(environment: pytest.MonkeyPatch) -> Spy:
    made = Spy()
    environment.setattr(handler, "deliver", made.deliver)
    environment.setattr(aws, "client", made.client)
    return made


def event(body: bytes, given: dict[str, str]) -> dict[str, Any]:
    return http_api_event("POST", "/prod/slack/events", "", {"Content-Type": FORM, **given}, body)


def signed(body: bytes, at: object = None) -> dict[str, Any]:
    return event(body, headers(body, int(real_time.time()) if at is None else at))


# -- the signature -------------------------------------------------------------------------------------------


def test_slacks_published_example_holds() -> None:
    given = {"x-slack-request-timestamp": str(VECTOR_TIME), "x-slack-signature": VECTOR}
    assert sign(VECTOR_BODY, VECTOR_TIME) == VECTOR
    assert verified(given, VECTOR_BODY, SECRET, VECTOR_TIME)
    assert not verified(given, VECTOR_BODY + b"&", SECRET, VECTOR_TIME)


@pytest.mark.parametrize(
    ("off", "holds"), [(0, True), (299, True), (300, True), (301, False), (-300, True), (-301, False), (10**6, False)]
)
def test_a_timestamp_may_be_five_minutes_off_on_either_side(off: int, holds: bool) -> None:
    now = 1_760_000_000
    assert verified(headers(b"x", now + off), b"x", SECRET, now) is holds
    assert WINDOW == 300


def test_a_fraction_of_a_second_does_not_count_against_a_request() -> None:
    assert verified(headers(b"x", 1_760_000_000), b"x", SECRET, 1_760_000_300.999)


NOW = 1_760_000_000
GOOD = sign(b"x", NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v0=",
        GOOD.upper(),
        "v0=" + GOOD[3:].upper(),
        GOOD.replace("v0=", "v1="),
        GOOD.replace("v0=", ""),
        GOOD[:-1],
        GOOD + "0",
        " " + GOOD,
        GOOD + "\n",
        GOOD + "," + GOOD,
        "v0=é",
        "\ud800",
        "v0=" + "0" * 64,
        "v0=" + "a" * 1_000_000,
        sign(b"x", NOW, "another secret"),
        sign(b"y", NOW),
        sign(b"x", NOW + 1),
    ],
)
def test_a_signature_that_is_not_exactly_it_is_refused(signature: str) -> None:
    given = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": signature}
    assert not verified(given, b"x", SECRET, NOW)


@pytest.mark.parametrize(
    "at",
    [
        *("", "abc", "1760000000.0", "+1760000000", "-1760000000", " 1760000000", "1760000000 ", "1e9"),
        *("1_760_000_000", "٣" * 10, "²", "9" * 5000, "0x68e77800", "nan", "\x00"),
    ],
)
def test_a_timestamp_that_is_no_plain_number_is_refused_although_it_is_signed(at: str) -> None:
    assert not verified(headers(b"x", at), b"x", SECRET, NOW)


def test_without_headers_or_without_a_secret_nothing_holds() -> None:
    assert not verified({}, b"", SECRET, NOW)
    assert not verified(headers(b"x", NOW, ""), b"x", "", NOW)
    assert not verified(headers(b"x", NOW), b"x", "\udcff" + SECRET, NOW)


# -- the body ------------------------------------------------------------------------------------------------


def test_the_raw_bytes_come_back_whether_they_were_encoded_or_not() -> None:
    raw = b"text=%C3%A9&x=\xff\x00"
    assert http.body({"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}) == raw
    assert http.body({"body": "text=é", "isBase64Encoded": False}) == "text=é".encode()
    assert http.body({"body": "aGk="}) == b"aGk="
    assert http.body({}) == http.body({"body": None}) == http.body({"body": ""}) == b""


@pytest.mark.parametrize(
    "given",
    [
        {"body": "not base64!", "isBase64Encoded": True},
        {"body": "aGk", "isBase64Encoded": True},
        {"body": "é", "isBase64Encoded": True},
        {"body": "\ud800"},
        {"body": 1},
        {"body": ["a"]},
        {"body": {"a": 1}},
        {"body": "x" * (http.MAX_BODY + 1)},
        {"body": "x" * (3 * http.MAX_BODY)},
        {"body": base64.b64encode(b"x" * (http.MAX_BODY + 1)).decode(), "isBase64Encoded": True},
    ],
)
def test_a_body_that_is_unusable_or_too_large_is_none_and_refused(given: dict[str, Any], spy: Spy) -> None:
    assert http.body(given) is None
    status = handler.handle({"requestContext": {}, "headers": headers(b"", NOW), **given})["statusCode"]
    assert status in (400, 413)
    assert spy.delivered == []


def test_a_body_of_exactly_the_limit_is_looked_at() -> None:
    assert len(http.body({"body": "x" * http.MAX_BODY}) or b"") == http.MAX_BODY


@pytest.mark.parametrize("given", [None, [], {"headers": None}, {"headers": []}, {"headers": {1: "a", "b": 2}}])
def test_headers_that_are_none_are_no_headers(given: Any) -> None:
    assert http.headers(given) == {}


# -- the whole edge ------------------------------------------------------------------------------------------


def test_url_verification_signed_is_answered_with_its_challenge(spy: Spy) -> None:
    answer = handler.handle(signed(b'{"type":"url_verification","challenge":"test123"}'))
    assert (answer["statusCode"], answer["body"]) == (200, "test123")
    assert spy.delivered == []


def test_url_verification_unsigned_through_the_gateway_is_refused(spy: Spy) -> None:
    answer = handler.handle(event(b'{"type":"url_verification","challenge":"test123"}', {}))
    assert answer["statusCode"] == 401
    assert "test123" not in json.dumps(answer)


def test_url_verification_from_the_consoles_test_button_is_answered_exactly_so(spy: Spy) -> None:
    given = {"body": '{"type":"url_verification","challenge":"test123"}'}
    assert handler.handle(given) == {"statusCode": 200, "body": "test123"}


def test_slacks_look_at_the_certificate_is_answered_200_and_nothing_happens(spy: Spy) -> None:
    """Unsigned, as slack_bolt takes it too: before it looks for a signature."""
    for body in (b"ssl_check=1&token=x", b"token=x&ssl_check=1"):
        assert handler.handle(event(body, {})) == {"statusCode": 200, "body": ""}
    for body in (b"ssl_check=0", b"text=ssl_check%3D1&command=%2Fplatform-deploy", b"text=ssl_check=1"):
        assert handler.handle(event(body, {}))["statusCode"] == 401
    assert spy.delivered == []


def test_without_the_gateway_nothing_but_url_verification_is_answered(spy: Spy) -> None:
    for body in ('{"type":"event_callback"}', '{"type":"url_verification"}', "command=%2Fplatform-deploy", "[]", ""):
        assert handler.handle({"body": body})["statusCode"] == 401
    assert spy.delivered == []


def test_a_signed_form_is_delivered_whatever_the_case_of_its_headers(spy: Spy) -> None:
    body = b"command=%2Fplatform-deploy&text=v1.2.3%20prod&empty="
    at = int(real_time.time())
    for style in (str.lower, str.upper, str.title):
        given = {style(name): value for name, value in headers(body, at).items()}
        found = {**event(body, {}), "headers": given}
        assert handler.handle(found)["statusCode"] == 200
    assert spy.delivered == [{"command": "/platform-deploy", "text": "v1.2.3 prod", "empty": ""}] * 3


def test_a_body_that_is_no_utf_8_is_verified_over_its_bytes(spy: Spy) -> None:
    assert handler.handle(signed(b"command=%2Fplatform-deploy&text=\xff\xfe"))["statusCode"] == 200
    assert handler.handle(event(b"text=\xff\xfe", headers(b"text=", NOW)))["statusCode"] == 401
    assert spy.delivered == [{}], "what cannot be read has no fields"


def test_without_a_secret_every_request_is_refused(spy: Spy, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SLACK_SIGNING_SECRET")
    for body in (b"command=%2Fplatform-deploy", b'{"type":"url_verification","challenge":"x"}'):
        at = int(real_time.time())
        assert handler.handle(signed(body))["statusCode"] == 401
        assert handler.handle(event(body, headers(body, at, "")))["statusCode"] == 401
    assert spy.delivered == []


def test_a_secret_that_cannot_be_had_refuses_and_does_not_raise(spy: Spy, environment: pytest.MonkeyPatch) -> None:
    def broken(_name: str, **_how: Any) -> str:
        raise RuntimeError("Secrets Manager is down")

    environment.setattr(secrets, "optional", broken)
    assert handler.handle(signed(b"command=x"))["statusCode"] == 401


def test_a_rotated_secret_is_picked_up_with_the_first_request_it_signed(
    spy: Spy, environment: pytest.MonkeyPatch
) -> None:
    cache = {"value": "the old one"}

    def stored(_name: str, *, fresh: bool = False, **_how: Any) -> str:
        if fresh:
            cache["value"] = SECRET
        return cache["value"]

    environment.setattr(secrets, "optional", stored)
    assert handler.handle(signed(b"command=x"))["statusCode"] == 200
    assert cache["value"] == SECRET


def test_what_no_secret_could_make_good_is_refused_before_a_secret_is_read(
    spy: Spy, environment: pytest.MonkeyPatch
) -> None:
    """Else anybody could have Secrets Manager asked (and paid for) with a made-up header."""
    environment.setattr(secrets, "optional", lambda *_a, **_n: pytest.fail("the secret was read"))
    body, at = b"command=x", int(real_time.time())
    good = headers(body, at)
    for made_up in (
        {},
        {"x-slack-signature": "v0=" + "0" * 64},
        {**good, "x-slack-signature": "v0=x"},
        {**good, "x-slack-signature": good["x-slack-signature"].upper()},
        headers(body, at - 310),
        headers(body, "soon"),
    ):
        assert handler.handle(event(body, made_up))["statusCode"] == 401


def test_a_refusal_says_nothing_about_what_was_expected(spy: Spy) -> None:
    body = b"command=%2Fplatform-deploy"
    at = int(real_time.time())
    answer = json.dumps(handler.handle(event(body, headers(body, at, "another"))))
    assert sign(body, at)[3:] not in answer
    assert SECRET not in answer


def test_a_signed_delivery_that_is_nothing_of_ours_is_refused(environment: pytest.MonkeyPatch) -> None:
    for body in (b"", b"x", b"a=b", b'{"type":"event_callback"}', b'{"deep":' + b"[" * 100_000):
        assert handler.handle(signed(body))["statusCode"] == 400


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "null",
        "[]",
        "1",
        "{",
        '"text"',
        "{}",
        '{"type":"block_actions"}',
        '{"user":{"id":"<!here>"}}',
        "[" * 50_000,
    ],
)
def test_a_signed_payload_that_makes_no_sense_is_answered_without_an_error(
    environment: pytest.MonkeyPatch, payload: str
) -> None:
    answer = handler.handle(signed(urlencode({"payload": payload}).encode()))
    assert answer["statusCode"] in (200, 400)


# -- everything else that may arrive -------------------------------------------------------------------------

words = st.text(max_size=30) | st.sampled_from(
    ["v0=", "v1=" + "0" * 64, GOOD, str(NOW), "9" * 40, "url_verification", "é", "\ud800", "\x00"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["x-slack-signature", "X-Slack-Signature", "X-SLACK-REQUEST-TIMESTAMP", "x-slack-request-timestamp", "host"]
)
bodies = (
    words
    | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())
    | st.sampled_from(
        [
            '{"type":"url_verification","challenge":"c"}',
            "command=%2Fplatform-deploy&trigger_id=1",
            "payload=%7B%7D",
            "ssl_check=1&token=t",
            '{"a":' * 2000,
        ]
    )
)
now_or_so = st.integers(-400, 400).map(lambda off: str(int(real_time.time()) + off))
events = st.fixed_dictionaries(
    {"requestContext": values},
    optional={
        "headers": st.dictionaries(names, words | now_or_so, max_size=4) | values,
        "body": bodies | values,
        "isBase64Encoded": st.booleans() | values,
        "rawPath": words,
        "routeKey": words,
        "version": words,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events | values.filter(lambda v: not isinstance(v, dict)))
def test_nothing_unsigned_is_let_in_raises_or_is_answered_with_a_5xx(spy: Spy, given: Any) -> None:
    answer = handler.handle(given)
    # what Slack sends to look at the certificate is unsigned, and answered with nothing
    assert answer["statusCode"] in (400, 401, 413) or answer == {"statusCode": 200, "body": ""}
    assert spy.delivered == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | words.map(lambda text: text.encode("utf-8", "replace")))
def test_whatever_slack_signs_is_answered_below_500(environment: pytest.MonkeyPatch, raw: bytes) -> None:
    assert handler.handle(signed(raw))["statusCode"] < 500


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHATOPS_LANG", "fr", "CHATOPS_LANG is 'fr'; it should hold one of en, ko."),
        ("SLACK_CHANNEL_ID", "#deployments", "SLACK_CHANNEL_ID is '#deployments'; it should hold"),
        ("CHATOPS_TABLE", "", "CHATOPS_TABLE is not set; it should hold"),
        ("CHATOPS_TARGETS_FILE", "/nowhere/targets.yaml", "targets.yaml: there is no such file"),
    ],
)
def test_a_wrong_setting_is_told_to_whoever_asks_and_is_no_401(
    environment: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    """The secret lies in Secrets Manager, as on AWS: reading it needs no other setting."""
    environment.delenv("SLACK_SIGNING_SECRET")
    environment.setenv("CHATOPS_SLACK_SECRET_ARN", "secret")
    environment.setattr(aws, "client", lambda *_, **__: Stored())
    environment.setitem(secrets._stored, secrets.SLACK, secrets._Stored())  # put back, whatever was read
    environment.setenv(name, value)
    body = urlencode(
        {"command": "/platform-deploy", "text": "v1", "user_id": "U0DANA001", "trigger_id": "1.2"}
    ).encode()
    now = int(real_time.time())
    event = http_api_event("POST", "/prod/slack/events", "", list(headers(body, now).items()), body, "prod")
    answer = handler.handle(event)
    assert answer["statusCode"] == 200
    assert says in json.loads(answer["body"])["text"]
    other = list(headers(body, now, "another").items())
    forged = http_api_event("POST", "/prod/slack/events", "", other, body, "prod")
    assert handler.handle(forged)["statusCode"] == 401


class Stored:
    """Secrets Manager with one secret."""

    def get_secret_value(self, **_named: Any) -> dict[str, str]:
        return {"SecretString": json.dumps({"SLACK_SIGNING_SECRET": SECRET})}
