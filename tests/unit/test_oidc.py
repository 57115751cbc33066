"""The issuer's keys: when they are read, kept and given up, and what counts as an answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chatops.domain.errors import InvalidConfiguration
from chatops.github import oidc
from tests.unit.conftest import Time
from tests.unit.job_tokens import AUDIENCE, ISSUER, Jobs, jobs, post

JWKS, CONFIGURATION = f"{ISSUER}/.well-known/jwks", f"{ISSUER}/.well-known/openid-configuration"


@pytest.fixture
def made(environment: pytest.MonkeyPatch, time: Time) -> Jobs:
    return jobs(environment)


def refused(token: str) -> str:
    with pytest.raises(oidc.TokenRefused) as caught:
        oidc.issuer().claims(token)
    return str(caught.value)


def unavailable(token: str) -> str:
    with pytest.raises(oidc.KeysUnavailable) as caught:
        oidc.issuer().claims(token)
    return str(caught.value)


def test_the_keys_are_read_once_an_hour(made: Jobs, time: Time) -> None:
    for _ in range(3):
        assert oidc.issuer().claims(made.token())["aud"] == AUDIENCE
        time.pass_by(1700)
    assert made.asked == [CONFIGURATION, JWKS]
    assert oidc.issuer().claims(made.token())
    assert made.asked == [CONFIGURATION, JWKS] * 2


@pytest.mark.parametrize("keep", [True, False])
def test_after_a_rotation_the_new_key_is_fetched_and_the_old_one_goes_when_github_drops_it(
    made: Jobs, time: Time, *, keep: bool
) -> None:
    before = made.token()
    assert oidc.issuer().claims(before)
    time.pass_by(61)
    made.fake.rotate(keep=keep)
    assert oidc.issuer().claims(made.token())
    if keep:
        assert oidc.issuer().claims(before)
    else:
        assert "a key that" in refused(before)


def test_unknown_keys_make_nobody_ask_more_than_once_a_minute(made: Jobs, time: Time) -> None:
    assert oidc.issuer().claims(made.token())
    good = made.token()
    made.fake.keys = [7]
    strange = [made.token() for _ in range(20)]
    made.fake.keys = [0]
    time.pass_by(61)
    for token in strange:
        assert "a key that" in refused(token)
        time.pass_by(1)
    assert len(made.asked) == 4
    assert oidc.issuer().claims(good)


@pytest.mark.parametrize("away", ["jwks", "openid-configuration"])
def test_without_its_keys_nobody_is_refused_but_asked_to_try_again(made: Jobs, time: Time, away: str) -> None:
    made.away = (away,)
    assert ISSUER in unavailable(made.token())
    assert ISSUER in unavailable(made.token())
    asked = len(made.asked)
    made.away = ()
    time.pass_by(5)
    assert oidc.issuer().claims(made.token())
    assert len(made.asked) == asked + 2, "in between nobody was asked"


def test_an_error_that_nobody_foresaw_is_no_answer_either(
    made: Jobs, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "read", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        oidc.issuer().claims(made.token())
    monkeypatch.setattr(oidc, "read", made.read)
    assert unavailable(made.token()), "the token may be a good one"
    time.pass_by(5)
    assert oidc.issuer().claims(made.token())


def test_known_keys_go_on_being_used_while_the_issuer_is_away(made: Jobs, time: Time) -> None:
    assert oidc.issuer().claims(made.token())
    made.away = ("jwks",)
    for _ in range(4):
        time.pass_by(3601)
        assert oidc.issuer().claims(made.token())
    made.fake.rotate()
    assert unavailable(made.token()), "it may be a good one"


GOOD = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "a", "n": "A" * 342, "e": "AQAB"}
GARBAGE: dict[str, bytes] = {
    "no JSON": b"<html>",
    "no object": b"[]",
    "no keys": b"{}",
    "keys that are no list": b'{"keys": {"a": 1}}',
    "no key in the list": b'{"keys": [1, null, "x", [], {}]}',
    "deep": b'{"keys": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "keys for encryption": json.dumps({"keys": [{**GOOD, "use": "enc"}]}).encode(),
    "a secret": json.dumps({"keys": [{"kty": "oct", "kid": "a", "k": "AAAA", "alg": "HS256"}]}).encode(),
    "an elliptic curve": json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "A", "y": "A"}]}).encode(),
    "numbers that are none": json.dumps({"keys": [{**GOOD, "n": 7}, {**GOOD, "e": "!"}, {**GOOD, "n": ""}]}).encode(),
    "a small key": json.dumps({"keys": [{**GOOD, "n": "w" * 170}]}).encode(),
    "a key without a name": json.dumps({"keys": [{**GOOD, "kid": None}]}).encode(),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_instead_of_keys_is_no_answer(made: Jobs, time: Time, name: str) -> None:
    made.answers[JWKS] = GARBAGE[name]
    assert unavailable(made.token())
    made.answers.clear()
    time.pass_by(60)
    assert oidc.issuer().claims(made.token())
    made.answers[JWKS] = GARBAGE[name]
    time.pass_by(3601)
    assert oidc.issuer().claims(made.token()), "the keys of before stay"


def test_an_unusable_key_beside_good_ones_is_left_out(made: Jobs) -> None:
    listed = [{**GOOD, "n": 7}, *made.fake.jwks()["keys"], "x"]
    made.answers[JWKS] = json.dumps({"keys": listed}).encode()
    assert oidc.issuer().claims(made.token())


ELSEWHERE: dict[str, dict[str, Any]] = {
    "keys on another host": {"jwks_uri": "https://evil.test/.well-known/jwks"},
    "keys on another port": {"jwks_uri": "https://token.actions.test:8443/.well-known/jwks"},
    "keys without TLS": {"jwks_uri": "http://token.actions.test/.well-known/jwks"},
    "keys of a user of that host": {"jwks_uri": "https://token.actions.test@evil.test/jwks"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "no address": {"jwks_uri": "https://[::1/jwks"},
    "no keys": {"jwks_uri": None},
    "another issuer": {"issuer": "https://evil.test"},
    "no issuer": {"issuer": None},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_configuration_that_leads_elsewhere_is_not_followed(made: Jobs, name: str) -> None:
    made.answers[CONFIGURATION] = json.dumps(made.fake.configuration() | ELSEWHERE[name]).encode()
    assert unavailable(made.token())
    assert made.asked == [CONFIGURATION]


def test_without_an_audience_no_token_is_looked_at(environment: pytest.MonkeyPatch) -> None:
    """Any other stack's would fit."""
    oidc.issuer.cache_clear()
    with pytest.raises(InvalidConfiguration, match="CHATOPS_AUDIENCE is not set"):
        oidc.issuer()
    message = "Try again: a setting of the bot is wrong, its log says which."
    assert post("claim", {"ticket": "A" * 43}, "x") == (503, {"message": message})


