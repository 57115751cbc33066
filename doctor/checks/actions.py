"""Is GitHub Actions switched on for the repository, and may it run what the pipeline uses?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doctor.installation import Installation
from doctor.result import NotLooked, Result, failed, ok, skipped

POLICY = (
    "https://docs.github.com/en/organizations/managing-organization-settings/"
    "disabling-or-limiting-github-actions-for-your-organization"
)


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """By `GET /repos/{owner}/{repo}/actions/permissions`, which only administrators of the repository may ask."""
    page = f"https://github.com/{repository}/settings/actions"
    answer = installation.github.repository(repository, "/actions/permissions")
    found = answer.json
    if answer.status != 200 or not isinstance(found, dict):
        yield skipped(
            "Only an administrator's token is told whether Actions is switched on (Administration: read).",
            "Look yourself: Settings, Actions, General. Where its choices are grey, the organisation decides.",
            page,
        )
        return
    problems = [*_enabled(found, repository, page), *_allowed(installation, repository, found, page)]
    yield from problems or [ok(f"Actions is switched on for {repository}; allowed: {found.get('allowed_actions')}.")]


def _enabled(found: dict[str, Any], repository: str, page: str) -> Iterator[Result]:
    if not found["enabled"]:
        yield failed(
            f"GitHub Actions is switched off for {repository}.",
            "GitHub takes the event and starts no run: the deployment ends with “the run never appeared”.",
            "Allow it in Settings, Actions, General. If the choice is grey, an owner of the organisation allows it for "
            f"this repository ({POLICY}).",
            page,
        )


def _allowed(installation: Installation, repository: str, found: dict[str, Any], page: str) -> Iterator[Result]:
    policy = found.get("allowed_actions", "all")
    if not found["enabled"] or policy == "all":
        return
    chosen: dict[str, Any] = {"github_owned_allowed": False, "verified_allowed": False, "patterns_allowed": []}
    if policy == "selected":
        answer = installation.github.repository(repository, "/actions/permissions/selected-actions")
        if answer.status != 200 or not isinstance(answer.json, dict):
            raise NotLooked("the list of allowed actions is told to administrators only", f"Look at {page}.")
        chosen |= answer.json
    if chosen["github_owned_allowed"]:
        return
    if any(pattern.startswith(("actions/*", "actions/checkout@", "*")) for pattern in chosen["patterns_allowed"]):
        return
    yield failed(
        f"{repository} may not run actions/checkout: only {_words(policy)} are allowed.",
        "Runs end at once with startup_failure, before they claim anything.",
        "In Settings, Actions, General allow actions created by GitHub, and aws-actions/* where the pipeline signs in "
        "to AWS.",
        page,
    )


def _words(policy: str) -> str:
    return "actions of the same owner" if policy == "local_only" else "selected actions"
