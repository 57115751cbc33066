"""What a token may do, and the words by which GitHub refuses what it may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from fakes.github.errors import ApiError

LEVELS = ("none", "read", "write")
NAMES = (
    *("actions", "actions_variables", "administration", "contents", "deployments", "environments", "metadata"),
    "secrets",
)
EVERYTHING = dict.fromkeys(NAMES, "write")
READ_ONLY = dict.fromkeys(EVERYTHING, "read")


@dataclass(frozen=True)
class Grant:
    """`permissions` by GitHub's name to `read` or `write`; `repositories` are full names, None for all.

    `scopes`: a classic token's, which stand in a header of every answer; None for all other kinds. `expires`: a
    personal token's end (epoch seconds), in a header too.
    """

    permissions: Mapping[str, str]
    repositories: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    expires: float | None = None
    refusal: str = "Resource not accessible by personal access token"

    def sees(self, full_name: str) -> bool:
        """Whether the repository (in any case) is among the token's."""
        return self.repositories is None or full_name.lower() in {one.lower() for one in self.repositories}

    def allows(self, permission: str, level: str) -> bool:
        """Whether this much of the permission was granted."""
        return LEVELS.index(self.permissions.get(permission, "none")) >= LEVELS.index(level)


def accepted() -> dict[str, str]:
    """The header that tells those without a classic token what the endpoint asked for.

    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
    """
    asked, grant = request.environ.get("github.accepted"), request.environ.get("github.grant")
    return {"X-Accepted-GitHub-Permissions": asked} if asked and grant and grant.scopes is None else {}


def need(permission: str, level: str = "write") -> None:
    """Raise ApiError 403 unless the token of the request in hand has the permission."""
    grant: Grant = request.environ["github.grant"]
    request.environ["github.accepted"] = f"{permission}={level}"
    if not grant.allows(permission, level):
        raise ApiError(403, grant.refusal)
