"""Our JSON web tokens beside PyJWT's: the same are made, and none is believed that PyJWT refuses."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from chatops.github import jwt, oidc
from fakes.github.oidc import Oidc
from tests.app_key import APP_ID, private_key
from tests.faults.hostile_tokens import HEADERS, OTHERS
from tests.unit.conftest import environment
from tests.unit.job_tokens import AUDIENCE, ISSUER, Jobs

__all__ = ["environment"]

JOBS = Jobs(Oidc(ISSUER))
KEY = load_pem_private_key(private_key().encode(), None)
PUBLIC = KEY.public_key()
CHARACTERS = "AZaz09-_.=+/ \n\x00é"


def theirs(token: str, key: Any) -> Mapping[str, Any] | None:
    """The claims of a token that PyJWT believes, asked as strictly as it can be."""
    required = ["exp", "iat", "nbf", "aud", "iss"]
    options: Any = {"require": required, "strict_aud": True}
    try:
        return pyjwt.decode(token, key, ["RS256"], options, audience=AUDIENCE, issuer=ISSUER, leeway=oidc.LEEWAY)
    except (pyjwt.PyJWTError, ValueError, RecursionError):
        return None


def ours(token: str, issuer: oidc.Issuer) -> Mapping[str, Any] | None:
    try:
        return issuer.claims(token)
    except oidc.TokenRefused:
        return None


@pytest.fixture(scope="module")
def issuer() -> Any:
    """That of JOBS, with its keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oidc, "read", JOBS.read)
        made = oidc.Issuer(ISSUER, AUDIENCE)
        assert ours(JOBS.token(), made), "a good one"
        yield made


@given(st.integers(0, 4_000_000_000) | st.floats(0, 4e9), st.sampled_from([APP_ID, "Iv23liabc"]))
def test_an_apps_token_is_pyjwts(now: float, app_id: str) -> None:
    claims = {"iat": int(now) - jwt.DRIFT, "exp": int(now) + jwt.LIFE, "iss": app_id}
    made = jwt.signed(app_id, private_key(), now)
    assert pyjwt.get_unverified_header(made) == {"typ": "JWT", "alg": "RS256"}
    assert pyjwt.decode(made, PUBLIC, ["RS256"], {"verify_exp": False, "verify_iat": False}) == claims
    assert jwt.claims(pyjwt.encode(claims, KEY, "RS256"), PUBLIC) == claims


def test_a_published_key_is_pyjwts() -> None:
    for one in JOBS.fake.jwks()["keys"]:
        found = pyjwt.PyJWK(one).key
        assert isinstance(found, RSAPublicKey)
        assert jwt.public_key(one).public_numbers() == found.public_numbers()


@pytest.mark.parametrize("claim", OTHERS)
def test_what_the_issuer_signs_is_believed_as_pyjwt_believes_it(claim: str, issuer: oidc.Issuer) -> None:
    key = pyjwt.PyJWK(JOBS.fake.jwks()["keys"][-1]).key
    for value in [*OTHERS[claim], True, 1.5, str(int(time.time())), 10**400]:
        token = JOBS.token(**{claim: value})
        found, expected = ours(token, issuer), theirs(token, key)
        assert found in (expected, None), value
        if claim not in ("exp", "nbf", "iat"):  # where a number in quotes is no time to us
            assert repr(found) == repr(expected), value


@pytest.mark.parametrize("header", HEADERS, ids=repr)
def test_another_header_is_refused(header: dict[str, Any], issuer: oidc.Issuer) -> None:
    with pytest.raises((oidc.TokenRefused, oidc.KeysUnavailable)):
        issuer.claims(JOBS.fake.signed(JOBS.claims(), header))


@given(st.data())
def test_a_token_with_other_characters_is_believed_by_nobody_or_both(issuer: oidc.Issuer, data: st.DataObject) -> None:
    good = JOBS.token()
    at = data.draw(st.integers(0, len(good)))
    part = data.draw(st.text(CHARACTERS, max_size=3))
    token = good[:at] + part + good[at + data.draw(st.integers(0, 3)) :]
    key = pyjwt.PyJWK(JOBS.fake.jwks()["keys"][-1]).key
    if (found := ours(token, issuer)) is not None:
        assert found == theirs(token, key)


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


DEEP = urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c.d", f"{_part([])}.x.x", f"{DEEP}.x.x", "é.é.é", f"{_part({})}.=.=", "A.A.A"],
)
def test_what_is_no_token_has_no_header_and_no_claims(token: str) -> None:
    assert theirs(token, PUBLIC) is None
    with pytest.raises(ValueError, match=r"\w"):
        jwt.claims(token, PUBLIC)


@pytest.mark.parametrize("body", ["[]", "7", "null", "x", ""])
def test_what_is_signed_and_no_object_has_no_claims(body: str) -> None:
    signed = pyjwt.api_jws.encode(body.encode(), KEY, "RS256")
    with pytest.raises(ValueError, match=r"\w"):
        jwt.claims(signed, PUBLIC)
