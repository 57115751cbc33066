"""`make bench`: built artefacts beside the peer, then every function's first call; the last line is one JSON object."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import built, callgrind, first_calls, limits
from bench.built import Built
from bench.fakes import far_ends
from bench.figures import Figure, table
from bench.first_calls import FirstCall
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


def counted(sides: Sides) -> list[Figure]:
    """Instructions: of the start, and what the first command takes beyond it."""
    start, command = (
        {side: callgrind.instructions(sides.command(side, kind), sides.environment()) / 1e6 for side in NAMES}
        for kind in ("", "command")
    )
    handler = {side: command[side] - start[side] for side in NAMES}
    return [
        Figure("init_instructions_millions", "start, instructions", [start["ours"]], [start["peer"]]),
        Figure("command_instructions_millions", "first command, instructions", [handler["ours"]], [handler["peer"]]),
    ]


def beside_the_peer(made: Built, folder: Path) -> list[Figure]:
    with far_ends(folder) as fake:
        sides = Sides(made, folder, fake)
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
        if lacking := callgrind.missing():
            print(lacking)
        else:
            figures += counted(sides)
    return figures


def first(made: Built, folder: Path) -> dict[str, FirstCall]:
    os.environ["SSL_CERT_FILE"] = str(folder / "authorities.pem")  # the local run's own functions answer people, too
    with first_calls.deployments(made, folder) as calls:
        return calls.found


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


def main() -> int:
    """Exit status 0, or 1 where something is not installed. Raises where an edge does something else than the other."""
    if lacking := built.missing():
        print(lacking, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        made = built.build(folder / "built")
        figures, calls = beside_the_peer(made, folder), first(made, folder)
    print(table(figures))
    print(lines(calls))
    result = {
        "figures": {one.name: one.told() for one in figures},
        "first_calls": told(calls),
        "calibration_ms": {"here": round(limits.calibrate() * MS, 2), "of_the_limits": limits.CALIBRATION * MS},
        "peer": "slack-bolt",
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
