"""The endpoints of deployments and their statuses.

https://docs.github.com/rest/deployments/deployments, …/deployments/statuses
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from fakes.github.errors import ApiError
from fakes.github.grants import need
from fakes.github.model import STATES, Deployment, DeploymentStatus, iso
from fakes.github.paging import page_of
from fakes.github.reply import listed, reply, urls
from fakes.github.views import Json, node_id, user

if TYPE_CHECKING:
    from fakes.github.github import GitHub
    from fakes.github.repository import Repository

DOCS = {
    "deployments": "deployments/deployments#list-deployments",
    "create_deployment": "deployments/deployments#create-a-deployment",
    "deployment_statuses": "deployments/statuses#list-deployment-statuses",
    "create_status": "deployments/statuses#create-a-deployment-status",
}
FILTERS = ("sha", "ref", "task", "environment")


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    @app.get("/repos/<owner>/<repo>/deployments")
    def deployments(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("deployments", "read")
        with github.lock:
            wanted = {name: request.args[name] for name in FILTERS if name in request.args}
            kept = [it for it in found.deployments if all(getattr(it, name) == text for name, text in wanted.items())]
            page = page_of(kept[::-1], request.args, listed(found))
            return reply([_deployment(found, it) for it in page.items], link=page.link)

    @app.post("/repos/<owner>/<repo>/deployments")
    def create_deployment(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("deployments")
        asked = _body("ref")
        with github.lock:
            commit = found.resolve(str(asked["ref"]))
            if commit is None:
                raise ApiError(422, f"No ref found for: {asked['ref']}")
            made = Deployment(
                id=len(found.deployments) + 1,
                sha=commit.sha,
                ref=asked["ref"],
                task=asked.get("task", "deploy"),
                environment=(environment := asked.get("environment", "production")),
                payload=asked.get("payload", ""),
                description=asked.get("description") or "",
                created=github.clock.now(),
                transient=asked.get("transient_environment", False),
                production=asked.get("production_environment", environment == "production"),
                asked=asked,
            )
            found.deployments.append(made)
            return reply(_deployment(found, made), 201)

    @app.get("/repos/<owner>/<repo>/deployments/<int:number>/statuses")
    def deployment_statuses(owner: str, repo: str, number: int) -> Response:
        found = github.repository(owner, repo)
        need("deployments", "read")
        with github.lock:
            known = _find(found, number)
            page = page_of(known.statuses[::-1], request.args, listed(found))
            return reply([_status(found, known, it) for it in page.items], link=page.link)

    @app.post("/repos/<owner>/<repo>/deployments/<int:number>/statuses")
    def create_status(owner: str, repo: str, number: int) -> Response:
        found = github.repository(owner, repo)
        need("deployments")
        asked = _body("state")
        if asked["state"] not in STATES:
            raise ApiError(422)
        now = github.clock.now()
        with github.lock:
            known = _find(found, number)
            log_url = str(asked.get("log_url") or asked.get("target_url") or "")
            made = DeploymentStatus(asked["state"], str(asked.get("description") or ""), log_url, now)
            known.statuses.append(made)
            if made.state == "success" and asked.get("auto_inactive", True):
                found.replaced_by(known, now)
            return reply(_status(found, known, made), 201)


def _body(required: str) -> dict[str, Any]:
    """Raises ApiError 400, 422."""
    try:
        asked = json.loads(request.get_data() or b"null")
    except ValueError:
        raise ApiError(400) from None
    if not isinstance(asked, dict) or required not in asked:
        raise ApiError(422, f'Invalid request.\n\n"{required}" wasn\'t supplied.')
    return asked


def _find(repository: Repository, number: int) -> Deployment:
    found = next((it for it in repository.deployments if it.id == number), None)
    if found is None:
        raise ApiError(404)
    return found


def _deployment(repository: Repository, it: Deployment) -> Json:
    """A `deployment`."""
    api = urls().repo(repository.full_name)
    me = f"{api}/deployments/{it.id}"
    return {
        "url": me,
        "id": it.id,
        "node_id": node_id("DE", it.id),
        "task": it.task,
        "original_environment": it.environment,
        "environment": it.environment,
        "description": it.description or None,
        "created_at": iso(it.created),
        "updated_at": iso(it.statuses[-1].created if it.statuses else it.created),
        "statuses_url": f"{me}/statuses",
        "repository_url": api,
        "creator": user("chatops-bot", urls()),
        "sha": it.sha,
        "ref": it.ref,
        "payload": it.payload,
        "transient_environment": it.transient,
        "production_environment": it.production,
        "performed_via_github_app": None,
    }


def _status(repository: Repository, of: Deployment, it: DeploymentStatus) -> Json:
    """A `deployment-status`."""
    api = urls().repo(repository.full_name)
    number = of.id * 1000 + of.statuses.index(it) + 1
    return {
        "url": f"{api}/deployments/{of.id}/statuses/{number}",
        "id": number,
        "node_id": node_id("DES", number),
        "state": it.state,
        "creator": user("chatops-bot", urls()),
        "description": it.description,
        "environment": of.environment,
        "target_url": it.log_url,
        "created_at": iso(it.created),
        "updated_at": iso(it.created),
        "deployment_url": f"{api}/deployments/{of.id}",
        "repository_url": api,
        "environment_url": "",
        "log_url": it.log_url,
        "performed_via_github_app": None,
    }
