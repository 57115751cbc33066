"""`make scale N=1000`: so many deployments to as many targets, with GitHub's and Slack's limits enforced; the last line
is JSON. Each line of the table is a run of its own; the costs are those of one deployment.

One token of GitHub's: 5,000 requests an hour that are no 304, 900 points a minute, 100 requests at once. One workspace
of Slack's: each method's tier, one post a second in each channel (three in a burst); ten targets
share a channel.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass

from tests.simulator import kinds
from tests.simulator.counted import Used
from tests.simulator.fleet import Fleet, Kind, opened_fleet

PER_CHANNEL = 10
BUILD = 10
"""Minutes of build; 3 of deploy and 4 of rollout come after it."""
EACH = (
    "transitions", "invocations", "GitHub requests", "of them counted", "GitHub points", "Slack calls", "table reads",
    "table writes",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """`hours` until everything had ended and was said. `lost`: what was wrong. `minute`: the most within a minute."""

    count: int
    ends: dict[str, int]
    lost: list[str]
    hours: float
    used: Used
    minute: dict[str, int]
    processor: float

    def each(self) -> dict[str, float]:
        used = self.used
        found = (
            used.transitions, used.invocations, used.github, used.counted, used.points, used.slack.total(), used.reads,
            used.written,
        )  # fmt: skip
        return {name: round(number / self.count, 1) for name, number in zip(EACH, found, strict=True)}

    def told(self) -> dict[str, object]:
        return {
            "deployments": self.count,
            "ends": self.ends,
            "lost": len(self.lost),
            "hours": round(self.hours, 2),
            "each": self.each(),
            "refused by a limit": dict(self.used.refused),
            "most within a minute": self.minute,
            "processor seconds": round(self.processor),
        }


def run(count: int, over: float, build: float = BUILD, kind: Kind | None = None) -> Result:
    """`count` deployments, begun within `over` seconds."""
    began = time.process_time()
    usual = Kind(scripts=kinds.scripts(build))
    with opened_fleet(Fleet) as fleet:
        fleet.begin_fleet([kind or usual] * count, max(count // PER_CHANNEL, 1))
        at = fleet.now()
        fleet.type_all(over)
        fleet.until_over()
        minute = {name: busiest.most for name, busiest in fleet.lambdas_counted.minutes.items()}
        return Result(
            count,
            dict(fleet.ends()),
            list(fleet.lost()),
            (fleet.now() - at) / 3600,
            fleet.spent(),
            minute,
            time.process_time() - began,
        )


def main() -> int:
    """0 where none was lost."""
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("-n", type=int, action="append", help="how many (100, 300 and 1000)")
    parser.add_argument("--over", type=float, default=60.0, help="seconds within which they are typed (60)")
    given = parser.parse_args()
    found = []
    for count in given.n or (100, 300, 1000):
        found.append(made := run(count, given.over))
        each = ", ".join(f"{name} {number:g}" for name, number in made.each().items())
        print(f"{count} deployments within {given.over:g} s: {made.ends}, over after {made.hours:.2f} h")  # noqa: T201
        print(f"    each: {each}; refused {dict(made.used.refused)}")  # noqa: T201 - what the command is for
        print("".join(f"    LOST {line}\n" for line in made.lost[:10]), end="", flush=True)  # noqa: T201
    print(json.dumps([one.told() for one in found]))  # noqa: T201 - what the command is for
    return 1 if any(one.lost for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
