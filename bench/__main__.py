"""`make bench`: built artefacts beside the peer, then every function's first call; the last line is one JSON object."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import built, callgrind, first_calls, limits, requests, rows, weight
from bench.built import Built
from bench.fakes import SIGNING_SECRET, far_ends
from bench.figures import Figure, table
from bench.first_calls import FirstCall, FirstCalls
from bench.rows import Row
from bench.runtime_api import Function
from bench.sides import EXPECTED, PEER, Run, Sides

PAIRS, WARM_PAIRS, WARM = 12, 5, 200
MS, MB = 1000.0, 1e-6
NAMES = ("ours", "peer")


def pairs(sides: Sides, kind: str, number: int, later: int = 0) -> dict[str, list[Run]]:
    """Both sides in turn, so many times, after one that does not count."""
    found: dict[str, list[Run]] = {side: [] for side in NAMES}
    for turn in range(number + 1):
        for side in NAMES:
            run = sides.once(side, kind, later)
            if turn:
                found[side].append(run)
    return found


def figure(name: str, about: str, key: str, scale: float, runs: Mapping[str, list[Run]]) -> Figure:
    ours, peer = ([run[key] * scale for run in runs[side]] for side in NAMES)
    return Figure(name, about, ours, peer)


def verifying() -> Figure:
    """Of the peer's environment, which has both verifiers."""
    path = os.pathsep.join((str(built.ROOT / "lambdas" / "shared"), str(built.ROOT)))
    command = [str(PEER / "bin" / "python"), "-m", "bench.verifying"]
    done = subprocess.run(command, env={"PYTHONPATH": path}, cwd=built.ROOT, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    ours, peer = ([seconds * MS * 1000 for seconds in found[side]] for side in NAMES)
    return Figure("verify_us", "one signature, beside slack_sdk's verifier", ours, peer)


@dataclass(frozen=True)
class Counted:
    """Millions of instructions: of a handler that does nothing, and above it of our first calls by kind, and of the
    peer's first command."""

    empty: float
    ours: dict[str, float]
    peer: float

    def of_steps(self, found: Mapping[str, FirstCall]) -> Counted:
        """With these as well; one that failed is told, and not counted."""
        for kind, one in found.items():
            if one.error:
                print(f"{kind} is not counted, it failed: {one.error}")
        more = {kind: one.millions - self.empty for kind, one in found.items() if not one.error}
        return replace(self, ours={**self.ours, **more})


def counted(made: Built, sides: Sides, folder: Path) -> Counted:
    """Raises AssertionError where an edge does something else."""
    empty = callgrind.empty(folder / "empty")
    found = {}
    for kind, status in (("command", 200), ("forged", 401)):
        event = requests.KINDS[kind](SIGNING_SECRET)
        millions, answer = callgrind.of(made, "slack", sides.environment(), event)
        assert answer["statusCode"] == status, answer
        found[kind] = millions - empty
    peer, answer = callgrind.of(sides.peer, "peer", sides.environment(), requests.command(SIGNING_SECRET))
    assert answer["statusCode"] == 200, answer
    return Counted(empty, found, peer - empty)


def beside_the_peer(made: Built, folder: Path) -> tuple[list[Figure], Counted | None]:
    with far_ends(folder) as fake:
        sides = Sides(made, folder, fake)
        lacking = callgrind.missing()
        instructions = None if lacking else counted(made, sides, folder)
        cold, forged, stray = (pairs(sides, kind, PAIRS) for kind in EXPECTED)
        warm, refusals = (pairs(sides, kind, WARM_PAIRS, WARM) for kind in ("command", "forged"))
        figures = [
            figure("cold_command_ms", "new process to its first command's answer", "seconds", MS, cold),
            figure("init_cpu_ms", "its start, processor time", "init_seconds", MS, cold),
            figure("command_cpu_ms", "the first command alone, processor time", "handler_seconds", MS, cold),
            figure("cold_command_rss_mb", "the same, peak memory", "peak_rss_bytes", MB, cold),
            figure("cold_forged_ms", "new process, a forged signature refused", "seconds", MS, forged),
            figure("warm_command_ms", "a later command", "warm_seconds", MS, warm),
            figure("warm_forged_ms", "a later forged one", "warm_seconds", MS, refusals),
            verifying(),
            figure("cold_stray_ms", "new process, no signature, refused", "seconds", MS, stray),
            figure("cold_stray_rss_mb", "the same, peak memory", "peak_rss_bytes", MB, stray),
        ]
    if lacking:
        print(lacking)
    return figures, instructions


def first(made: Built, folder: Path, *, counting: bool = False) -> FirstCalls:
    os.environ["SSL_CERT_FILE"] = str(folder / "authorities.pem")  # the local run's own functions answer people, too
    with first_calls.deployments(made, folder, counting=counting) as calls:
        return calls


def empty_init(folder: Path) -> float:
    """Seconds of the start of a function that does nothing, as the machine of the limits needs them."""
    with Function(Built(folder / "empty"), "empty", {}) as function:
        return limits.used(function.started(), limits.calibrate())


def lines(found: Mapping[str, FirstCall]) -> str:
    """For people: milliseconds of processor time on the machine of the limits."""
    made = [f"{'first call in a new process (ms)':34} {'init':>8} {'handler':>8} {'at most':>8}  at MB"]
    for kind, one in sorted(found.items()):
        init = limits.used(one.init_seconds, one.calibration)
        row = f"{init * MS:>8.0f} {one.used * MS:>8.1f} {one.limit * MS:>8.0f}"
        made.append(f"{kind:34} {row}  {one.memory_mb}")
    return "\n".join(made)


def told(found: Mapping[str, FirstCall]) -> dict[str, Any]:
    return {
        kind: {
            "init_ms": round(limits.used(one.init_seconds, one.calibration) * MS, 1),
            "handler_ms": round(one.used * MS, 1),
            "limit_ms": round(one.limit * MS, 1),
        }
        for kind, one in sorted(found.items())
    }


def reach(
    calls: FirstCalls, instructions: Counted | None, figures: list[Figure], made: Built, empty: float
) -> list[Row]:
    """All that must be reached, as far as it was measured."""
    rss = next(one for one in figures if one.name == "cold_command_rss_mb")
    found = rows.of_first_calls(calls.found, empty)
    if instructions:
        found = [*rows.of_instructions(instructions.ours, instructions.peer), *found]
    return [
        *found,
        Row("edge_rss_mb", "first command, peak memory", median(rss.ours), 32, "MB"),
        Row("notify_warm_ms", "notify, warm, over TLS", median(calls.warm) * MS, 6, "ms"),
        Row("layer_mb", "the layer, zipped", weight.zipped_mb(made.layer.parent), 15, "MB"),
    ]


def _millions(instructions: Counted | None) -> dict[str, float]:
    if instructions is None:
        return {}
    found = {**instructions.ours, "peer": instructions.peer, "empty": instructions.empty}
    return {kind: round(number, 1) for kind, number in sorted(found.items())}


def main() -> int:
    """Exit status 0, or 1 where something is not installed. Raises where an edge does something else than the other."""
    if lacking := built.missing():
        print(lacking, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        made = built.build(folder / "built")
        callgrind.make_empty(folder / "empty")
        figures, instructions = beside_the_peer(made, folder)
        print(table(figures), flush=True)
        calls = first(made, folder)
        print(lines(calls.found), flush=True)
        if instructions:
            instructions = instructions.of_steps(first(made, folder, counting=True).found)
        reached = reach(calls, instructions, figures, made, empty_init(folder))
    print(rows.table(reached))
    result = {
        "figures": {one.name: one.told() for one in figures},
        "rows": {one.name: one.told() for one in reached},
        "missed": [one.name for one in reached if not one.met],
        "first_calls": told(calls.found),
        "instructions_millions": _millions(instructions),
        "calibration_ms": {"here": round(limits.calibrate() * MS, 2), "of_the_limits": limits.CALIBRATION * MS},
        "peer": "slack-bolt",
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
