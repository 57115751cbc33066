"""As whom do the jobs that deploy the target sign in to AWS, and does a role there trust that?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatops.domain.target import Target
from chatops.platforms.registry import platform
from doctor import trust
from doctor.aws_answers import asking
from doctor.checks import workflow
from doctor.installation import Installation
from doctor.result import NoAnswer, NotLooked, Result, ok, skipped, warning
from doctor.subject import Identity, identity
from pipeline.caller import PIPELINE

LINK = "https://docs.github.com/en/actions/reference/security/oidc"
_REFUSED = (
    "The step “Sign in to AWS” fails (Not authorized to perform sts:AssumeRoleWithWebIdentity), unless the environment "
    "holds a user's keys."
)


def look(installation: Installation, name: str) -> Iterator[Result]:
    """By `GET /repos/{owner}/{repo}`, its template of subjects, its workflow, and ListRoles of the stack's account."""
    target = installation.targets[name]
    roles: dict[str, Any] | NotLooked | NoAnswer
    try:
        roles = _listed_roles(installation, target)
    except (NotLooked, NoAnswer) as why:
        roles = why
    for place in _places(target):
        found = _identity(installation, target, place)
        if found.organisation:
            yield skipped(
                f"Not looked at: {target.repository} takes its organisation's template of subjects, which is told to "
                "its members only.",
                f"It is shown by: gh api orgs/{target.repository.partition('/')[0]}/actions/oidc/customization/sub. "
                f"{_reset(target)}",
                LINK,
            )
            return
        yield ok(
            f"Jobs in {place} sign in to AWS as {' or '.join(found.subjects)} (the repository with ids: {found.ids})."
        )
        if isinstance(roles, dict):
            yield from _roles(target, place, found, roles)
        else:
            yield skipped(f"Whether a role trusts that was not looked at: {roles}.", getattr(roles, "todo", ""))
            yield from _customised(target, found)


def _places(target: Target) -> dict[str, tuple[str, str]]:
    """The environments in which the target's jobs sign in; for each its secret, and the output that it holds."""
    release = {target.name: ("AWS_ROLE_ARN", "RoleArn")}
    return {f"{target.name}-build": ("AWS_BUILD_ROLE_ARN", "BuildRoleArn"), **release} if target.claim else release


def _identity(installation: Installation, target: Target, place: str) -> Identity:
    repository = installation.github.repository(target.repository).json
    answer = installation.github.repository(target.repository, "/actions/oidc/customization/sub")
    template = answer.json if answer.status == 200 and isinstance(answer.json, dict) else None
    return identity(repository, template, place, workflow.workflow_ref(installation, target))


def _listed_roles(installation: Installation, target: Target) -> dict[str, Any]:
    """The trust policies of the roles of the stack's account, by name. Raises NotLooked and NoAnswer."""
    if installation.local:
        raise NotLooked("nothing signs in to AWS in the local run")
    if target.role_arn:
        raise NotLooked(
            f"its roles stand in the account of {target.role_arn}",
            "aws iam get-role there shows the trust policy of the environment's role.",
        )
    with asking("iam:ListRoles"):
        pages = installation.aws.client("iam").get_paginator("list_roles").paginate()
        return {str(role["RoleName"]): role["AssumeRolePolicyDocument"] for page in pages for role in page["Roles"]}


def _roles(target: Target, place: str, found: Identity, roles: dict[str, Any]) -> Iterator[Result]:
    answers = {name: _admits(policy, found) for name, policy in roles.items()}
    if trusting := [name for name, answer in answers.items() if answer]:
        yield ok(f"{_listed(trusting)} of the stack's account {'trust' if len(trusting) > 1 else 'trusts'} that.")
    elif perhaps := [name for name, answer in answers.items() if answer is None]:
        yield skipped(
            f"{_listed(perhaps)} may trust that: it depends on more than is known of the token before a run.",
            "A run's step “Sign in to AWS” shows it.",
        )
    elif found.custom:
        yield from _customised(target, found)
    elif platform(target).pipeline_only:
        yield ok("No role of the stack's account trusts that; without AWS_REGION none is needed for this target.")
    else:
        yield _nobody(target, place, found, [name for name, policy in roles.items() if trust.trusts_github(policy)])


def _admits(policy: Any, found: Identity) -> bool | None:
    answers = [trust.admits(policy, token) for token in found.tokens()]
    return False if False in answers else None if None in answers else True


def _nobody(target: Target, place: str, found: Identity, others: list[str]) -> Result:
    there = f" ({_listed(others)} {'trust' if len(others) > 1 else 'trusts'} others of GitHub's)" if others else ""
    secret, output = _places(target)[place]
    pipeline = (found.claims.get("job_workflow_ref") or f"owner/name/{PIPELINE}@").partition("@")[0]
    return warning(
        f"No role of the stack's account trusts {target.name}'s jobs in the environment {place}{there}.",
        _REFUSED,
        f"Deploy templates/pipeline-role.yaml with Repository={found.ids} Environment={target.name} "
        f"Workflow='{pipeline}@*', and put its output {output} into the environment's secret {secret}. (A role in "
        "another account is not seen from here.)",
        LINK,
    )


def _customised(target: Target, found: Identity) -> Iterator[Result]:
    if found.custom:
        yield warning(
            f"{target.repository} has a subject of its own ({', '.join(found.custom)}), which "
            "templates/pipeline-role.yaml does not trust.",
            _REFUSED,
            f"{_reset(target)} Or write the trust policy of the environment's role for the subject above.",
            LINK,
        )


def _reset(target: Target) -> str:
    path = f"repos/{target.repository}/actions/oidc/customization/sub"
    return f"GitHub's own form comes back with: gh api -X PUT {path} -F use_default=true"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"The role{'s' if len(names) > 1 else ''} {', '.join(names[:3])}{more}"
