"""What earlier deployments have left, for scenarios that begin with something to go back to; and the rows as read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chatops.store import table as t
from chatops.store.attributes import decode
from chatops.store.releases import Release
from tests.simulator.table import Table


def put(table: Table, target: str, releases: Sequence[Mapping[str, str]], repository: Any) -> None:
    """These were deployed, oldest first, and verified healthy; the last one is live. Each: version, and what it is
    known by at the service."""
    for number, known in enumerate(releases, 1):
        release = Release(
            sha=repository.tags[known["version"]].sha,
            image=f"registry.example/{target}:{known['version']}",
            deployment_id=f"d-before-{number}",
            verified_at=f"2026-01-0{number}T00:00:00.000Z",
            **known,
        )
        table.put(t.put({"pk": f"TARGET#{target}", "sk": f"RELEASE#{release.key}", **asdict(release)}))
    if releases:
        table.put(t.put({"pk": f"TARGET#{target}", "sk": "LEDGER", "n": len(releases)}))


def rows(table: Table) -> dict[tuple[str, str], dict[str, Any]]:
    """The whole table, decoded."""
    return {key: decode(item) for key, item in table.items.items()}
