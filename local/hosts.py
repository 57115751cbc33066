"""Machines that only the pipeline changes: what runs on them, by the target's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Hosts:
    """`running`: the version that each target's machines run."""

    running: dict[str, str] = field(default_factory=dict)

    def deployer(self, target: str) -> Host:
        """What the pipeline does to that target's machines, which run v1.0.0 at first."""
        self.running[target] = "v1.0.0"
        return Host(self, target)


@dataclass(frozen=True)
class Host:
    """The machines of one target."""

    hosts: Hosts
    target: str

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        """`current` is switched to the release: to a new one by a deploy stage, to an earlier one by a rollback."""
        if step in ("Update service", "Restore release"):
            self.hosts.running[self.target] = stage["version"]
        return {}
