"""page: a deployment for everybody who has the link, read-only. Never raises.

The page itself is the same for every deployment, and says nothing of one. What it shows it fetches with the link's
signature in the header Authorization, which shared caches heed. Whoever has none that holds is told the same, whether
there is such a deployment or not: nothing is read of one before.

https://www.rfc-editor.org/rfc/rfc9111#section-3.5
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

from chatops import aws, clock, http
from chatops.domain import page_link
from chatops.domain.codec import Json
from chatops.domain.errors import InvalidConfiguration, UnknownSchema
from chatops.domain.ids import EXECUTION_NAME
from chatops.domain.page_facts import Facts
from chatops.messages import page
from chatops.messages.catalogue import language, plain
from chatops.observability import logger
from chatops.settings.config import execution_url, settings
from chatops.store import page_keys, pages
from chatops.store.table import table

SHUT = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive",
}
"""The headers of every answer."""
_LONGEST = 200
"""Characters of the header Authorization; a signature takes 63 with its scheme."""
_UNKNOWN = bytes(32)
_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
"""Media types of what may be fetched by its name."""


def answer(status: int, content: Any = None, kind: str = "application/json", **headers: str) -> Json:
    """An answer with all of SHUT."""
    made = http.answer(status, content, kind)
    return {**made, "headers": {**made["headers"], **SHUT, **headers}}


def not_found() -> Json:
    """Whatever was asked for and why ever it isn't shown."""
    return answer(404, {"message": "Not Found"})


def _is_on() -> bool:
    """Whether there are pages, as the stack's setting says; not where a setting is wrong."""
    try:
        return settings().pages
    except InvalidConfiguration:
        return False


def shell(text: str) -> Json:
    """GET /d/{id}: the page without a deployment, whatever the id; `{{key}}` in it are texts of the catalogues."""
    if not _is_on():
        return not_found()
    for key in page.LABELS:
        text = text.replace(f"{{{{{key}}}}}", html.escape(plain(key)))
    return answer(200, text.replace("{{language}}", language()), "text/html; charset=utf-8")


def file(event: Any, files: Mapping[str, str]) -> Json:
    """GET /pages/{name}: one of the page's scripts and styles; 304 for whoever has it."""
    name = _parameter(event, "name")
    kind = _KINDS.get(name.rpartition(".")[2], "")
    if name not in files or not kind or not _is_on():
        return not_found()
    etag = _etag(files[name])
    fresh = {"cache-control": "no-cache", "etag": etag}
    return _having(event, etag) or answer(200, files[name], kind, **fresh)


def state(event: Any) -> Json:
    """GET /d/{id}/state: 200 with what docs/page.md describes, 304 for whoever has it, 404, or 503 to try again."""
    deployment_id, signed = _parameter(event, "id"), _signature(http.headers(event))
    try:
        if not (EXECUTION_NAME.fullmatch(deployment_id) and signed and settings().pages):
            return not_found()
        found = _state(deployment_id, signed)
    except UnknownSchema as error:
        logger.error("a row cannot be read", reason=error.args[0])
        return answer(503, {"message": "Try again."})
    except InvalidConfiguration as error:
        logger.error("a setting is wrong", reason=error.text)
        return answer(503, {"message": "Try again."})
    except aws.failures() as error:
        logger.error("the table did not answer", error=aws.error_code(error) or type(error).__name__)
        return answer(503, {"message": "Try again."})
    if found is None:
        return not_found()
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    text = text.encode(errors="replace").decode()
    etag = _etag(text)
    return _having(event, etag) or answer(200, text, etag=etag, vary="authorization")


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _having(event: Any, etag: str) -> Json | None:
    """304 where If-None-Match names it. https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match"""
    tags = (tag.strip().removeprefix("W/") for tag in http.headers(event).get("if-none-match", "").split(","))
    return answer(304, etag=etag) if etag in tags else None


def _parameter(event: Any, name: str) -> str:
    """Of the path; empty where there is none."""
    given = event.get("pathParameters") if isinstance(event, dict) else None
    found = given.get(name) if isinstance(given, dict) else None
    return found if isinstance(found, str) else ""


def _signature(headers: dict[str, str]) -> str:
    given = headers.get("authorization", "")
    scheme, _, signed = given.partition(" ")
    return signed if len(given) <= _LONGEST and scheme.lower() == "bearer" else ""


def _state(deployment_id: str, signed: str) -> Json | None:
    now = clock.now()
    until = page_link.until(signed, now)
    if not until:
        return None
    rows = table()
    key = page_keys.get(rows, page_link.key_number(until))
    if not page_link.holds(key or _UNKNOWN, deployment_id, signed) or key is None:
        return None
    facts = pages.get(rows, deployment_id)
    if facts is None or _is_over(facts, now):
        return None
    made = page.shown(facts, execution_url(facts.deployment.execution_arn))
    known = pages.names(rows, page.mentioned(made))
    requester = facts.deployment.plan.requester
    if requester.name:
        known = {requester.id: requester.name, **known}
    return {**made, "names": known}


def _is_over(facts: Facts, now: float) -> bool:
    ended = clock.seconds(facts.deployment.outcome.at or "")
    return bool(ended) and now > ended + page_link.KEPT
