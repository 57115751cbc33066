"""What the stack costs a month, and what a deployment of each kind uses: `make costs` prints the tables of
docs/costs.md, and with WRITE=1 puts them there.

What is used is measured: the real handlers and the real definition, under a clock that jumps
(tests/simulator/kinds.py).
Alarms, memory and functions come from template.yaml. Prices are AWS's for us-east-1 in US dollars, without the free
tiers that only new accounts have; the always-free amounts are shown in a line of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lambdas/shared"), str(ROOT)]

from local.runtime.intrinsics import load_yaml  # noqa: E402 - found on the path of the line above
from scripts import limits  # noqa: E402 - likewise
from tests.simulator import kinds  # noqa: E402 - likewise
from tests.simulator.counted import Used  # noqa: E402 - likewise

PAGE = ROOT / "docs" / "costs.md"
SWEEPS = 730 * 12
"""A month: one every five minutes."""
VOLUMES = (0, 10, 100, 1000, 10_000)
COMPUTING, STARTING = 0.03, 1.0
"""Seconds that an invocation computes, and that a function's start takes (`make bench`); in each deployment each
function is taken to start once. What it waits for others is counted call by call (tests/simulator/counted.py)."""


@dataclass(frozen=True)
class Price:
    """Dollars for one unit, how many units a month are free for everybody, and where that is written."""

    dollars: float
    free: float
    page: str


PRICES = {
    "State transitions": Price(0.025 / 1000, 4000, "https://aws.amazon.com/step-functions/pricing/"),
    "Lambda requests": Price(0.20 / 1e6, 1e6, "https://aws.amazon.com/lambda/pricing/"),
    "Lambda GB-seconds (arm64)": Price(0.0000133334, 400_000, "https://aws.amazon.com/lambda/pricing/"),
    "Table reads": Price(0.125 / 1e6, 0, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "Table writes": Price(0.625 / 1e6, 0, "https://aws.amazon.com/dynamodb/pricing/on-demand/"),
    "Events": Price(1.00 / 1e6, 0, "https://aws.amazon.com/eventbridge/pricing/"),
    "Log gigabytes": Price(0.50, 5, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Alarmed metrics": Price(0.10, 10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Custom metrics": Price(0.30, 10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Dashboard": Price(3.00, 3, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Secret": Price(0.40, 0, "https://aws.amazon.com/secrets-manager/pricing/"),
}


def units(used: Used, starting: float = STARTING) -> dict[str, float]:
    """What AWS bills for this use; each function starts once, for so many seconds.
    1.5 KB of log for each invocation and 2 KB for each transition are upper guesses."""
    return {
        "State transitions": used.transitions,
        "Lambda requests": used.invocations,
        "Lambda GB-seconds (arm64)": gb_seconds(used, starting),
        "Table reads": used.reads,
        "Table writes": used.written,
        "Events": used.events,
        "Log gigabytes": (used.invocations * 1500 + used.transitions * 2000) / 1e9,
    }


def gb_seconds(used: Used, starting: float = STARTING) -> float:
    memory = _memory()
    return sum(
        (count * COMPUTING + used.waited[name] + starting) * memory[name] / 1024
        for name, count in used.functions.items()
    )


@cache
def _template() -> dict[str, Any]:
    found: dict[str, Any] = load_yaml((ROOT / "template.yaml").read_text("utf-8"))
    return found


def _memory() -> dict[str, int]:
    """Megabytes of each function."""
    usual = _template()["Globals"]["Function"]["MemorySize"]
    made = [r["Properties"] for r in _template()["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    return {one["CodeUri"].split("/")[1]: one.get("MemorySize", usual) for one in made}


def dollars(used: Used) -> float:
    """Of one deployment, without what is always free."""
    return sum(count * PRICES[name].dollars for name, count in units(used).items())


def month(deployments: int, each: Used, sweep: Used) -> dict[str, float]:
    """Units a month."""
    template = _template()["Resources"]
    hours = min(deployments, 730)  # a metric is billed by the hours in which it is sent
    used, swept = units(each), units(sweep, 0)  # it comes often enough to stay warm
    return {name: deployments * used[name] + SWEEPS * swept[name] for name in used} | {
        "Alarmed metrics": sum(map(_alarmed, template.values())),
        "Custom metrics": 1 + 8 * hours / 730,  # SweepFound always, eight of the target with a deployment
        "Dashboard": sum(r["Type"] == "AWS::CloudWatch::Dashboard" for r in template.values()),
        "Secret": sum(r["Type"] == "AWS::SecretsManager::Secret" for r in template.values()),
    }


def _alarmed(resource: dict[str, Any]) -> int:
    """How many metrics an alarm is billed for."""
    if resource["Type"] != "AWS::CloudWatch::Alarm":
        return 0
    return max(sum("MetricStat" in m for m in resource["Properties"].get("Metrics", [])), 1)


def months(each: Used, sweep: Used) -> str:
    """Units and dollars by volume, as Markdown; the last lines are the sums, without and with what is always free."""
    found = {count: month(count, each, sweep) for count in VOLUMES}
    lines = ["| a month | " + " | ".join(f"{count:,} deployments" for count in VOLUMES) + " |"]
    lines.append("|---" * (len(VOLUMES) + 1) + "|")
    for name, price in PRICES.items():
        cells = (f"{_units(u[name])} · ${u[name] * price.dollars:.2f}" for u in found.values())
        lines.append(f"| [{name}]({price.page}) | " + " | ".join(cells) + " |")
    whole = {n: sum(u[k] * p.dollars for k, p in PRICES.items()) for n, u in found.items()}
    free = {n: sum(max(u[k] - p.free, 0) * p.dollars for k, p in PRICES.items()) for n, u in found.items()}
    lines.append("| **Sum** | " + " | ".join(f"**${d:.2f}**" for d in whole.values()) + " |")
    lines.append(
        "| Sum where AWS's always-free amounts are still unused | "
        + " | ".join(f"${d:.2f}" for d in free.values())
        + " |"
    )
    return "\n".join(lines)


def _units(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.2f}"


COLUMNS = (
    "transitions", "invocations", "GB-seconds", "GitHub requests", "of them counted", "Slack calls", "table reads",
    "table writes", "$ for 1,000",
)  # fmt: skip


def row(used: Used) -> tuple[float, ...]:
    """One number for each of COLUMNS."""
    return (
        used.transitions, used.invocations, round(gb_seconds(used), 1), used.github, used.counted, used.slack.total(),
        used.reads, used.written, round(1000 * dollars(used), 2),
    )  # fmt: skip


def named(name: str, minutes: int) -> str:
    return f"{name}, {minutes} min of build" if minutes else name


def deployments(found: Mapping[tuple[str, int], Used]) -> str:
    """What one deployment of each kind uses, as Markdown."""
    lines = ["| one deployment | " + " | ".join(COLUMNS) + " |", "|---" + "|---:" * len(COLUMNS) + "|"]
    lines += [
        f"| {named(*key)} | " + " | ".join(f"{number:,}" for number in row(used)) + " |" for key, used in found.items()
    ]
    return "\n".join(lines)


def functions(each: Used) -> str:
    """Which functions a typical deployment invokes, as a sentence's middle."""
    return ", ".join(f"`{name}` {count}" for name, count in each.functions.most_common())


def page(text: str, parts: Mapping[str, str]) -> str:
    """The page with each part between its two marks. Raises ValueError where they are missing."""
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        head, _, rest = text.partition(begin)
        _, _, tail = rest.partition(end)
        if not (rest and tail):
            raise ValueError(f"the page has no marks for {name}")
        text = head + begin + part + end + tail
    return text


def main(arguments: list[str]) -> int:
    found = kinds.measured()
    typical = found[kinds.TYPICAL, 10]
    parts = {
        "months": months(typical, kinds.idle_sweep()),
        "deployments": deployments(found),
        "functions": f"A typical one invokes {functions(typical)}.",
    }
    if "--write" in arguments:
        PAGE.write_text(page(PAGE.read_text("utf-8"), parts), "utf-8")
        where = {"limits": limits.table(found["ECS, rolling", 10])}
        limits.PAGE.write_text(page(limits.PAGE.read_text("utf-8"), where), "utf-8")
    print("\n\n".join(parts.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
