"""As many interleavings as are asked for, in batches, over processes; and what came of them, in one line."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.faults.kills import batch
from tests.faults.kills.batch import Result
from tests.faults.kills.points import Plan, Record, chosen, plan
from tests.faults.kills.scenarios import SCENARIOS

BATCH = 48
PROCESSES = 2


def run(count: int, seed: int, processes: int = PROCESSES) -> Iterator[Result]:
    """Record every scenario, then kill: `count` plans, chosen by `seed`."""
    with _pool(processes) as pool:
        names = list(SCENARIOS)
        parts = [names[at::processes] for at in range(processes)]
        found: dict[str, Record] = {}
        for part in pool.map(batch.records, parts):
            found |= part
        records = {name: found[name] for name in names}
        plans = chosen(records, count, seed)
        total = sum(len(record) for record in records.values())
        _say(f"{len(plans)} plans (seed {seed}) over {len(records)} scenarios of {total} invocations")
        yield from _batches(pool, plans)


def again(texts: Sequence[str], processes: int = PROCESSES) -> Iterator[Result]:
    """These interleavings, by name. Raises ValueError for what names none."""
    plans = [plan(text) for text in texts]
    if unknown := {one.scenario for one in plans} - set(SCENARIOS):
        raise ValueError(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    with _pool(processes) as pool:
        yield from _batches(pool, plans)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))


def _batches(pool: ProcessPoolExecutor, plans: Sequence[Plan]) -> Iterator[Result]:
    # one after the other through the scenarios: no batch is all of the slowest
    number = max(-(-len(plans) // BATCH), 1)
    begun, seen = time.monotonic(), 0
    for future in as_completed([pool.submit(batch.kill, plans[at::number]) for at in range(number)]):
        results = future.result()
        seen += len(results)
        failing = [result for result in results if result.failures]
        _say(
            f"{seen} of {len(plans)} after {time.monotonic() - begun:.0f} s"
            + (f", {len(failing)} failing" * bool(failing))
        )
        for result in failing:
            _say(told(result))
        yield from results


def told(result: Result) -> str:
    """A failing interleaving, and how to run it again."""
    steps = " ".join(f"{step}#{turn}" for step, turn, _ in result.record)
    lines = [f"FAILED  make kills ONLY='{result.plan}'", *result.failures, f"it went: {steps}"]
    return "\n        ".join(lines)


def summary(results: Iterable[Result], seconds: float) -> str:
    """One line: how many interleavings, by scenario."""
    results = list(results)
    killed = Counter(plan(one.plan).scenario for one in results if one.killed)
    failed = [one for one in results if one.failures]
    counts = ", ".join(f"{name} {killed[name]}" for name in SCENARIOS if killed[name])
    return (
        f"{sum(killed.values())} interleavings in {seconds:.0f} s, {len(failed)} failing; "
        f"{len(results) - sum(killed.values())} plans whose point was not reached ({counts})"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command speaks to its terminal
