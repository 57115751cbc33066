"""Answers and addresses for the request in hand."""

from __future__ import annotations

import json

from flask import Response, current_app, request

from fakes.github.repository import Repository
from fakes.github.views import Urls


def urls() -> Urls:
    """Addresses below wherever this fake is mounted."""
    return Urls(request.url_root.rstrip("/"), current_app.config["WEB_URL"])


def listed(repository: Repository) -> str:
    """The address that Link headers give this list: GitHub names the repository by its id there."""
    prefix = f"/repos/{repository.full_name}"
    below = request.path[len(prefix) :]
    return f"{urls().api}/repositories/{repository.id}{below}"


def reply(body: object, status: int = 200, link: str = "") -> Response:
    """A JSON answer, compact as GitHub's, with a Link header where there are other pages."""
    text = json.dumps(body, separators=(",", ":"))
    response = Response(text, status, content_type="application/json; charset=utf-8")
    if link:
        response.headers["Link"] = link
    return response
