"""Figures of two sides, and how they are told: medians, and the ratio of each pair's, so that a machine whose speed
drifts does not count for either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """`name` ends with the unit. `ours`, `peer`: pairs that were measured one after the other."""

    name: str
    about: str
    ours: Sequence[float]
    peer: Sequence[float]

    @property
    def ratio(self) -> float:
        """Ours to the peer's: below one is less than the peer needs."""
        return median(a / b for a, b in zip(self.ours, self.peer, strict=True))

    def told(self) -> dict[str, float]:
        return {"ours": _short(median(self.ours)), "peer": _short(median(self.peer)), "ratio": _short(self.ratio)}


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def table(figures: Sequence[Figure]) -> str:
    """For people."""
    lines = [f"{'':44} {'ours':>10} {'Bolt':>10} {'ratio':>7}  pairs"]
    for one in figures:
        told = one.told()
        unit = one.name.rpartition("_")[2]
        label = f"{one.about} ({unit})"
        lines.append(f"{label:44} {told['ours']:>10,g} {told['peer']:>10,g} {told['ratio']:>7.2f}  {len(one.ours)}")
    return "\n".join(lines)
