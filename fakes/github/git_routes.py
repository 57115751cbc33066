"""The endpoints of git data: tags, refs, releases, commits and their comparison."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from flask import Flask, Response, request

from fakes.github import git_views, views
from fakes.github.errors import ApiError
from fakes.github.paging import Page, page_of
from fakes.github.reply import listed, reply, urls

if TYPE_CHECKING:
    from fakes.github.github import GitHub
    from fakes.github.repository import Repository

DOCS = {
    "tags": "repos/repos#list-repository-tags",
    "releases": "releases/releases#list-releases",
    "latest_release": "releases/releases#get-the-latest-release",
    "commit": "commits/commits#get-a-commit",
    "compare": "commits/commits#compare-two-commits",
    "git_ref": "git/refs#get-a-reference",
    "git_tag": "git/tags#get-a-tag",
}
COMPARE_PER_PAGE = 250
T = TypeVar("T")


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""
    _releases(app, github)
    _commits(app, github)
    _comparison(app, github)
    _refs(app, github)


def _array(repository: Repository, page: Page[T], view: Callable[[Repository, T, views.Urls], views.Json]) -> Response:
    """A JSON array of one page's items."""
    return reply([view(repository, item, urls()) for item in page.items], link=page.link)


def _releases(app: Flask, github: GitHub) -> None:
    @app.get("/repos/<owner>/<repo>/releases")
    def releases(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        newest = sorted(found.releases, key=lambda it: (it.created, it.id), reverse=True)
        return _array(found, page_of(newest, request.args, listed(found)), git_views.release)

    @app.get("/repos/<owner>/<repo>/releases/latest")
    def latest_release(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        latest = found.latest_release()
        if latest is None:
            raise ApiError(404)
        return reply(git_views.release(found, latest, urls()))


def _commits(app: Flask, github: GitHub) -> None:
    @app.get("/repos/<owner>/<repo>/tags")
    def tags(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        # By name downwards, not by date: v1.9.0 stands before v1.10.0.
        named = [found.tags[name] for name in sorted(found.tags, reverse=True)]
        return _array(found, page_of(named, request.args, listed(found)), git_views.tag)

    @app.get("/repos/<owner>/<repo>/commits/<path:ref>")
    def commit(owner: str, repo: str, ref: str) -> Response:
        found = github.repository(owner, repo)
        if (named := found.resolve(ref)) is None:
            raise ApiError(422, f"No commit found for SHA: {ref}")
        if "application/vnd.github.sha" in request.headers.get("Accept", ""):
            return Response(named.sha, content_type="application/vnd.github.sha; charset=utf-8")
        return reply(git_views.commit(found, named, urls(), files=True))


def _comparison(app: Flask, github: GitHub) -> None:
    @app.get("/repos/<owner>/<repo>/compare/<path:basehead>")
    def compare(owner: str, repo: str, basehead: str) -> Response:
        found = github.repository(owner, repo)
        base, dots, head = basehead.partition("...")
        # `owner:ref` names a fork's ref; this repository's own owner may be written out too.
        own = f"{found.owner}:"
        compared = found.compare(base.removeprefix(own), head.removeprefix(own)) if dots else None
        if compared is None:
            raise ApiError(404)
        page = page_of(compared.ahead, request.args, listed(found), COMPARE_PER_PAGE)
        body = git_views.comparison(found, compared, basehead, page.items, urls())
        return reply(body, link=page.link)


def _refs(app: Flask, github: GitHub) -> None:
    @app.get("/repos/<owner>/<repo>/git/ref/<path:ref>")
    def git_ref(owner: str, repo: str, ref: str) -> Response:
        found = github.repository(owner, repo)
        kind, _, name = ref.partition("/")
        if kind == "tags" and name in found.tags:
            tag = found.tags[name]
            what = "tag" if tag.annotated else "commit"
            return reply(git_views.git_ref(found, ref, what, tag.object_sha, urls()))
        if kind == "heads" and name in found.branches:
            return reply(git_views.git_ref(found, ref, "commit", found.branches[name], urls()))
        raise ApiError(404)

    @app.get("/repos/<owner>/<repo>/git/tags/<sha>")
    def git_tag(owner: str, repo: str, sha: str) -> Response:
        found = github.repository(owner, repo)
        named = next((tag for tag in found.tags.values() if tag.annotated and tag.object_sha == sha), None)
        if named is None:
            raise ApiError(404)
        return reply(git_views.git_tag(found, named, urls()))
