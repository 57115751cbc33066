"""What can be wrong with the token, the repository and its Actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fakes.github import Fault as Refusal
from fakes.github.errors import DOCS
from fakes.github.files import OWNERS
from fakes.github.repository import Environment
from local.misconfigured.fault import Environment as Settings
from local.misconfigured.fault import Fault, grant, repository

if TYPE_CHECKING:
    from local.session import Session

TOKEN, REPOSITORY, RIGHTS, ACTIONS = "GitHub token", "repository", "GitHub rights", "Actions"
SIGN_IN, OWN, PLACES = "AWS sign-in", "repository settings", "environments"
Apply = Callable[["Session", Settings], None]
FINE_GRAINED = {"actions": "write", "contents": "write", "metadata": "read"}
TEN_DAYS = 10 * 86_400.0


def _revoked(session: Session, _: Settings) -> None:
    session.github.tokens = set()


def _ends_soon(session: Session, _: Settings) -> None:
    grant(expires=session.clock.now() + TEN_DAYS)(session, {})


def _used_up(session: Session, _: Settings) -> None:
    session.github.rate_limit.look(session.clock.now())
    session.github.rate_limit.used = session.github.rate_limit.limit - 60


def _single_sign_on(session: Session, _: Settings) -> None:
    """https://docs.github.com/rest/authentication/authenticating-to-the-rest-api#authorizing-for-saml-sso"""
    message = (
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
        "organization."
    )
    body = {"message": message, "documentation_url": DOCS, "status": "403"}
    page = "https://github.com/orgs/acme/sso?authorization_request=AAAA"
    header = {"X-GitHub-SSO": f"required; url={page}"}
    session.github.faults.append(Refusal(path="/repos/", status=403, headers=header, body=body, times=None))


def _renamed(session: Session, _: Settings) -> None:
    found = session.github.repositories.pop("acme/checkout-api")
    found.name, found.former_names = "checkout", frozenset({"acme/checkout-api"})
    session.github.repositories["acme/checkout"] = found


def _without_deployments(session: Session, settings: Settings) -> None:
    grant(scopes=None, permissions=FINE_GRAINED)(session, settings)
    settings["GITHUB_DEPLOYMENTS"] = "true"


def environment(name: str, made: Environment | None, *, personal: bool = False) -> Apply:
    """An environment of the fake's repository; None: there is none."""

    def apply(session: Session, _: Settings) -> None:
        session.github.default_repository.environments[name] = made
        session.github.default_repository.personal = personal

    return apply


def _nobody_owns_it(session: Session, _: Settings) -> None:
    session.github.default_repository.files["main"][OWNERS] = "*.py @acme/everybody\n"


URL = {"CHATOPS_URL": "https://evil.example/prod"}
ON_GITHUB = (
    Fault("github-token-revoked", TOKEN, "401: Bad credentials", _revoked),
    Fault("github-token-without-repo", TOKEN, "scopes gist; it needs repo", grant(scopes=frozenset({"gist"}))),
    Fault("github-token-ends-soon", TOKEN, "ends in 9 days", _ends_soon, grave=False),
    Fault("github-limit-used-up", TOKEN, "of 5000 requests are left", _used_up, grave=False),
    Fault("repository-unknown", REPOSITORY, "shows no repository acme/checkout-api", repository(hidden=True)),
    Fault("repository-not-in-token", REPOSITORY, "404: Not Found", grant(repositories=frozenset({"acme/other"}))),
    Fault("single-sign-on", REPOSITORY, "single sign-on", _single_sign_on),
    Fault("repository-renamed", REPOSITORY, "is called acme/checkout now", _renamed),
    Fault("repository-archived", REPOSITORY, "is archived", repository(archived=True)),
    Fault("repository-disabled", REPOSITORY, "is disabled by GitHub", repository(disabled=True)),
    Fault("user-may-only-read", RIGHTS, "may not write to acme/checkout-api", repository(push=False)),
    Fault(
        "token-without-deployments",
        "GitHub deployments",
        "may not read acme/checkout-api's deployments (403",
        _without_deployments,
        grave=False,
    ),
    Fault(
        "token-without-contents",
        RIGHTS,
        "may not read acme/checkout-api's contents",
        grant(scopes=None, permissions={"actions": "write", "metadata": "read"}),
    ),
    Fault(
        "token-without-actions",
        RIGHTS,
        "may not read acme/checkout-api's actions",
        grant(scopes=None, permissions={"contents": "write", "metadata": "read"}),
    ),
    Fault("actions-switched-off", ACTIONS, "is switched off", repository(actions_enabled=False)),
    Fault("actions-of-the-owner-only", ACTIONS, "actions/checkout", repository(allowed_actions="local_only")),
    Fault(
        "actions-not-selected",
        ACTIONS,
        "only selected actions are allowed",
        repository(allowed_actions="selected", github_owned_allowed=False),
    ),
    Fault(
        "address-in-the-repository",
        OWN,
        "CHATOPS_URL is a variable of acme/checkout-api itself",
        repository(variables=URL),
    ),
    Fault("role-in-the-repository", OWN, "AWS_ROLE_ARN is a secret of", repository(secrets=("AWS_ROLE_ARN", "X"))),
    Fault("branch-without-rules", OWN, "wants a review by code owners before main", repository(rules=()), grave=False),
    Fault("github-without-owners", OWN, "names nobody for .github/", _nobody_owns_it, grave=False),
    Fault(
        "no-build-environment", PLACES, "has no environment dev-build", environment("dev-build", None), subject="dev"
    ),
    Fault(
        "deploy-role-in-the-build",
        PLACES,
        "dev-build of acme/checkout-api holds AWS_ROLE_ARN",
        environment("dev-build", Environment(secrets=("AWS_BUILD_ROLE_ARN", "AWS_ROLE_ARN"))),
        subject="dev",
    ),
    Fault(
        "environment-for-every-branch",
        PLACES,
        "The environment dev of acme/checkout-api admits every branch",
        environment("dev", Environment(limited=False)),
        subject="dev",
        grave=False,
    ),
    Fault(
        "address-in-a-persons-environment",
        PLACES,
        "CHATOPS_URL is a variable of the environment dev of acme/checkout-api, which belongs to a person",
        environment("dev", Environment(variables=URL), personal=True),
        subject="dev",
    ),
    Fault(
        "subject-customised",
        SIGN_IN,
        "a subject of its own (repo, ref)",
        repository(subject_keys=("repo", "ref")),
        subject="dev",
        grave=False,
    ),
)
