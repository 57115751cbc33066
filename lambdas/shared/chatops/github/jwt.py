"""The signed statement by which a GitHub App says who it is.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chatops.domain.errors import InvalidConfiguration

DRIFT, LIFE = 60, 540
"""Seconds: backdated by a minute, good for nine. GitHub takes at most ten, by its own clock."""


def signed(app_id: str, private_key: str, now: float) -> str:
    """A JSON web token (RS256). `app_id`: the App's id or client id; `private_key`: PEM; `now`: epoch seconds.

    Raises InvalidConfiguration for a key that cannot sign, without a word of the key.
    """
    claims = {"iat": int(now) - DRIFT, "exp": int(now) + LIFE, "iss": app_id}
    return jwt.encode(claims, _key(private_key), algorithm="RS256")


def _key(text: str) -> Any:
    try:
        # in an environment, and in JSON that was quoted twice, line breaks may have become two characters
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidConfiguration("app_key_unusable")
    return key
