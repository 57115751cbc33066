"""May the token do in this repository what a deployment needs? As far as reading can tell."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.checks.github_token import scopes
from doctor.installation import Installation
from doctor.result import Result, failed, ok, skipped

_READS = {"Contents": "/branches", "Actions": "/actions/workflows"}


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """The user's role, and what a fine-grained token may read (a classic one's scopes: see github_token)."""
    if installation.settings.github_app_id:
        yield skipped("The App's own permissions count; see GitHub App.")
        return
    answer = installation.github.repository(repository)
    granted = scopes(answer)
    problems = [*_role(answer.json, repository)]
    if granted is None and not problems:
        problems += _reads(installation, repository)
    yield from problems
    if not problems and granted is None:
        yield ok(
            f"It reads {repository}'s contents and runs, as a user who may write. Whether the token may write too "
            "(Contents: read and write, Actions: read and write) only its own page shows."
        )
    elif not problems:
        yield ok(f"It may send events to {repository} and watch and cancel its runs.")


def _role(found: dict[str, dict[str, bool]], repository: str) -> Iterator[Result]:
    if not (found.get("permissions") or {}).get("push", True):
        yield failed(
            f"The token's user may not write to {repository}.",
            "GitHub answers 403 or 404 to the event; no run starts.",
            "Give the user the role Write (Settings, Collaborators and teams), or use a token of somebody who has it.",
            f"https://github.com/{repository}/settings/access",
        )


def _reads(installation: Installation, repository: str) -> Iterator[Result]:
    for name, path in _READS.items():
        answer = installation.github.repository(repository, path, per_page=100)
        if answer.status in (403, 404):
            needed = answer.headers.get("X-Accepted-GitHub-Permissions", "")
            yield failed(
                f"The token may not read {repository}'s {name.lower()} ({answer.status}: {answer.said}).",
                "Events need Contents, watching and cancelling runs needs Actions; without either GitHub answers 403.",
                f"Give it {name}: read and write on its page (Repository permissions)"
                + (f"; GitHub names {needed}." if needed else "."),
                "https://github.com/settings/personal-access-tokens",
            )
