"""Can the bot see the repository, and does the repository still take anything?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from doctor.clients import Answer
from doctor.installation import Installation
from doctor.result import Result, failed, ok

SSO = "X-GitHub-SSO"


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """By `GET /repos/{owner}/{repo}`."""
    answer = installation.github.repository(repository)
    found = answer.json
    if (sso := answer.headers.get(SSO, "")).startswith("required"):
        yield _unauthorised(repository, sso)
    elif answer.status != 200 or not isinstance(found, dict):
        yield _invisible(installation, repository, answer)
    else:
        yield _seen(repository, found)


def _seen(repository: str, found: dict[str, Any]) -> Result:
    page = str(found.get("html_url", ""))
    name = str(found.get("full_name", repository))
    if name.lower() != repository.lower():
        return failed(
            f"{repository} is called {name} now.",
            "GitHub redirects the bot's event, and an event is sent to no other address than the configured one: each "
            "deployment ends in Refused.",
            f"Set GITHUB_ID and GITHUB_REPO (or the target's repository in targets.yaml) to {name}.",
            page,
        )
    if found.get("archived"):
        return failed(
            f"{repository} is archived: it can only be read.",
            "GitHub answers 403 to the event; no run starts.",
            "Unarchive it (Settings, General, Danger Zone), or name another repository.",
            f"{page}/settings",
        )
    if found.get("disabled"):
        return failed(
            f"{repository} is disabled by GitHub.",
            "No run starts.",
            "Its owner asks GitHub's support; the repository's page says why.",
            page,
        )
    return ok(f"{repository} is there; its default branch is {found.get('default_branch')}.")


def _unauthorised(repository: str, header: str) -> Result:
    address = re.search(r"url=(https://\S+)", header)
    return failed(
        f"{repository}'s organisation wants single sign-on, and the token is not authorised for it.",
        "GitHub answers 403 to all that the bot asks about the repository.",
        "Open the address below as the token's owner, or on the token's page choose Configure SSO and authorise the "
        "organisation.",
        address[1] if address else "https://github.com/settings/tokens",
    )


def _invisible(installation: Installation, repository: str, answer: Answer) -> Result:
    if installation.settings.github_app_id:
        way = "Include the repository in the App's installation."
    else:
        way = (
            "A classic token needs the scope repo and its user a role in the repository; a fine-grained one must name "
            "the repository's owner as its resource owner and include the repository (an organisation may have to "
            "approve it)."
        )
    return failed(
        f"GitHub shows no repository {repository} to the bot ({answer.status}: {answer.said}).",
        "GitHub answers 404 to the event; each deployment ends in Refused.",
        f"Look whether GITHUB_ID and GITHUB_REPO are written as in the repository's address. {way}",
        f"https://github.com/{repository}",
    )
