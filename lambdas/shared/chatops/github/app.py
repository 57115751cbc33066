"""Acting as a GitHub App: a token of its installation for each repository, kept until shortly before it expires.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import requests

from chatops import clock
from chatops.domain.errors import GitHubRefused, GitHubUnavailable
from chatops.github import jwt
from chatops.github.client import GitHub
from chatops.values import dataclass

PERMISSIONS = {"contents": "write", "actions": "write", "metadata": "read"}
"""What a token may do: dispatch (contents), read and cancel runs (actions), see the repository (metadata)."""
SHOWING = {"deployments": "write", "metadata": "read"}
"""What a token for GitHub Deployments may do. It is another one: an App that was not granted this can do all the rest.
"""

MARGIN = 300
"""Seconds before a token's end (an hour after it was made) at which another one is asked for."""


@dataclass(frozen=True)
class _Token:
    value: str
    expires: float


class AppTokens:
    """The App's tokens by repository; each owner has an installation of its own.

    `private_key(fresh)`: the key's PEM text, read anew where `fresh`. `permissions`: what they may do.
    """

    def __init__(
        self,
        app_id: str,
        base: str,
        private_key: Callable[[bool], str],
        session: requests.Session,
        permissions: Mapping[str, str] = PERMISSIONS,
    ) -> None:
        self._app_id, self._base, self._key, self._session = app_id, base, private_key, session
        self._permissions = dict(permissions)
        self._known: dict[str, _Token] = {}

    def token(self, repository: str, fresh: bool) -> str:
        """A token limited to that repository (`owner/name`); another one than before where `fresh`.

        Raises what GitHub's client raises, GitHubRefused with 401 (id or key wrong), 403 (rights not granted), 404
        (not installed there), and InvalidConfiguration for an unusable key.
        """
        known = self._known.get(repository)
        if known is None or fresh or clock.now() >= known.expires - MARGIN:
            known = self._known[repository] = self._new(repository)
        return known.value

    def _new(self, repository: str) -> _Token:
        as_app = GitHub(repository, self._base, self._statement, self._session, app=True)
        # of a repository that was renamed GitHub still tells the installation, and gives no token for its old name
        installation = int(as_app.request("GET", "/installation", follow=False).body["id"])
        limits = {"repositories": [repository.partition("/")[2]], "permissions": self._permissions}
        try:
            path = f"{self._base}/app/installations/{installation}/access_tokens"
            made = as_app.request("POST", path, json=limits).body
        except GitHubRefused as error:
            if error.status != requests.codes.unprocessable_entity:
                raise
            # the installation was not granted these permissions, or not this repository
            raise GitHubRefused(requests.codes.forbidden, repository, error.said, app=True) from None
        if not made:
            raise GitHubUnavailable("github_no_token")
        return _Token(str(made["token"]), datetime.fromisoformat(str(made["expires_at"])).timestamp())

    def _statement(self, fresh: bool) -> str:
        return jwt.signed(self._app_id, self._key(fresh), clock.now())
