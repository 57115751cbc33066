"""The endpoints of environments, of variables and secrets, and of the rules of a branch.

https://docs.github.com/rest/deployments/environments, …/actions/variables, …/actions/secrets, …/repos/rules
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Response, request

from fakes.github.errors import ApiError
from fakes.github.grants import need
from fakes.github.model import iso, sha1
from fakes.github.paging import page_of
from fakes.github.reply import listed, reply, urls
from fakes.github.views import Json, node_id

if TYPE_CHECKING:
    from fakes.github.github import GitHub
    from fakes.github.repository import Environment, Repository

DOCS = {
    "environment": "deployments/environments#get-an-environment",
    "environment_variables": "actions/variables#list-environment-variables",
    "environment_secrets": "actions/secrets#list-environment-secrets",
    "repository_variables": "actions/variables#list-repository-variables",
    "repository_secrets": "actions/secrets#list-repository-secrets",
    "branch_rules": "repos/rules#get-rules-for-a-branch",
}


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    @app.get("/repos/<owner>/<repo>/environments/<name>")
    def environment(owner: str, repo: str, name: str) -> Response:
        found = github.repository(owner, repo)
        need("actions", "read")
        return reply(_environment(found, name, _known(found, name)))

    @app.get("/repos/<owner>/<repo>/environments/<name>/variables")
    def environment_variables(owner: str, repo: str, name: str) -> Response:
        found = github.repository(owner, repo)
        need("environments", "read")
        return _variables(found, _known(found, name).variables)

    @app.get("/repos/<owner>/<repo>/environments/<name>/secrets")
    def environment_secrets(owner: str, repo: str, name: str) -> Response:
        found = github.repository(owner, repo)
        need("environments", "read")
        return _secrets(found, _known(found, name).secrets)

    @app.get("/repos/<owner>/<repo>/actions/variables")
    def repository_variables(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("actions_variables", "read")
        return _variables(found, found.variables)

    @app.get("/repos/<owner>/<repo>/actions/secrets")
    def repository_secrets(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("secrets", "read")
        return _secrets(found, found.secrets)

    @app.get("/repos/<owner>/<repo>/rules/branches/<path:branch>")
    def branch_rules(owner: str, repo: str, branch: str) -> Response:
        found = github.repository(owner, repo)
        need("metadata", "read")
        rules = found.rules if branch == found.default_branch else ()
        source = {"ruleset_source_type": "Repository", "ruleset_source": found.full_name, "ruleset_id": 42}
        page = page_of([{**rule, **source} for rule in rules], request.args, listed(found))
        return reply(page.items, link=page.link)


def _known(repository: Repository, name: str) -> Environment:
    found = repository.environment(name)
    if found is None:
        raise ApiError(404)
    return found


def _environment(repository: Repository, name: str, it: Environment) -> Json:
    """An `environment`."""
    number = int(sha1(repository.full_name, name)[:6], 16)
    api, page = urls().repo(repository.full_name), urls().page(repository.full_name)
    rule = {"id": number + 1, "node_id": node_id("GA", number + 1), "type": "branch_policy"}
    limited = {"protected_branches": False, "custom_branch_policies": True}
    return {
        "id": number,
        "node_id": node_id("EN", number),
        "name": name,
        "url": f"{api}/environments/{quote(name, safe='')}",
        "html_url": f"{page}/deployments/activity_log?environments_filter={quote(name, safe='')}",
        "created_at": iso(repository.created),
        "updated_at": iso(repository.created),
        "protection_rules": [rule] if it.limited else [],
        "deployment_branch_policy": limited if it.limited else None,
    }


def _variables(repository: Repository, found: dict[str, str]) -> Response:
    """A list of `actions-variable`."""
    page = page_of(sorted(found.items()), request.args, listed(repository), 10)
    when = iso(repository.created)
    items = [{"name": name, "value": value, "created_at": when, "updated_at": when} for name, value in page.items]
    return reply({"total_count": len(found), "variables": items}, link=page.link)


def _secrets(repository: Repository, names: Iterable[str]) -> Response:
    """A list of `actions-secret`: names, never a value."""
    found = sorted(names)
    page = page_of(found, request.args, listed(repository))
    when = iso(repository.created)
    items = [{"name": name, "created_at": when, "updated_at": when} for name in page.items]
    return reply({"total_count": len(found), "secrets": items}, link=page.link)
