"""The version that a deployment is to make live: found on GitHub, held to the target's policy, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatops.domain.command_text import is_version
from chatops.domain.errors import GitHubUnavailable, Refusal
from chatops.domain.plan import Changes
from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.github import versions
from chatops.github.client import GitHub
from chatops.observability import logger
from chatops.settings.targets import targets
from chatops.store import releases
from chatops.store.table import table
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey


@dataclass(frozen=True)
class Candidate:
    """What will be live when all goes well."""

    version: str
    sha: str
    image: str = ""
    title: str = ""
    url: str = ""
    committed_at: str = ""
    note: Reason | None = None


def resolve(client: GitHub, wanted: str, target: Target) -> Candidate:
    """What `wanted` names, the newest where it is empty. Raises Refusal where it names nothing, or nothing that the
    target admits."""
    admitted = target.policy.branches
    commit = versions.resolve(client, wanted, target.tags, admitted, _pinned(target))
    if commit is None:
        if not wanted:
            raise Refusal("nothing_to_deploy", repository=target.repository)
        if branch := versions.branch_meant(client, wanted):
            key: TextKey = "branch_not_admitted" if admitted else "branches_not_admitted"
            raise Refusal(key, target=target.name, branch=branch, branches=", ".join(admitted))
        if meant := versions.similar(client, wanted, target.tags):
            raise Refusal("similar_version", repository=target.repository, version=wanted, meant=meant)
        if target.tags:
            raise Refusal("unknown_own_version", repository=target.repository, version=wanted, tags=target.tags)
        raise Refusal("unknown_version", repository=target.repository, version=wanted)
    if not is_version(commit.version):
        # the newest release's tag is GitHub's word, not the requester's; the allow-list holds for it all the same
        raise Refusal("bad_version", word=commit.version[:80])
    if commit.bare and not versions.admitted(client, commit.sha, target.tags, admitted):
        raise Refusal("commit_elsewhere", repository=target.repository, version=wanted)
    return Candidate(
        commit.version,
        commit.sha,
        title=commit.title,
        url=commit.url,
        committed_at=commit.committed_at,
        note=Reason("tag_and_branch", version=commit.version, branch=commit.branch) if commit.branch else None,
    )


def _pinned(target: Target) -> tuple[str, ...]:
    """Branches whose commits the targets before this one admit: what was verified there may go on."""
    found = list[str]()
    while target.policy.after and (before := targets().get(target.policy.after)):
        found, target = [*found, *before.policy.branches], before
    return tuple(found)


def assert_verified(target: Target, candidate: Candidate) -> None:
    """Raises Refusal for a commit that was not verified healthy where the policy wants it first, or was rolled back
    from there."""
    before, rows = target.policy.after, table()
    if not before:
        return
    values = {"target": target.name, "version": candidate.version, "before": before}
    if not any(one.sha == candidate.sha and one.verified_at for one in releases.newest_first(rows, before)):
        raise Refusal("after_first", **values)
    if candidate.sha in releases.left(rows, before):
        raise Refusal("after_left", **values)


def changes(client: GitHub, base: str, head: str) -> Changes | None:
    """For people to read; None where GitHub doesn't say. Nothing waits for it: of a large difference GitHub answers 5xx
    every time."""
    for counts_only in (False, True):
        try:
            return versions.changes(client, base, head, counts_only=counts_only)
        except GitHubUnavailable as error:
            logger.warning("github did not compare", reason=error.text)
    return None
