"""The endpoints that a GitHub App calls as itself. https://docs.github.com/rest/apps/apps"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from fakes.github import app_views, views
from fakes.github.errors import ApiError
from fakes.github.reply import reply, urls

if TYPE_CHECKING:
    from fakes.github.apps import App
    from fakes.github.github import GitHub

DOCS = {
    "installation": "apps/apps#get-a-repository-installation-for-the-authenticated-app",
    "access_tokens": "apps/apps#create-an-installation-access-token-for-an-app",
}
FIELDS = frozenset({"repositories", "repository_ids", "permissions"})


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app. Whose request it is, `Gate` has found out."""

    def caller() -> App:
        found: App = request.environ["github.app"]
        return found

    @app.get("/repos/<owner>/<repo>/installation")
    def installation(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        with github.lock:
            return reply(app_views.installation(github.apps.on(caller(), found.owner, found.name), urls()))

    @app.post("/app/installations/<int:number>/access_tokens")
    def access_tokens(number: int) -> Response:
        names, permissions = _limits(request.get_data())
        with github.lock:
            made = github.apps.give(caller(), number, names, permissions)
        body = app_views.token(made)
        if names is not None:
            owner = made.installation.owner
            body["repositories"] = [views.plain_repository(github.repository(owner, n), urls()) for n in names]
        return reply(body, 201)


def _limits(body: bytes) -> tuple[list[str] | None, Mapping[str, str] | None]:
    """Repositories and permissions that were asked for, None for all. Raises ApiError 400, 422."""
    try:
        asked: Any = json.loads(body or b"{}")
    except ValueError:
        raise ApiError(400) from None
    if not isinstance(asked, dict) or set(asked) - FIELDS:
        raise ApiError(422, "Invalid request.")
    names, permissions = asked.get("repositories"), asked.get("permissions")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ApiError(422, "Invalid request.")
    if permissions is not None and not isinstance(permissions, dict):
        raise ApiError(422, "Invalid request.")
    return names, permissions
