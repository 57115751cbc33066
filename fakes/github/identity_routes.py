"""The endpoints of OIDC subjects and of environments' rules.

https://docs.github.com/rest/actions/oidc, https://docs.github.com/rest/deployments/protection-rules
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response

from fakes.github.grants import need
from fakes.github.model import sha1
from fakes.github.reply import reply, urls
from fakes.github.views import Json, Urls, node_id, user

if TYPE_CHECKING:
    from fakes.github.github import GitHub
    from fakes.github.repository import Repository

DOCS = {
    "subject": "actions/oidc#get-the-customization-template-for-an-oidc-subject-claim-for-a-repository",
    "protection_rules": "deployments/protection-rules#get-all-deployment-protection-rules-for-an-environment",
}


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    @app.get("/repos/<owner>/<repo>/actions/oidc/customization/sub")
    def subject(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        need("actions", "read")
        return reply(_subject(found))

    @app.get("/repos/<owner>/<repo>/environments/<environment>/deployment_protection_rules")
    def protection_rules(owner: str, repo: str, environment: str) -> Response:
        found = github.repository(owner, repo)
        need("actions", "read")
        rules = [_rule(slug, urls()) for slug in found.protection_rules.get(environment.lower(), ())]
        return reply({"total_count": len(rules), "custom_deployment_protection_rules": rules})


def _subject(repository: Repository) -> Json:
    """The `oidc-custom-sub-repo`."""
    owner = user(repository.owner, urls(), "Organization")["id"]
    ids = f"{repository.owner}@{owner}/{repository.name}@{repository.id}"
    body: Json = {
        "use_default": not repository.subject_keys,
        "use_immutable_subject": repository.immutable_subject,
        "sub_claim_prefix": f"repo:{ids if repository.immutable_subject else repository.full_name}",
    }
    return body | ({"include_claim_keys": list(repository.subject_keys)} if repository.subject_keys else {})


def _rule(slug: str, urls: Urls) -> Json:
    """A `deployment-protection-rule`: a GitHub App decides."""
    number = int(sha1(slug)[:6], 16)
    app = {"id": number, "slug": slug, "integration_url": f"{urls.api}/apps/{slug}", "node_id": node_id("A", number)}
    return {"id": number, "node_id": node_id("GA", number), "enabled": True, "app": app}
