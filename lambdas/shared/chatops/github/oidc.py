"""Verifies the OIDC tokens that GitHub gives its jobs: who signed, for whom, and until when.

Only the `stage` function imports this.
https://docs.github.com/en/actions/reference/security/oidc, https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from chatops import clock
from chatops.domain.errors import InvalidConfiguration
from chatops.domain.reason import Reason
from chatops.github import jwt
from chatops.network import tls
from chatops.network.kept import PROXIES, Kept, path_of
from chatops.observability import logger
from chatops.settings.config import settings

LEEWAY = 30
"""Seconds that clocks may differ by."""
LONGEST_TOKEN = 16_384
"""Characters. GitHub's have about two thousand."""
MOST_BYTES = 262_144
"""Of the issuer's answers. GitHub's have a few thousand."""
LEAST_BITS = 2048
TIMEOUT, DEADLINE = 3.0, 5.0
"""Seconds between two bytes, and for an answer of the issuer's."""
AGAIN, AGAIN_FAILED, MAX_AGE = 60.0, 5.0, 3600.0
"""Seconds between two looks at the issuer's keys for one that isn't known; after a look that failed; and after which
known keys are read again."""
DISCOVERY = "/.well-known/openid-configuration"


class TokenRefused(Exception):
    """The token isn't one of the issuer's for this stack; the text says why, and nothing of the token."""


class KeysUnavailable(Exception):
    """The issuer's keys can't be read now; the text says why."""


class Issuer:
    """An issuer of tokens (`url`, as its tokens name it) for one audience. Its keys are kept in the process."""

    def __init__(self, url: str, audience: str) -> None:
        self._url, self._audience = url, audience
        self._keys: dict[str, RSAPublicKey] = {}
        self._read_at = self._tried_at = -math.inf
        self._failed = False

    def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a valid token. Raises TokenRefused and KeysUnavailable."""
        if not token:
            raise TokenRefused("the request has no token (Authorization: Bearer …). The job needs id-token: write")
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("its token is too long")
        try:
            header = jwt.header(token)
        except ValueError:
            raise TokenRefused("its token is no JSON web token") from None
        kid = header.get("kid")
        if header.get("alg") != jwt.ALGORITHM or not isinstance(kid, str):
            raise TokenRefused(f"its token isn't signed as GitHub signs them ({jwt.ALGORITHM}, with a kid)")
        try:
            if "crit" in header:  # an extension that has to be understood; GitHub uses none
                raise ValueError("it has an extension")
            claims = jwt.claims(token, self._key(kid))
            self._check(claims)
        except ValueError:
            raise TokenRefused("its token's signature or form is wrong") from None
        return claims

    def _check(self, claims: Mapping[str, Any]) -> None:
        """RFC 7519, 4.1. Raises TokenRefused, and ValueError for a time that is none."""
        for name in ("exp", "iat", "nbf", "aud", "iss"):
            if claims.get(name) is None:
                raise TokenRefused(f"its token has no {name}")
        if not all(isinstance(claims.get(name, ""), str) for name in ("sub", "jti")):
            raise ValueError("its subject or id is no text")
        now = clock.now()
        if max(_seconds(claims["iat"]), _seconds(claims["nbf"])) > now + LEEWAY:
            raise TokenRefused("its token isn't valid yet: clocks differ")
        if _seconds(claims["exp"]) <= now - LEEWAY:
            raise TokenRefused("its token has expired. Ask for a new one for each request")
        if claims["iss"] != self._url:
            raise TokenRefused(f"its token isn't of the issuer {self._url} (GithubOidcIssuer of the stack)")
        if claims["aud"] != self._audience:
            raise TokenRefused(
                f"its token is for another audience than {self._audience} (chatops_audience of the workflow)"
            )

    def _key(self, kid: str) -> RSAPublicKey:
        now = clock.now()
        if kid not in self._keys or now - self._read_at > MAX_AGE:
            self._read(now)
        if found := self._keys.get(kid):
            return found
        if self._failed:
            raise KeysUnavailable(f"the keys of {self._url} can't be read")
        raise TokenRefused(f"its token is signed with a key that {self._url} doesn't have")

    def _read(self, now: float) -> None:
        """Read the keys anew, unless that was tried just now; where it fails the known ones stay."""
        if now - self._tried_at < (AGAIN_FAILED if self._failed else AGAIN):
            return
        self._tried_at, self._failed = now, True  # until it is known to have gone well, whatever is raised
        try:
            self._keys = _usable(_json(self._keys_url()))
        except KeysUnavailable as error:
            logger.warning("the issuer's keys were not read", issuer=self._url, reason=str(error))
        else:
            self._failed, self._read_at = False, now

    def _keys_url(self) -> str:
        """Where the issuer says that its keys are. A place on another host is none of its own."""
        found = _json(self._url + DISCOVERY)
        url = found.get("jwks_uri")
        if found.get("issuer") != self._url or not isinstance(url, str) or _origin(url) != _origin(self._url):
            raise KeysUnavailable("its configuration names another issuer, or keys on another host")
        return url


def _seconds(moment: Any) -> float:
    """RFC 7519's NumericDate. Raises ValueError for what is none."""
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not -1e12 < moment < 1e12:
        raise ValueError("it is no time")
    return moment


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def _usable(found: Mapping[str, Any]) -> dict[str, RSAPublicKey]:
    """The RSA keys for signatures by their `kid`, of a JSON Web Key Set. Raises KeysUnavailable where it has none."""
    listed = found.get("keys")
    made: dict[str, RSAPublicKey] = {}
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("kty") != "RSA" or one.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.public_key(one)
        except ValueError:
            continue
        kid = one.get("kid")
        if isinstance(kid, str) and key.key_size >= LEAST_BITS:
            made[kid] = key
    if not made:
        raise KeysUnavailable("it has no usable key")
    return made


