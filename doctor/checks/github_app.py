"""Is the GitHub App who it says, installed on the repository, and granted what it needs?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatops.github.app import PERMISSIONS
from doctor.installation import Installation
from doctor.result import Result, failed, ok, skipped

LINK = "https://docs.github.com/en/apps/using-github-apps/reviewing-and-modifying-installed-github-apps"
_LEVELS = ("none", "read", "write", "admin")


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """By `GET /repos/{owner}/{repo}/installation`, signed with the App's key."""
    if not installation.settings.github_app_id:
        yield skipped("No GitHub App is configured; the personal token acts.")
        return
    answer = installation.github.as_app(f"/repos/{repository}/installation", installation.statement())
    if answer.status == 401:
        yield failed(
            f"GitHub does not take the App's signature (401: {answer.said}).",
            "The App gets no token; no run can be started.",
            "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY should be of the same App (its settings, "
            "General), the key should not be revoked, and this machine's clock should be right.",
            "https://github.com/settings/apps",
        )
    elif answer.status != 200 or not isinstance(answer.json, dict):
        yield failed(
            f"The App is not installed on {repository} ({answer.status}: {answer.said}).",
            "It cannot see the repository; each deployment of it ends in Refused.",
            f"Install it for the owner {repository.partition('/')[0]} (the App's settings, Install App) and include "
            "this repository. The App needs neither a webhook nor a user's permission.",
            LINK,
        )
    else:
        yield from _installed(answer.json, repository)


def _installed(found: dict[str, Any], repository: str) -> Iterator[Result]:
    page = str(found.get("html_url") or LINK)
    if found.get("suspended_at"):
        yield failed(
            f"The App's installation on {repository} is suspended.",
            "It gets no token; no run can be started.",
            "An owner of the organisation unsuspends it on the installation's page, at its end.",
            page,
        )
        return
    granted = found.get("permissions") or {}
    lacking = [
        f"{name.capitalize()}: {'read and write' if level == 'write' else level}"
        for name, level in PERMISSIONS.items()
        if _LEVELS.index(granted.get(name, "none")) < _LEVELS.index(level)
    ]
    if lacking:
        yield failed(
            f"The App's installation on {repository} lacks {', '.join(lacking)}.",
            "Contents lets it send the event, Actions lets it watch and cancel runs; without it GitHub answers 403.",
            "Add it in the App's settings (Permissions & events, Repository permissions); then an owner "
            "accepts them on the installation's page.",
            page,
        )
    else:
        yield ok(f"{found.get('app_slug', 'the App')} is installed on {repository} with what it needs.")
