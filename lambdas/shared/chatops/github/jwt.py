"""The signed statement by which a GitHub App says who it is.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
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
    said = b".".join(_part(part) for part in ({"typ": "JWT", "alg": "RS256"}, claims))
    signature = _key(private_key).sign(said, padding.PKCS1v15(), hashes.SHA256())
    return b".".join((said, _encoded(signature))).decode()


def _key(text: str) -> Any:
    try:
        # in an environment, and in JSON that was quoted twice, line breaks may have become two characters
        key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise InvalidConfiguration("app_key_unusable")
    return key


def _part(content: dict[str, Any]) -> bytes:
    return _encoded(json.dumps(content, separators=(",", ":")).encode())


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
