"""A release: what ran in a target and can be put back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A version, its commit, image and (ECS) task definition or (CodeDeploy) deployment. `verified_at`: ISO time at
    which it was found healthy, empty for what ran before the bot came."""

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


def way_back(releases: Iterable[Release], live: str, bad: frozenset[str]) -> Release | None:
    """The newest release that is not `live` and has not been rolled back from, both by version. `releases`: newest
    first. v1, v2, v3 deployed, back to v2, back again: v1, never v3."""
    return next((r for r in releases if r.version != live and r.version not in bad), None)


def named(releases: Iterable[Release], version: str) -> Release | None:
    """The newest release of that version (with or without a leading v), or None. `releases`: newest first."""
    known = list(releases)
    bare = version.removeprefix("v")
    exact = next((r for r in known if r.version == version), None)
    return exact or next((r for r in known if r.version.removeprefix("v") == bare), None)
