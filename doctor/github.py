"""GitHub's REST API, read only: each address is asked once, refusals are answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from doctor.clients import Answer, Web
from doctor.result import NoAnswer

AGENT = "platform-deploy-doctor"
_SERVER_ERROR = 500


@dataclass
class GitHub:
    """`token(repository)`: what to present for that repository (`owner/name`; empty: for none in particular)."""

    web: Web
    base: str
    token: Callable[[str], str]
    known: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def repository(self, name: str, path: str = "", **params: Any) -> Answer:
        """GET below `/repos/{owner}/{repo}`. Raises NoAnswer (also for a 5xx)."""
        return self._get(f"/repos/{name}{path}", self.token(name), params)

    def get(self, path: str, **params: Any) -> Answer:
        """GET of an address that belongs to no repository. Raises NoAnswer."""
        return self._get(path, self.token(""), params)

    def as_app(self, path: str, statement: str) -> Answer:
        """GET with a GitHub App's signed statement. Raises NoAnswer."""
        return self._get(path, statement, {}, kind="app")

    def _get(self, path: str, token: str, params: dict[str, Any], kind: str = "") -> Answer:
        key = (kind + path, repr(sorted(params.items())))
        if key not in self.known:
            answer = self.web.get(f"{self.base}{path}", headers(token), **params)
            if answer.status >= _SERVER_ERROR:
                raise NoAnswer(f"GitHub answered {answer.status} to GET {path}")
            self.known[key] = answer
        return self.known[key]


def headers(token: str) -> dict[str, str]:
    """https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api"""
    return {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "Authorization": f"Bearer {token}",
        "User-Agent": AGENT,
    }