# -- over HTTP ---------------------------------------------------------------------------------------------------


BEHIND = "http://behind.invalid"
"""Reached through the server as a proxy, which is asked for the whole address."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
            "/small": (200, b"{}", {}),
            "/large": (200, b" " * 1_000_000, {}),
            "/moved": (302, b"", {"Location": "/small"}),
            "/broken": (500, b"{}", {}),
            "/empty": (204, b"", {}),
        }
        status, body, headers = answers[self.path.removeprefix(BEHIND)]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_an_answer_is_read(server: str) -> None:
    assert oidc.read(f"{server}/small") == b"{}"
    assert oidc.read(f"{server}/empty") == b""


@pytest.mark.parametrize("path", ["/large", "/moved", "/broken"])
def test_an_answer_that_is_none_is_not_taken(server: str, path: str) -> None:
    with pytest.raises(oidc.KeysUnavailable):
        oidc.read(f"{server}{path}")


def test_where_a_proxy_is_set_it_is_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server)
        monkeypatch.delenv(name.replace("HTTP", "NO").replace("http", "no"), raising=False)
    assert oidc.read(f"{BEHIND}/small") == b"{}"
    for path in ("/large", "/moved", "/broken"):
        with pytest.raises(oidc.KeysUnavailable):
            oidc.read(f"{BEHIND}{path}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://127.0.0.1:9/x", "http://[::1", "nothing", ""])
def test_an_address_that_does_not_answer_is_not_available(url: str) -> None:
    with pytest.raises(oidc.KeysUnavailable):
        oidc.read(url)


def test_an_answer_that_never_ends_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "DEADLINE", -1.0)
    with pytest.raises(oidc.KeysUnavailable, match="too long"):
        oidc.read(f"{server}/small")
