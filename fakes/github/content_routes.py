"""The endpoints of files, branches, workflows and the policy of Actions.

https://docs.github.com/rest/repos/contents, …/branches/branches, …/actions/workflows, …/actions/permissions
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fakes.github import content_views
from fakes.github.errors import ApiError
from fakes.github.grants import need
from fakes.github.paging import page_of
from fakes.github.reply import listed, reply, urls
from fakes.github.workflow import WORKFLOW_NAME
from pipeline.caller import FOLDER

if TYPE_CHECKING:
    from fakes.github.github import GitHub
    from fakes.github.repository import Repository

DOCS = {
    "contents": "repos/contents#get-repository-content",
    "branches": "branches/branches#list-branches",
    "workflows": "actions/workflows#list-repository-workflows",
    "workflow": "actions/workflows#get-a-workflow",
    "actions_permissions": "actions/permissions#get-github-actions-permissions-for-a-repository",
    "selected_actions": "actions/permissions#get-allowed-actions-and-reusable-workflows-for-a-repository",
}


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    @app.get("/repos/<owner>/<repo>/contents/<path:path>")
    def contents(owner: str, repo: str, path: str) -> Response:
        found = github.repository(owner, repo)
        need("contents", "read")
        ref = request.args.get("ref") or found.default_branch
        return reply(_contents(found, ref, path.strip("/")))

    @app.get("/repos/<owner>/<repo>/branches")
    def branches(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("contents", "read")
        page = page_of(sorted(found.branches), request.args, listed(found))
        return reply([content_views.branch(found, name, urls()) for name in page.items], link=page.link)

    @app.get("/repos/<owner>/<repo>/actions/workflows")
    def workflows(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("actions", "read")
        files = found.files.get(found.default_branch, {})
        page = page_of(sorted(files.items()), request.args, listed(found))
        items = [
            content_views.workflow(found, path, text, found.workflow_states.get(path, "active"), urls())
            for path, text in page.items
        ]
        return reply({"total_count": len(files), "workflows": items}, link=page.link)

    @app.get("/repos/<owner>/<repo>/actions/workflows/<name>")
    def workflow(owner: str, repo: str, name: str) -> Response:
        found = github.repository(owner, repo)
        need("actions", "read")
        path, state = f"{FOLDER}/{name}", found.workflow_states
        files = found.files.get(found.default_branch)
        text = (files or {}).get(path) if files is not None else f"name: {WORKFLOW_NAME}"
        if text is None:
            raise ApiError(404)
        return reply(content_views.workflow(found, path, text, state.get(path, "active"), urls()))

    @app.get("/repos/<owner>/<repo>/actions/permissions")
    def actions_permissions(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("administration", "read")
        return reply(content_views.policy(found, urls()))

    @app.get("/repos/<owner>/<repo>/actions/permissions/selected-actions")
    def selected_actions(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("administration", "read")
        if found.allowed_actions != "selected":
            raise ApiError(409)
        chosen = {"github_owned_allowed": found.github_owned_allowed, "verified_allowed": False, "patterns_allowed": []}
        return reply(chosen)


def _contents(repository: Repository, ref: str, path: str) -> object:
    """A file, or the list of a directory. Files are kept by branch; commits and tags show the default branch's."""
    if repository.resolve(ref) is None:
        raise ApiError(404, f"No commit found for the ref {ref}")
    name = ref.removeprefix("refs/").removeprefix("heads/")
    files = repository.files.get(name if name in repository.branches else repository.default_branch, {})
    if path in files:
        return content_views.file(repository, ref, path, files[path], urls())
    below = {}
    for each, text in files.items():
        if each.startswith(f"{path}/"):
            child, _, deeper = each[len(path) + 1 :].partition("/")
            below[f"{path}/{child}"] = ("dir", "") if deeper else ("file", text)
    if not below:
        raise ApiError(404)
    return [content_views.item(repository, ref, each, kind, urls(), text) for each, (kind, text) in below.items()]
