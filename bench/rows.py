"""What must be reached: a figure, how much it may be, and whether it is. A figure that is missed is said, and fails
nothing: the gate's own limits stand in tests/unit/test_built.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import limits
from bench.first_calls import FirstCall

FIRST_CALL_SECONDS, OF_THE_PEER = 1.0, 0.8
SMALL = {"park": 450.0, "stage": 450.0, "settle": 450.0, "slack approve": 600.0}
"""Millions of instructions."""
QUIET_DAY_SECONDS = 8.0
HAPPY = (
    *("slack command", "plan", "notify", "dispatch", "stage", "poll", "park", "approval", "slack approve"),
    *("ecs", "settle"),
)
"""Whose first calls the first deployment of a quiet day waits for."""


@dataclass(frozen=True)
class Row:
    """`limit`: the most that it may be."""

    name: str
    about: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.limit

    def told(self) -> dict[str, object]:
        return {"value": float(f"{self.value:.4g}"), "limit": self.limit, "unit": self.unit, "met": self.met}


def table(rows: Sequence[Row]) -> str:
    """For people."""
    lines = [f"{'what must be reached':58} {'is':>8} {'at most':>8}"]
    for one in rows:
        missed = "" if one.met else "  missed"
        lines.append(f"{one.about + ' (' + one.unit + ')':58} {one.value:>8.3g} {one.limit:>8g}{missed}")
    return "\n".join(lines)


def of_first_calls(found: Mapping[str, FirstCall], empty_init: float) -> list[Row]:
    """`empty_init`: seconds of the start of a function that does nothing, as the machine of the limits needs them."""

    def cold(kind: str) -> float:
        one = found[kind]
        init = max(limits.used(one.init_seconds, one.calibration) - empty_init, 0.0)
        return (init + one.used * max(1.0, limits.WHOLE / one.memory_mb)) * limits.SLOWER

    edge = found["slack command"]
    share = limits.SLOWER * limits.WHOLE / edge.memory_mb
    init = max(limits.used(edge.init_seconds, edge.calibration) - empty_init, 0.0)
    steps = [kind for kind in sorted(found) if not kind.startswith("slack") and kind != "gifs"]
    return [
        Row("edge_handler_ms", "first command, handler at 512 MB", edge.used * share * 1000, 50, "ms"),
        Row("edge_init_ms", "first command, start", init * limits.SLOWER * 1000, 250, "ms"),
        *(Row(f"{kind}_first_s", f"{kind}: first call", cold(kind), FIRST_CALL_SECONDS, "s") for kind in steps),
        Row("quiet_day_s", "first deployment of a quiet day", sum(map(cold, HAPPY)), QUIET_DAY_SECONDS, "s"),
    ]


def of_instructions(found: Mapping[str, float], peer: float) -> list[Row]:
    """Millions above a handler that does nothing: by kind of first call, and of the peer's first command."""
    rows = [
        Row("edge_command_ratio", "first command, of the peer's instructions", found["command"] / peer, 0.40, "ratio"),
        Row("edge_forged_m", "a forged request first", found["forged"], 250, "M"),
    ]
    for kind, millions in sorted(found.items()):
        name = kind.replace(" ", "_")
        if kind in SMALL:
            rows.append(Row(f"{name}_m", f"{kind}: first call", millions, SMALL[kind], "M"))
        if kind not in ("command", "forged", "gifs") and not kind.startswith("slack"):
            rows.append(
                Row(f"{name}_ratio", f"{kind}: first call, of the peer's", millions / peer, OF_THE_PEER, "ratio")
            )
    return rows
