"""The endpoints as one Flask app: repositories here, Apps, files, deployments, git data, subjects, jobs' tokens,
runs, and environments with their settings in `app_routes`, `content_routes`, `deployment_routes`, `git_routes`,
`identity_routes`, `oidc_routes`, `run_routes` and `settings_routes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from fakes.github import (
    app_routes,
    content_routes,
    deployment_routes,
    git_routes,
    identity_routes,
    oidc_routes,
    run_routes,
    settings_routes,
    views,
)
from fakes.github.dispatch import read_event
from fakes.github.errors import ApiError, error_body
from fakes.github.grants import accepted, need
from fakes.github.listening import Event
from fakes.github.reply import reply, urls

if TYPE_CHECKING:
    from fakes.github.github import GitHub

#: Endpoint -> its page below docs.github.com/rest, as it stands in that endpoint's error bodies.
DOCS = {
    "repository": "repos/repos#get-a-repository",
    "dispatches": "repos/repos#create-a-repository-dispatch-event",
    **app_routes.DOCS,
    **content_routes.DOCS,
    **deployment_routes.DOCS,
    **git_routes.DOCS,
    **identity_routes.DOCS,
    **run_routes.DOCS,
    **settings_routes.DOCS,
}


def create_app(github: GitHub) -> Flask:
    """The endpoints over one fake's state; `Gate` stands in front of them."""
    app = Flask("fakes.github")
    app.url_map.strict_slashes = False

    def refuse(error: ApiError) -> Response:
        docs = DOCS.get(request.endpoint or "", "")
        response = reply(error_body(error.status, error.message, docs, error.errors), error.status)
        response.headers.update(accepted())
        return response

    def unknown(error: HTTPException) -> Response:
        # GitHub answers 404 where others would say 405, too.
        status = 404 if error.code in (404, 405) else (error.code or 500)
        return refuse(ApiError(status))

    app.register_error_handler(ApiError, refuse)
    app.register_error_handler(HTTPException, unknown)
    _repository_routes(app, github)
    app_routes.register(app, github)
    content_routes.register(app, github)
    deployment_routes.register(app, github)
    git_routes.register(app, github)
    identity_routes.register(app, github)
    oidc_routes.register(app, github)
    run_routes.register(app, github)
    settings_routes.register(app, github)
    return app


def _repository_routes(app: Flask, github: GitHub) -> None:
    @app.get("/repos/<owner>/<repo>")
    def repository(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        return reply(views.full_repository(found, urls()))

    @app.post("/repos/<owner>/<repo>/dispatches")
    def dispatches(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        if found.archived or not found.push:
            raise ApiError(403, "Repository was archived so is read-only." if found.archived else None)
        need("contents")
        event_type, payload = read_event(request.get_data())
        github.trigger(found, Event(event_type, payload))
        return Response(status=204)

    @app.get("/rate_limit")
    def rate_limit() -> Response:
        core = github.rate_limit.body()
        search = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
        return reply({"resources": {"core": core, "search": search}, "rate": core})
