"""The address of a deployment's page, for everybody who has the link: `…/d/<id>#<signature>`.

The signature is `1.<end>.<mac>`: the version of its form, the end of the link (epoch seconds), and HMAC-SHA256 over
both and the deployment's id, in URL-safe Base64. Browsers send no fragment, so it reaches no log, no Referer and no
unfurler; the page sends it in a header. Nothing here reads a clock or a table.

https://www.rfc-editor.org/rfc/rfc3986#section-3.5, https://www.rfc-editor.org/rfc/rfc9110#section-10.1.3
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import quote

_DAY = 86_400
KEPT = 7 * _DAY
"""Seconds after a deployment's end for which its page is shown."""
LONGEST = _DAY
"""Seconds that a deployment may take: TimeoutSeconds of the state machine."""
LIFE = LONGEST + KEPT
"""Seconds after a deployment's beginning at which every link to it has ended."""
_AHEAD = 3600
"""Seconds by which the clock of whoever signs may be ahead."""
_PERIOD = 7 * _DAY
_FORM = re.compile(r"1\.([0-9]{10})\.[A-Za-z0-9_-]{43}")


def key_number(end: int) -> int:
    """Of the key that signs links which end then: each signs for a week."""
    return end // _PERIOD


def key_expires(number: int) -> int:
    """Epoch seconds at which the last link of this key has ended."""
    return (number + 1) * _PERIOD


def end(started_at: float) -> int:
    """When a link to a deployment that began then ends at the latest. Both in epoch seconds."""
    return int(started_at) + LIFE


def signature(key: bytes, deployment_id: str, until: int) -> str:
    """`until`: epoch seconds, of ten digits."""
    signed = f"platform-deploy page\n1\n{until}\n{deployment_id}".encode(errors="surrogateescape")
    mac = base64.urlsafe_b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return f"1.{until}.{mac.rstrip(b'=').decode()}"


def until(text: str, now: float) -> int:
    """When the link with this signature ends, as it says itself; 0 for what no key could have signed now: another form,
    a link that has ended, or one that ends later than any."""
    found = _FORM.fullmatch(text)
    said = int(found[1]) if found else 0
    return said if now < said <= now + LIFE + _AHEAD else 0


def holds(key: bytes, deployment_id: str, text: str) -> bool:
    """Whether the signature (of the form that `until` wants) is the key's for this deployment. Takes as long whatever
    is wrong with it."""
    return hmac.compare_digest(signature(key, deployment_id, int(text.split(".")[1])).encode(), text.encode())


def address(api_url: str, deployment_id: str, signed: str) -> str:
    """`api_url`: of the stack's API, with its stage."""
    return f"{api_url}/d/{quote(deployment_id, safe='')}#{signed}"
