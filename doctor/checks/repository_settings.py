"""Does anything belong to the repository itself that only an environment should have, and has `.github/` owners?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctor.checks import workflow
from doctor.installation import Installation
from doctor.pipeline_rules import ADDRESS
from doctor.result import Result, failed, ok, skipped, warning

CREDENTIALS = frozenset(
    {"AWS_ROLE_ARN", "AWS_BUILD_ROLE_ARN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SSH_PRIVATE_KEY"}
)
OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for it, in this order. https://docs.github.com/en/repositories/managing-your-repositorys-settings-
and-features/customizing-your-repository/about-code-owners"""
_COVERS = re.compile(r"\*\*?|/?\.github(?:/(?:\*\*?)?)?")


def look(installation: Installation, repository: str) -> Iterator[Result]:
    """By the names of variables and secrets, the rules of the default branch, and CODEOWNERS."""
    found = [
        *_variables(installation, repository),
        *_secrets(installation, repository),
        *_guard(installation, repository),
    ]
    yield from found or [ok(f"Neither address nor credentials belong to {repository} itself; .github/ has owners.")]


def named(installation: Installation, repository: str, path: str, key: str) -> dict[str, str] | None:
    """Variables with their values, or secrets (values empty), by name; None where the token may not see them."""
    found: dict[str, str] = {}
    for page in range(1, 20):
        answer = installation.github.repository(repository, path, per_page=30, page=page)
        if answer.status != 200 or not isinstance(answer.json, dict):
            return None
        listed = answer.json.get(key) or []
        found |= {str(one["name"]): str(one.get("value", "")) for one in listed}
        if len(listed) < 30:
            break
    return found


def _variables(installation: Installation, repository: str) -> Iterator[Result]:
    page = f"https://github.com/{repository}/settings/variables/actions"
    variables = named(installation, repository, "/actions/variables", "variables")
    if variables is None:
        yield skipped("The token may not read the repository's variables (Variables: read).", _yourself(ADDRESS), page)
    elif found := sorted(set(ADDRESS) & variables.keys()):
        yield failed(
            f"{' and '.join(found)} {'are variables' if len(found) > 1 else 'is a variable'} of {repository} itself.",
            "Whoever may write to the repository may change it, and then another server says what is deployed.",
            "Delete it, and let the workflow on the default branch say it: make caller STACK=…",
            page,
        )


def _secrets(installation: Installation, repository: str) -> Iterator[Result]:
    page = f"https://github.com/{repository}/settings/secrets/actions"
    secrets = named(installation, repository, "/actions/secrets", "secrets")
    if secrets is None:
        yield skipped(
            "The token may not read the names of the repository's secrets (Secrets: read).",
            _yourself(sorted(CREDENTIALS)),
            page,
        )
    elif found := sorted(CREDENTIALS & secrets.keys()):
        yield failed(
            f"{' and '.join(found)} {'are secrets' if len(found) > 1 else 'is a secret'} of {repository} itself.",
            "A workflow on any branch may use it: whoever may push may deploy, without an approval.",
            "Move it to the environments of the targets that need it (docs/configuration.md), and make new keys.",
            page,
        )


def _yourself(names: object) -> str:
    return f"Look yourself: none of {', '.join(names) if isinstance(names, (list, tuple)) else names} may be there."


def _guard(installation: Installation, repository: str) -> Iterator[Result]:
    """Whoever may push to the default branch may change the workflow itself, and with it everything."""
    branch = str(installation.github.repository(repository).json.get("default_branch", "main"))
    page = f"https://github.com/{repository}/settings/rules"
    rules = installation.github.repository(repository, f"/rules/branches/{branch}", per_page=100)
    if rules.status != 200 or not isinstance(rules.json, list):
        yield skipped(f"The rules of {branch} may not be read ({rules.status}).", "Look yourself.", page)
        return
    reviews = [rule for rule in rules.json if rule.get("type") == "pull_request"]
    if not any((rule.get("parameters") or {}).get("require_code_owner_review") for rule in reviews):
        yield warning(
            f"No ruleset of {repository} wants a review by code owners before {branch} changes"
            f"{', only a pull request' if reviews else ''}.",
            "Whoever may write to the repository may change the workflow, and so deploy anything, unless branch "
            "protection (the older kind of rules, which is not seen here) prevents it.",
            f"Add a ruleset for {branch}: a pull request, one approval, review from code owners, nobody bypasses it.",
            page,
        )
        return
    owned = _owned(installation, repository, branch)
    if owned is None:
        yield skipped(f"CODEOWNERS of {repository} may not be read.", "Look yourself whether .github/ has owners.")
    elif not owned:
        yield warning(
            f"CODEOWNERS of {repository} names nobody for .github/.",
            "A review by code owners is wanted, and the workflow has none: anybody's approval suffices.",
            f"Add a line to .github/CODEOWNERS on {branch}: /.github/ @<those who answer for deployments>.",
            page,
        )


def _owned(installation: Installation, repository: str, branch: str) -> bool | None:
    """Whether the last line of CODEOWNERS that means `.github/` names somebody; None where it may not be read."""
    for path in OWNERS:
        answer = installation.github.repository(repository, f"/contents/{path}", ref=branch)
        if answer.status == 403:
            return None
        lines = [line.partition("#")[0].split() for line in workflow.text(answer).splitlines()]
        meant = [line for line in lines if line and _COVERS.fullmatch(line[0])]
        if answer.status == 200:
            return bool(meant) and len(meant[-1]) > 1
    return False
