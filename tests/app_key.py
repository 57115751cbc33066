"""A GitHub App for tests: its id, and a private key that nobody else has."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

APP_ID = "987654"


def private_key(which: int = 1) -> str:
    """PEM as GitHub hands it out (PKCS#1); another number is another key."""
    return _made(which)


@cache
def _made(_which: int) -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
