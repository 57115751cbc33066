"""GitHub Deployments, by which pull requests and the repository's page show what runs where.

Each has the bot's own id in its payload, by which it is found again after a reply that was lost.
https://docs.github.com/rest/deployments/deployments
"""

from __future__ import annotations

import json
from typing import Any

from chatops.domain.errors import GitHubUnavailable
from chatops.github.client import GitHub

_ID = "deployment_id"
_LONGEST = 140
"""Characters of a description."""


def find(github: GitHub, deployment_id: str, sha: str, environment: str) -> int:
    """The number of the one that was made for this deployment, 0 where there is none."""
    known = github.get("/deployments", sha=sha, environment=environment, task="deploy", per_page=100)
    return next((int(each["id"]) for each in known if _payload(each).get(_ID) == deployment_id), 0)


def _payload(known: dict[str, Any]) -> dict[str, Any]:
    """GitHub gives an object or a text; other people's may be anything."""
    found = known.get("payload")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}


def create(github: GitHub, deployment_id: str, sha: str, environment: str, description: str) -> int:
    """Its number. GitHub neither merges anything into the commit nor waits for checks: what is deployed has been
    decided. It is not called a production environment, since GitHub makes only others' deployments inactive by itself.
    """
    made = github.request(
        "POST",
        "/deployments",
        json={
            "ref": sha,
            "task": "deploy",
            "auto_merge": False,
            "required_contexts": [],
            "payload": {_ID: deployment_id},
            "environment": environment,
            "description": description[:_LONGEST],
            "transient_environment": False,
            "production_environment": False,
        },
    )
    if not made.body:
        raise GitHubUnavailable("github_without_body", status=made.status, request="POST /deployments")
    return int(made.body["id"])


def report(github: GitHub, number: int, state: str, description: str, log_url: str = "") -> None:
    """Add a status. A success makes earlier deployments to the same environment inactive. `log_url`: the run."""
    found = {"state": state, "description": description[:_LONGEST], "auto_inactive": True}
    github.request(
        "POST", f"/deployments/{number}/statuses", json={**found, **({"log_url": log_url} if log_url else {})}
    )
