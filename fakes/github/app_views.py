"""GitHub's JSON for an App's installation and its tokens."""

from __future__ import annotations

from fakes.github.apps import Installation, InstallationToken
from fakes.github.model import iso
from fakes.github.views import Json, Urls, user

INSTALLED = 1_712_000_000.0


def installation(it: Installation, urls: Urls) -> Json:
    """The `installation` of GET /repos/{owner}/{repo}/installation."""
    account = user(it.owner, urls, "Organization")
    return {
        "id": it.id,
        "client_id": it.app.client_id,
        "account": account,
        "repository_selection": _selection(it.repositories),
        "access_tokens_url": f"{urls.api}/app/installations/{it.id}/access_tokens",
        "repositories_url": f"{urls.api}/installation/repositories",
        "html_url": f"{urls.web}/organizations/{it.owner}/settings/installations/{it.id}",
        "app_id": it.app.id,
        "app_slug": it.app.slug,
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": dict(it.permissions),
        "events": [],
        "created_at": iso(INSTALLED),
        "updated_at": iso(INSTALLED),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user("kim", urls) if it.suspended else None,
        "suspended_at": iso(INSTALLED) if it.suspended else None,
    }


def token(it: InstallationToken) -> Json:
    """The `installation-token` of POST /app/installations/{installation_id}/access_tokens."""
    return {
        "token": it.value,
        "expires_at": iso(it.expires),
        "permissions": dict(it.grant.permissions),
        "repository_selection": _selection(it.grant.repositories),
    }


def _selection(repositories: frozenset[str] | None) -> str:
    return "all" if repositories is None else "selected"
