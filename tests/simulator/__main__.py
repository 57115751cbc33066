"""`make simulate N=1000000 SEED=1`: interleavings by the thousand; `make simulate ONLY='<interleaving>'`: one again."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice

from tests.simulator import run, worker
from tests.simulator.points import plan
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import opened

EVERY = 100
"""Plays of one process between two reports."""


def main() -> int:
    """0 if every interleaving held."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("-n", type=int, default=10_000, help="how many interleavings (10000)")
    parser.add_argument("--seed", default="1", help="chooses the pairs (1)")
    parser.add_argument("--only", default="", help="an interleaving by its name")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    return _once(given.only) if given.only else _many(given.n, given.seed, given.processes)


def _once(text: str) -> int:
    """Raises ValueError for what names no interleaving."""
    wanted = plan(text)
    if wanted.scenario not in SCENARIOS:
        raise ValueError(f"there is no scenario {wanted.scenario}; there are {', '.join(SCENARIOS)}")
    with opened() as session:
        play, result = run.played(wanted, session)
    fired = "everything in it happened" if result.fired else "it went another way: not everything in it happened"
    print(f"{wanted}: {fired}\n        {run.trace(play)}")  # noqa: T201 - what the command is for
    print(result if result.failures else "held")  # noqa: T201 - what the command is for
    return 1 if result.failures else 0


def _many(count: int, seed: str, processes: int) -> int:
    begun, failed, per = time.monotonic(), 0, Counter[str]()
    with ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=worker.begin
    ) as pool:
        plans = run.chosen(pool.submit(worker.records).result(), seed)
        _say(f"{count} interleavings over {len(SCENARIOS)} scenarios with seed {seed}, in {processes} processes")
        working = {pool.submit(worker.work, list(islice(plans, EVERY))) for _ in range(2 * processes)}
        while working:
            done, working = wait(working, return_when=FIRST_COMPLETED)
            for fired, failing in (one.result() for one in done):
                per.update(fired)
                failed += len(failing)
                _say("\n".join([*failing, f"{per.total()} after {time.monotonic() - begun:.0f} s, {failed} failing"]))
            missing = count - per.total() - EVERY * len(working)
            if missing > 0 and len(working) < 2 * processes:
                working.add(pool.submit(worker.work, list(islice(plans, min(EVERY, missing)))))
    counts = ", ".join(f"{name} {per[name]}" for name in SCENARIOS)
    print(f"{per.total()} interleavings in {time.monotonic() - begun:.0f} s, {failed} failing ({counts})")  # noqa: T201
    return 1 if failed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command speaks to its terminal


if __name__ == "__main__":
    sys.exit(main())
