"""As whom a repository's jobs sign in: the subject of GitHub's OIDC tokens, from what GitHub's REST API says of it.

https://docs.github.com/en/actions/reference/security/oidc
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

AUDIENCE = "sts.amazonaws.com"
IMMUTABLE_SINCE = "2026-07-15"
"""Repositories made, renamed or transferred since then have their ids in the subject."""


@dataclass(frozen=True)
class Identity:
    """`subjects`: the token's possible `sub` (more than one where GitHub does not say which); `…` stands for what only
    the run knows. `claims`: what else is known of the token. `ids`: owner@id/name@id. `custom`: the keys of a subject
    that somebody customised. `organisation`: the organisation's template decides, which is not known here."""

    subjects: tuple[str, ...]
    claims: Mapping[str, str] = field(default_factory=dict)
    ids: str = ""
    custom: tuple[str, ...] = ()
    organisation: bool = False

    def tokens(self) -> Iterator[dict[str, str]]:
        """The claims of each possible token; without `sub` where it is not known whole."""
        for subject in self.subjects:
            yield {**self.claims, **({} if "…" in subject or self.organisation else {"sub": subject})}


def identity(
    repository: Mapping[str, Any], template: Mapping[str, Any] | None, environment: str, workflow: str = ""
) -> Identity:
    """Of jobs in this environment. `repository`: GET /repos/{owner}/{repo}; `template`: GET …/actions/oidc/
    customization/sub, None where the token may not ask. `workflow`: the token's `job_workflow_ref`, empty where it is
    not known."""
    full_name, owner = str(repository["full_name"]), repository.get("owner") or {}
    name = full_name.partition("/")[2]
    ids = f"{owner.get('login')}@{owner.get('id')}/{name}@{repository.get('id')}"
    context = f"environment:{_value(environment)}"
    claims = {
        "aud": AUDIENCE,
        "environment": environment,
        "event_name": "repository_dispatch",
        "ref": f"refs/heads/{repository.get('default_branch')}",
        "ref_type": "branch",
        "repository": full_name,
        "repository_id": str(repository.get("id")),
        "repository_owner": str(owner.get("login")),
        "repository_owner_id": str(owner.get("id")),
        "repository_visibility": str(repository.get("visibility", "…")),
        **({"job_workflow_ref": workflow} if workflow else {}),
    }
    prefixes = _prefixes(repository, template, f"repo:{full_name}", f"repo:{ids}")
    keys = [str(key) for key in (template or {}).get("include_claim_keys") or []]
    usual = tuple(f"{prefix}:{context}" for prefix in prefixes)
    default = template is None or template.get("use_default", True)
    if default or not keys:
        return Identity(usual, claims, ids, organisation=not default)
    # the same for all prefixes where `repo` is not among the keys
    subjects = tuple(
        dict.fromkeys(":".join(_part(key, prefix, context, claims) for key in keys) for prefix in prefixes)
    )
    return Identity(subjects, claims, ids, custom=() if subjects == usual else tuple(keys))


def _prefixes(
    repository: Mapping[str, Any], template: Mapping[str, Any] | None, classic: str, immutable: str
) -> tuple[str, ...]:
    said = str((template or {}).get("sub_claim_prefix") or "").strip().rstrip(":")
    if said:
        return (said if said.startswith("repo:") else f"repo:{said}",)
    chosen = (template or {}).get("use_immutable_subject")
    if chosen is None and str(repository.get("created_at", "")) >= IMMUTABLE_SINCE:
        chosen = True
    if chosen is None:  # made before, and perhaps renamed or transferred since
        return (classic, immutable)
    return (immutable if chosen else classic,)


def _part(key: str, prefix: str, context: str, claims: Mapping[str, str]) -> str:
    if key == "repo":
        return prefix
    return context if key == "context" else f"{key}:{_value(claims.get(key, '…'))}"


def _value(text: str) -> str:
    """A colon in a value is written otherwise, so that it separates nothing."""
    return text.replace(":", "%3A")
