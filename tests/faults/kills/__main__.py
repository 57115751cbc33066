"""`make kills N=10000 SEED=1`: kill handlers at every external call; `make kills ONLY='<interleaving>'`: one again."""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.kills import run


def main() -> int:
    """0 if every interleaving held."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("-n", type=int, default=500, help="how many plans (500)")
    parser.add_argument("--seed", type=int, default=1, help="chooses them (1)")
    parser.add_argument("--only", action="append", default=[], help="an interleaving by its name")
    parser.add_argument("--processes", type=int, default=run.PROCESSES)
    given = parser.parse_args()
    begun = time.monotonic()
    found = run.again(given.only, given.processes) if given.only else run.run(given.n, given.seed, given.processes)
    results = list(found)
    print(run.summary(results, time.monotonic() - begun))  # noqa: T201 - what the command is for
    held = results and not any(one.failures for one in results)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
