"""AWS's Signature Version 4 of a POST to `/`, which is all that AWS's JSON protocols send.

botocore's signer is three hundred million instructions to import, three times what the rest of a request takes; a
contract test holds this one to it. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from chatops.values import dataclass

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """`token`: of a session; empty for a key that lasts."""

    key: str
    secret: str
    token: str = ""


def signed(
    headers: Mapping[str, str], body: bytes, by: Credentials, region: str, service: str, at: str
) -> dict[str, str]:
    """The headers with what signs them. They hold `Host`, and are all signed; `service`: its name in signatures; `at`:
    the time as `20260131T120000Z`."""
    made = {**headers, "X-Amz-Date": at, **({"X-Amz-Security-Token": by.token} if by.token else {})}
    lower = {name.lower(): " ".join(value.split()) for name, value in made.items()}
    names = ";".join(sorted(lower))
    lines = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{by.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    made["Authorization"] = f"{_ALGORITHM} Credential={by.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return made
