"""Has a target its two environments, each with credentials of its own, and who may change where the bot is?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from chatops.domain.target import Target
from doctor.checks import workflow
from doctor.checks.repository_settings import named
from doctor.installation import Installation
from doctor.pipeline_rules import ADDRESS
from doctor.result import Result, failed, ok, skipped, warning

RELEASES = frozenset({"AWS_ROLE_ARN", "SSH_PRIVATE_KEY"})
"""Credentials of the environment that deploys."""


def look(installation: Installation, name: str) -> Iterator[Result]:
    """By `GET …/environments/{name}` and the names of its variables and secrets (Environments: read)."""
    target = installation.targets[name]
    if not target.claim:
        yield skipped(f"{name} has a pipeline of its own (claim: false); how it keeps its credentials is not known.")
        return
    found = [*_environments(installation, target), *_address(installation, target)]
    yield from found or [ok(f"{_both(target)} are there, each with credentials of its own.")]


def _both(target: Target) -> str:
    return f"The environments {target.name}-build and {target.name} of {target.repository}"


def _page(target: Target) -> str:
    return f"https://github.com/{target.repository}/settings/environments"


def _environments(installation: Installation, target: Target) -> Iterator[Result]:
    for name in (f"{target.name}-build", target.name):
        path = f"/environments/{quote(name, safe='')}"
        answer = installation.github.repository(target.repository, path)
        if answer.status == 404:
            yield failed(
                f"{target.repository} has no environment {name}.",
                "GitHub makes one with the first run, without secrets and open to every branch: the run signs in "
                "nowhere, and whoever may push may use it.",
                f"Make it (Settings, Environments), admit {_branch(installation, target)} only, and give it its "
                "secrets: docs/configuration.md lists them.",
                _page(target),
            )
            continue
        if answer.status != 200 or not isinstance(answer.json, dict):
            yield skipped(f"The token may not look at environments ({answer.status}).", "Look yourself.", _page(target))
            return
        if answer.json.get("deployment_branch_policy") is None:
            yield warning(
                f"The environment {name} of {target.repository} admits every branch.",
                "Whoever may push a branch may use its secrets from there.",
                f"Choose Selected branches and tags there, and admit {_branch(installation, target)} only.",
                _page(target),
            )
        if name != target.name:
            yield from _build_secrets(installation, target, name)


def _branch(installation: Installation, target: Target) -> str:
    return str(installation.github.repository(target.repository).json.get("default_branch", "main"))


def _build_secrets(installation: Installation, target: Target, name: str) -> Iterator[Result]:
    secrets = named(installation, target.repository, f"/environments/{quote(name, safe='')}/secrets", "secrets")
    if found := sorted(RELEASES & (secrets or {}).keys()):
        yield failed(
            f"The environment {name} of {target.repository} holds {' and '.join(found)}.",
            "The job that builds the commit could deploy it, before anybody approves.",
            f"Move it to the environment {target.name}. A build needs AWS_BUILD_ROLE_ARN, which may only push images.",
            _page(target),
        )


def _address(installation: Installation, target: Target) -> Iterator[Result]:
    """The bot's address: from the workflow, else from both environments, which only an administrator may change; of a
    person's repository every collaborator may."""
    person = str((installation.github.repository(target.repository).json.get("owner") or {}).get("type")) == "User"
    stands = workflow.address(installation, target)
    outputs = installation.stack.outputs if installation.stack else {}
    right = {"CHATOPS_URL": outputs.get("ChatOpsUrl", ""), "CHATOPS_AUDIENCE": outputs.get("ChatOpsAudience", "")}
    for name in (f"{target.name}-build", target.name):
        path = f"/environments/{quote(name, safe='')}/variables"
        variables = named(installation, target.repository, path, "variables")
        if variables is None:
            if not all(key in stands for key in ADDRESS):
                yield skipped(
                    f"Whether the environment {name} says where the bot is may not be read.", "Look yourself."
                )
            continue
        if person and (found := sorted(set(ADDRESS) & variables.keys())):
            yield failed(
                f"{' and '.join(found)} {'are variables' if len(found) > 1 else 'is a variable'} of the environment "
                f"{name} of {target.repository}, which belongs to a person.",
                "Every collaborator may change it, and then another server says what is deployed.",
                f"Delete it, and let the workflow say it: make caller STACK=… TARGET={target.name}.",
                _page(target),
            )
        elif not installation.local:
            yield from _said(target, name, {**variables, **stands}, right)


def _said(target: Target, name: str, found: dict[str, str], right: dict[str, str]) -> Iterator[Result]:
    wrong = [key for key in ADDRESS if not found.get(key) or (right[key] and found[key] != right[key])]
    if wrong:
        yield failed(
            "; ".join(f"{key} is {found[key]!r}" if found.get(key) else f"{key} is not set" for key in wrong)
            + f" for the environment {name} of {target.repository}.",
            "The pipeline claims its stages nowhere, or not at this bot: every stage's run fails at its claim.",
            f"Write the workflow anew: make caller STACK=… TARGET={target.name}. It says where the bot is.",
            _page(target),
        )
