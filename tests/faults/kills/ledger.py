"""What earlier deployments have left, for plays that begin with something to go back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chatops.domain.release import Release
from chatops.store import table as t
from local.world import STACK, World


def put(world: World, target: str, releases: Sequence[Mapping[str, str]]) -> None:
    """These were deployed, oldest first, and verified healthy; the last one is live. Each: version, and what it is
    known by at the service."""
    for number, known in enumerate(releases, 1):
        release = Release(
            sha=world.github.default_repository.tags[known["version"]].sha,
            image=f"registry.example/{target}:{known['version']}",
            deployment_id=f"d-before-{number}",
            verified_at=f"2026-01-0{number}T00:00:00.000Z",
            **known,
        )
        _write(world, {"pk": f"TARGET#{target}", "sk": f"RELEASE#{release.key}", **asdict(release)})
    if releases:
        _write(world, {"pk": f"TARGET#{target}", "sk": "LEDGER", "n": len(releases)})


def _write(world: World, row: dict[str, Any]) -> None:
    world.dynamodb.put_item(TableName=f"{STACK}-table", **t.put(row))


def rows(world: World) -> list[dict[str, Any]]:
    """The whole table, decoded."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = world.dynamodb.scan(TableName=f"{STACK}-table", **more)
        found += [t.decode(item) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
