"""A repository's webhook for the event `workflow_run`.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from contextlib import suppress
from dataclasses import dataclass

import requests

from fakes.github import content_views
from fakes.github.model import Run
from fakes.github.repository import Repository
from fakes.github.run_views import workflow_run
from fakes.github.views import Json, Urls, plain_repository, user

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Webhook:
    """Where its deliveries go, and what signs them."""

    url: str
    secret: str

    def deliver(self, payload: Json, event: str = "workflow_run") -> None:
        """Once: GitHub does not send again by itself what was not taken."""
        body = json.dumps(payload, separators=(",", ":")).encode()
        with suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False  # the bot runs on this machine
            session.post(self.url, data=body, headers=self.headers(body, event), timeout=TIMEOUT_SECONDS)

    def headers(self, body: bytes, event: str = "workflow_run") -> dict[str, str]:
        """Those of a delivery. https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers"""
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-GitHub-Event": event,
            "X-GitHub-Hook-ID": "292430182",
            "X-Hub-Signature-256": "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest(),
        }


def completed(repository: Repository, run: Run, urls: Urls) -> Json:
    """The payload of a run that has ended."""
    text = repository.files.get(repository.default_branch, {}).get(run.path)
    return {
        "action": "completed",
        "workflow_run": workflow_run(repository, run, urls),
        "workflow": None if text is None else content_views.workflow(repository, run.path, text, "active", urls),
        "repository": plain_repository(repository, urls),
        "sender": user(run.actor, urls),
    }
