"""GitHub's webhook deliveries: their signature, over the raw bytes, and which run one is about. Never raises.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from chatops.values import dataclass

_FORM = re.compile(r"sha256=[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that a repository_dispatch began, and that has ended. `repository`: owner/name, as GitHub writes it."""

    repository: str
    run_id: int


def plausible(headers: Mapping[str, str]) -> bool:
    """False for what no secret could make good: it is refused before the secret is even looked for."""
    return _FORM.fullmatch(headers.get("x-hub-signature-256", "")) is not None


def verified(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """True if `body` was signed with `secret`. `headers`: names in lower case."""
    if not secret or not plausible(headers):
        return False
    expected = "sha256=" + hmac.new(secret.encode(errors="surrogateescape"), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, headers["x-hub-signature-256"])


def ended_run(headers: Mapping[str, str], body: bytes) -> EndedRun | None:
    """The run that the delivery tells the end of; None for every other delivery, a ping among them."""
    if headers.get("x-github-event") != "workflow_run":
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("action") != "completed":
        return None
    run, repository = found.get("workflow_run"), found.get("repository")
    if not isinstance(run, dict) or not isinstance(repository, dict) or run.get("event") != "repository_dispatch":
        return None
    name, run_id = repository.get("full_name"), run.get("id")
    if not isinstance(name, str) or type(run_id) is not int:
        return None
    return EndedRun(name, run_id)
