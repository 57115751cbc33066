"""What the stack costs a month, as the table of docs/costs.md: `make costs`.

What is counted comes from the project itself: alarms and functions from template.yaml, the looks of a wait from the
targets' default timing and the pace of `poll`. Prices are AWS's for us-east-1 in US dollars, without the free tiers
that only new accounts have; the always-free amounts are shown in a column of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lambdas/shared"), str(ROOT)]

from chatops.domain.target import Timing  # noqa: E402 - likewise
from chatops.steps.poll_timing import pace_after  # noqa: E402 - found on the path of the line above
from chatops.steps.rollout import pace  # noqa: E402 - likewise
from local.runtime.intrinsics import load_yaml  # noqa: E402 - likewise

MONTH = 730 * 3600
VOLUMES = (0, 10, 100, 1000)


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
    "Log gigabytes": Price(0.50, 5, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Alarmed metrics": Price(0.10, 10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Custom metrics": Price(0.30, 10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Dashboard": Price(3.00, 3, "https://aws.amazon.com/cloudwatch/pricing/"),
    "Secret": Price(0.40, 0, "https://aws.amazon.com/secrets-manager/pricing/"),
}


@dataclass(frozen=True)
class Typical:
    """A deployment as a month has them: seconds of its waits, and how often its message changes on the way."""

    build: int = 8 * 60
    approval: int = 12 * 60
    deploy: int = 3 * 60
    rollout: int = 4 * 60
    changes: int = 25

    def looks(self, timing: Timing) -> dict[str, int]:
        """How often each wait is looked at."""
        approval = 1 + self.approval // timing.reminder
        return {
            "build": looks(self.build, lambda passed: pace_after(passed, timing)),
            "approval": approval,
            "deploy": looks(self.deploy, lambda passed: pace_after(passed, timing)),
            "rollout": looks(self.rollout, lambda lasted: pace(timing, lasted, timing.rollout)),
        }


def looks(seconds: float, pause: Callable[[float], float]) -> int:
    """Looks at a run or a rollout of that length, none of them woken early but the last. `pause`: the seconds after a
    look, by those that have passed."""
    count, at = 1, 0.0
    while at < seconds:
        at += pause(at)
        count += 1
    return count


def transitions(typical: Typical, timing: Timing) -> int:
    """Each look is a step, a choice and a wait; a change of the message is a step; and the states that are passed once:
    four boxes, each with its end and the choice after it, and what is between them."""
    boxes = 3 * len(("Build", "Approval", "Deploy", "Rollout"))
    once = len(("Route Command", "Plan", "Announce", "Planned?", "Dispatch Build", "Dispatch Deploy"))
    once += len(("Settle", "Notify Outcome", "Which End?", "Deployed"))
    return 3 * sum(typical.looks(timing).values()) + typical.changes + boxes + once


def invocations(typical: Typical, timing: Timing) -> int:
    """A look invokes the step and the wait's `park`. Besides: slack twice (command, button), a claim of each of three
    jobs and a report of each of two stages, and the six steps that are passed once."""
    return 2 * sum(typical.looks(timing).values()) + typical.changes + 2 + 5 + 6


def usage(deployments: int) -> dict[str, float]:
    """Units a month. Upper guesses where nothing counts them: 0.3 s an invocation at 256 MB, eight reads and two
    writes for each, 1.5 KB of log for each and 2 KB for each transition."""
    typical, timing = Typical(), Timing()
    template = load_yaml((ROOT / "template.yaml").read_text("utf-8"))["Resources"]
    steps, calls = deployments * transitions(typical, timing), deployments * invocations(typical, timing)
    sweeps = MONTH / 300
    calls += round(sweeps)
    hours = min(deployments, MONTH / 3600)  # a metric is billed by the hours in which it is sent
    return {
        "State transitions": steps,
        "Lambda requests": calls,
        "Lambda GB-seconds (arm64)": calls * 0.3 * 0.25,
        "Table reads": calls * 8,
        "Table writes": (calls - sweeps) * 2,
        "Log gigabytes": (calls * 1500 + steps * 2000) / 1e9,
        "Alarmed metrics": sum(map(_alarmed, template.values())),
        "Custom metrics": 1 + 8 * hours / (MONTH / 3600),  # SweepFound always, eight of the target with a deployment
        "Dashboard": sum(r["Type"] == "AWS::CloudWatch::Dashboard" for r in template.values()),
        "Secret": sum(r["Type"] == "AWS::SecretsManager::Secret" for r in template.values()),
    }


def _alarmed(resource: dict[str, Any]) -> int:
    """How many metrics an alarm is billed for."""
    if resource["Type"] != "AWS::CloudWatch::Alarm":
        return 0
    return max(sum("MetricStat" in m for m in resource["Properties"].get("Metrics", [])), 1)


def table() -> str:
    """Units and dollars by volume, as Markdown; the last lines are the sums, without and with what is always free."""
    months = {count: usage(count) for count in VOLUMES}
    lines = ["| a month | " + " | ".join(f"{count:,} deployments" for count in VOLUMES) + " |"]
    lines.append("|---" * (len(VOLUMES) + 1) + "|")
    for name, price in PRICES.items():
        cells = (f"{_units(u[name])} · ${u[name] * price.dollars:.2f}" for u in months.values())
        lines.append(f"| [{name}]({price.page}) | " + " | ".join(cells) + " |")
    whole = {n: sum(u[k] * p.dollars for k, p in PRICES.items()) for n, u in months.items()}
    free = {n: sum(max(u[k] - p.free, 0) * p.dollars for k, p in PRICES.items()) for n, u in months.items()}
    lines.append("| **Sum** | " + " | ".join(f"**${d:.2f}**" for d in whole.values()) + " |")
    lines.append(
        "| Sum where AWS's always-free amounts are still unused | "
        + " | ".join(f"${d:.2f}" for d in free.values())
        + " |"
    )
    return "\n".join(lines)


def _units(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.2f}"


if __name__ == "__main__":
    print(table())