def _json(url: str) -> Mapping[str, Any]:
    try:
        found = json.loads(read(url))
    except (ValueError, RecursionError):
        raise KeysUnavailable("its answer is no JSON") from None
    if not isinstance(found, dict):
        raise KeysUnavailable("its answer is no JSON object")
    return found


def read(url: str) -> bytes:
    """The body of a GET, 200 and no redirect, at most MOST_BYTES, within DEADLINE. Raises KeysUnavailable."""
    ask = _through_a_proxy if any(map(os.environ.get, PROXIES)) else _straight
    try:
        status, body = ask(url, partial(_body, time.monotonic() + DEADLINE))
    except (OSError, HTTPException, ValueError) as error:
        raise KeysUnavailable(f"it did not answer ({type(error).__name__})") from None
    if not 200 <= status < 300:
        raise KeysUnavailable(f"it answered {status}")
    return body if status == 200 else b""


def _straight(url: str, body: Callable[[HTTPResponse], bytes]) -> tuple[int, bytes]:
    server = Kept(url, TIMEOUT, TIMEOUT, tls.web)
    try:
        answer = server.get(path_of(url), body)
    finally:
        server.close()
    return answer.status, answer.body


def _through_a_proxy(url: str, body: Callable[[HTTPResponse], bytes]) -> tuple[int, bytes]:
    from urllib import request  # it takes longer to import than to ask

    class NoRedirect(request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """None: what is elsewhere isn't asked for; urllib then reports the answer as an error."""

    opener = request.build_opener(NoRedirect, request.HTTPSHandler(context=tls.web()))
    with opener.open(url, timeout=TIMEOUT) as answer:
        return answer.status, body(answer)


def _body(until: float, answer: HTTPResponse) -> bytes:
    body = b""
    while chunk := answer.read1(65_536):
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > until:
            raise KeysUnavailable("its answer is too long, or takes too long")
    return body


@cache
def issuer() -> Issuer:
    """The issuer of this stack's pipelines. Raises InvalidConfiguration without an audience."""
    if not settings().oidc_audience:
        raise InvalidConfiguration("not_set", name="CHATOPS_AUDIENCE", what=Reason("what_audience"))
    return Issuer(settings().oidc_issuer, settings().oidc_audience)
