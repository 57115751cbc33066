"""What can be wrong with the token, the repository and its Actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakes.github import Fault as Refusal
from fakes.github.errors import DOCS
from local.misconfigured.fault import Environment, Fault, grant, repository

if TYPE_CHECKING:
    from local.session import Session

TOKEN, REPOSITORY, RIGHTS, ACTIONS = "GitHub token", "repository", "GitHub rights", "Actions"
SIGN_IN = "AWS sign-in"
FINE_GRAINED = {"actions": "write", "contents": "write", "metadata": "read"}
TEN_DAYS = 10 * 86_400.0


def _revoked(session: Session, _: Environment) -> None:
    session.github.tokens = set()


def _ends_soon(session: Session, _: Environment) -> None:
    grant(expires=session.clock.now() + TEN_DAYS)(session, {})


def _used_up(session: Session, _: Environment) -> None:
    session.github.rate_limit.look(session.clock.now())
    session.github.rate_limit.used = session.github.rate_limit.limit - 60


def _single_sign_on(session: Session, _: Environment) -> None:
    """https://docs.github.com/rest/authentication/authenticating-to-the-rest-api#authorizing-for-saml-sso"""
    message = (
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
        "organization."
    )
    body = {"message": message, "documentation_url": DOCS, "status": "403"}
    page = "https://github.com/orgs/acme/sso?authorization_request=AAAA"
    header = {"X-GitHub-SSO": f"required; url={page}"}
    session.github.faults.append(Refusal(path="/repos/", status=403, headers=header, body=body, times=None))


def _renamed(session: Session, _: Environment) -> None:
    found = session.github.repositories.pop("acme/checkout-api")
    found.name, found.former_names = "checkout", frozenset({"acme/checkout-api"})
    session.github.repositories["acme/checkout"] = found


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
        "subject-customised",
        SIGN_IN,
        "a subject of its own (repo, ref)",
        repository(subject_keys=("repo", "ref")),
        subject="dev",
        grave=False,
    ),
)
