"""Reading an App's JSON web token as strictly as GitHub: signature, times, issuer.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from fakes.github.errors import ApiError

LONGEST = 600
"""Seconds that a token may be good for."""

UNREADABLE = "A JSON web token could not be decoded"
EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion "
    "expires"
)
TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
NOT_YET = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


def issuer(token: str, key_of: Callable[[str], RSAPublicKey | None], now: float) -> str:
    """Who signed it, by id or client id. `key_of` gives the issuer's public key, None for an unknown issuer.

    Raises ApiError: 401 for what is wrong with the token, 404 for an issuer that does not exist.
    """
    try:
        head, body, signature = token.split(".")
        header, claims = _json(head), _json(body)
        signed = _decoded(signature)
    except ValueError:
        raise ApiError(401, UNREADABLE) from None
    if header.get("alg") != "RS256":
        raise ApiError(401, UNREADABLE)
    key = key_of(str(claims.get("iss")))
    if key is None:
        raise ApiError(404, "Integration not found")
    try:
        key.verify(signed, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise ApiError(401, UNREADABLE) from None
    _in_time(claims, now)
    return str(claims["iss"])


def _in_time(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(expires, int | float) or expires <= now:
        raise ApiError(401, EXPIRED)
    if expires > now + LONGEST:
        raise ApiError(401, TOO_FAR)
    if not isinstance(issued, int) or issued > now:
        raise ApiError(401, NOT_YET)


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _json(part: str) -> dict[str, Any]:
    found = json.loads(_decoded(part))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
