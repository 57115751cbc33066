"""May the bot write GitHub Deployments, where it should? As far as reading can tell."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.checks.github_token import scopes
from doctor.clients import Answer
from doctor.installation import Installation
from doctor.result import Result, ok, skipped, warning

LINK = "https://docs.github.com/rest/deployments/deployments#create-a-deployment"


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """By the App's permissions, else by `GET …/deployments`, which wants Deployments: read."""
    if not installation.settings.github_deployments:
        yield skipped("The bot writes none (GithubDeployments is false).")
        return
    if installation.settings.github_app_id:
        answer = installation.github.as_app(f"/repos/{repository}/installation", installation.statement())
        found = answer.json.get("permissions") if isinstance(answer.json, dict) else None
        if (found or {}).get("deployments") == "write":
            yield ok("The App may write them.")
        else:
            yield _lacking(f"The App's installation on {repository} lacks Deployments: read and write.", "the App's")
        return
    answer = installation.github.repository(repository, "/deployments", per_page=1)
    if answer.status != 200:
        yield _lacking(
            f"The token may not read {repository}'s deployments ({answer.status}: {answer.said}).", "the token's"
        )
    elif _classic(answer):
        yield ok("The token may write them.")
    else:
        yield ok("The token reads them; whether it may write too (Deployments: read and write) only its page shows.")


def _classic(answer: Answer) -> bool:
    return bool((scopes(answer) or frozenset()) & {"repo", "public_repo", "repo_deployment"})


def _lacking(found: str, whose: str) -> Result:
    return warning(
        found,
        "Deployments go on, and GitHub shows none of them: the pipeline leaves its own record out.",
        f"Give it Deployments: read and write (Repository permissions on {whose} page), or set GithubDeployments to "
        "false.",
        LINK,
    )
