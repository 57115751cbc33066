"""`make bench`: a table, and as the last line one JSON object."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import callgrind
from bench.far import Far, far_ends
from bench.figures import Figure, table

ROOT = Path(__file__).resolve().parents[1]
SIDES = {"ours": "lambdas.slack.app", "peer": "bench.peer"}
EXPECTED = {"command": 200, "forged": 401, "stray": 401}
PYTHON = sys.executable
PAIRS, WARM_PAIRS, WARM = 12, 5, 200
MS, MB = 1000.0, 1e-6

Run = dict[str, Any]


def environment(far: Mapping[str, str]) -> dict[str, str]:
    """Of a measured process. Hashes are not drawn by lot, so that instructions can be compared."""
    path = os.pathsep.join((str(ROOT / "lambdas" / "shared"), str(ROOT)))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **far, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}


def once(side: str, kind: str, far: Far, warm: int = 0) -> Run:
    """One process. Raises AssertionError where it does not do what it is measured for."""
    before = far.asked["AWSStepFunctions.StartExecution"]
    began = time.monotonic()
    command = [PYTHON, "-m", "bench.once", SIDES[side], kind, str(warm)]
    done = subprocess.run(
        command, env=environment(far.environment()), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    found: Run = json.loads(done.stdout.splitlines()[-1])
    started = far.asked["AWSStepFunctions.StartExecution"] - before
    assert found["status"] == EXPECTED[kind], f"{side} answered {found['status']}"
    assert found.get("statuses", [EXPECTED[kind]]) == [EXPECTED[kind]], f"{side} answered {found['statuses']}"
    assert started == (warm + 1 if kind == "command" else 0), f"{side} started {started} executions"
    return {**found, "seconds": found["answered_at"] - began}


def pairs(kind: str, far: Far, number: int, warm: int = 0) -> dict[str, list[Run]]:
    """Both sides in turn, so many times, after one that does not count (it writes the bytecode)."""
    found: dict[str, list[Run]] = {side: [] for side in SIDES}
    for turn in range(number + 1):
        for side in SIDES:
            run = once(side, kind, far, warm)
            if turn:
                found[side].append(run)
    return found


def figure(name: str, about: str, key: str, scale: float, runs: Mapping[str, list[Run]]) -> Figure:
    ours, peer = ([run[key] * scale for run in runs[side]] for side in SIDES)
    return Figure(name, about, ours, peer)


def verifying(far: Far) -> Figure:
    command = [PYTHON, "-m", "bench.verifying"]
    done = subprocess.run(
        command, env=environment(far.environment()), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    found = json.loads(done.stdout)
    ours, peer = ([seconds * MS * 1000 for seconds in found[side]] for side in SIDES)
    return Figure("verify_us", "one signature, beside slack_sdk's verifier", ours, peer)


def counted(far: Far) -> Figure:
    found: dict[str, list[float]] = {}
    for side, module in SIDES.items():
        command = [PYTHON, "-m", "bench.once", module, "stray"]
        found[side] = [callgrind.instructions(command, environment(far.environment())) / 1e6]
    return Figure("cold_stray_instructions_millions", "the same, instructions", found["ours"], found["peer"])


def main() -> int:
    """Exit status 0; an edge that does something else than the other ends it with an error."""
    with far_ends() as far:
        cold, forged, stray = (pairs(kind, far, PAIRS) for kind in EXPECTED)
        warm, refusals = (pairs(kind, far, WARM_PAIRS, WARM) for kind in ("command", "forged"))
        figures = [
            figure("cold_command_ms", "new process to its first command's answer", "seconds", MS, cold),
            figure("cold_command_cpu_ms", "the same, processor time", "cpu_seconds", MS, cold),
            figure("cold_command_rss_mb", "the same, peak memory", "peak_rss_bytes", MB, cold),
            figure("cold_forged_ms", "new process, a forged signature refused", "seconds", MS, forged),
            figure("warm_command_ms", "a later command", "warm_seconds", MS, warm),
            figure("warm_forged_ms", "a later forged one", "warm_seconds", MS, refusals),
            verifying(far),
            figure("cold_stray_ms", "new process, no signature, refused", "seconds", MS, stray),
            figure("cold_stray_rss_mb", "the same, peak memory", "peak_rss_bytes", MB, stray),
        ]
        if lacking := callgrind.missing():
            print(lacking)
        else:
            figures.append(counted(far))
    print(table(figures))
    made = {
        "figures": {one.name: one.told() for one in figures},
        "peer": f"slack-bolt {version('slack-bolt')}",
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()},
    }
    print(json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
