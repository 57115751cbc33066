"""A release: what ran in a target and can be put back."""

from __future__ import annotations

from collections.abc import Iterable

from chatops.values import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A version, its commit, image and (ECS) task definition or (CodeDeploy) deployment. `verified_at`: ISO time at
    which it was found healthy, by the bot or by its platform; empty for what nobody has found healthy."""

    version: str = ""
    sha: str = ""
    image: str = ""
    task_definition: str = ""
    codedeploy_deployment_id: str = ""
    deployment_id: str = ""
    verified_at: str = ""

    @property
    def key(self) -> str:
        """Identifies the entry of the ledger."""
        return f"{self.verified_at}#{self.deployment_id}"

    @property
    def mark(self) -> str:
        """What tells it apart from other releases: its commit; its version where the commit is not known."""
        return self.sha or self.version

    def same(self, other: Release) -> bool:
        """The same commit, or the same version where one of the commits is not known."""
        return self.sha == other.sha if self.sha and other.sha else self.version == other.version


def older(releases: Iterable[Release], live: Release | None) -> list[Release]:
    """Those that are other commits than `live` and were verified before it was verified last; all others where it is
    not among them. `releases`: newest first."""
    known = list(releases)
    if live is None:
        return known
    at = next((n for n, each in enumerate(known) if each.same(live)), -1)
    return [each for each in known[at + 1 :] if not each.same(live)]


def way_back(releases: Iterable[Release], live: Release | None, left: frozenset[str]) -> Release | None:
    """The newest release that is older than `live` and has not been rolled back from. `releases`: newest first; `left`:
    marks of those that were rolled back from. v1, v2, v3 deployed, back to v2, back again: v1, never v3."""
    return next((each for each in older(releases, live) if each.verified_at and each.mark not in left), None)


def named(releases: Iterable[Release], version: str) -> Release | None:
    """The newest release of that version (with or without a leading v), or None. `releases`: newest first."""
    known = list(releases)
    bare = version.removeprefix("v")
    exact = next((r for r in known if r.version == version), None)
    return exact or next((r for r in known if r.version.removeprefix("v") == bare), None)
