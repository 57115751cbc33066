"""JSON web tokens that are signed with RS256: the statement by which a GitHub App says who it is, and the tokens that
GitHub gives its jobs.

cryptography signs and verifies; here is the form around it (RFC 7515, 7519). PyJWT takes 180 million instructions more
to import, most of them for X.509 certificates; `tests/contract/test_jwt.py` holds this module to it.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from chatops.domain.errors import InvalidConfiguration

ALGORITHM = "RS256"
DRIFT, LIFE = 60, 540
"""Seconds: backdated by a minute, good for nine. GitHub takes at most ten, by its own clock."""
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def signed(app_id: str, private_key: str, now: float) -> str:
    """A GitHub App's token. `app_id`: the App's id or client id; `private_key`: PEM; `now`: epoch seconds.

    Raises InvalidConfiguration for a key that cannot sign, without a word of the key.
    """
    claims = {"iat": int(now) - DRIFT, "exp": int(now) + LIFE, "iss": app_id}
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": ALGORITHM}, claims))
    return f"{text}.{_encoded(_key(private_key).sign(text.encode(), PKCS1v15(), SHA256()))}"


def _key(text: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # `stage` has no key

    try:
        # in an environment, and in JSON that was quoted twice, line breaks may have become two characters
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidConfiguration("app_key_unusable")
    return key


def header(token: str) -> Mapping[str, Any]:
    """What a token says of its signature; anybody may have written it. Raises ValueError for what is no token."""
    return _object(_parts(token)[0])


def claims(token: str, key: RSAPublicKey) -> Mapping[str, Any]:
    """What the owner of the key has signed. Raises ValueError where the signature is another's, or signs no claims."""
    head, body, signature = _parts(token)
    try:
        key.verify(_decoded(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise ValueError("its signature is wrong") from None
    return _object(body)


def public_key(jwk: Mapping[str, Any]) -> RSAPublicKey:
    """The key of a JSON web key of the kind RSA (RFC 7518, 6.3). Raises ValueError where it is none."""
    exponent, modulus = (int.from_bytes(_decoded(jwk.get(name)), "big") for name in ("e", "n"))
    return RSAPublicNumbers(exponent, modulus).public_key()


def _parts(token: str) -> list[str]:
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("it has not three parts")
    return parts


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(text))
    except RecursionError:
        found = None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise ValueError("it is not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
