"""How many hostile requests each route gets: 20,000 in the gate, any number by `make hostile N=1000000`."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

MANY = int(os.environ.get("HOSTILE", "20000"))
SEED = int(os.environ.get("SEED", "0")) or (time.time_ns() % 1_000_000 if "HOSTILE" in os.environ else 0)
"""Added to each test's own; 0 in the gate, whose requests are the same each time."""
storms = pytest.mark.parametrize(
    ("count", "seed"),
    [pytest.param(2000, 1, id="everyday"), pytest.param(MANY, 2 + SEED, id="gate", marks=pytest.mark.slow)],
)


def storm(made: Callable[[Random], Any], status: Callable[[Any], int], count: int, seed: int) -> Counter[int]:
    """So many requests, each `made` by chance; how often each status was answered. A failure names its request."""
    pick, answers = Random(seed), Counter[int]()  # noqa: S311 - the same requests every time
    for n in range(count):
        request = made(pick)
        try:
            answers[status(request)] += 1
        except BaseException as error:
            raise AssertionError(f"number {n} of seed {seed}: {str(request)[:3000]}") from error
    print(f"{answers.total():,} hostile requests, 0 exceptions: {dict(sorted(answers.items()))}")  # noqa: T201 - with -s
    return answers
