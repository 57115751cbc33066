"""Which of the vendors' limits stops more deployments an hour, as the table of docs/limits.md: `make costs WRITE=1`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.simulator.counted import Used

PAGE = Path(__file__).resolve().parent.parent / "docs" / "limits.md"
HOUR, MINUTES = 3600, 60
GITHUB = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
SLACK = "https://docs.slack.dev/apis/web-api/rate-limits"
STATES = "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"
TABLE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"
COMPUTING = 0.03
"""Seconds that an invocation computes, besides what it waits for."""


@dataclass(frozen=True)
class Limit:
    """`hourly`: units that may be used in an hour. `uses`: of them by one deployment. `moves`: what raises it."""

    name: str
    told: str
    page: str
    hourly: float
    uses: float
    moves: str

    @property
    def deployments(self) -> float:
        return self.hourly / self.uses


def limits(used: Used) -> list[Limit]:
    """The lowest first."""
    busy = sum(used.waited.values()) + used.invocations * COMPUTING
    web = used.functions["slack"] + used.functions["stage"]
    described = used.aws["States.DescribeExecution"]
    found = [
        Limit("GitHub, requests", "5,000 an hour", GITHUB, 5000, used.counted, "an App's installation: up to 12,500"),
        Limit("GitHub, points", "900 a minute", GITHUB, 900 * MINUTES, used.points, "nothing; fewer looks"),
        Limit(
            "Slack, `chat.update`", "50 a minute", SLACK, 50 * MINUTES, used.slack["chat.update"], "fewer edits"
        ),
        Limit(
            "Slack, posts in one channel", "1 a second", SLACK, HOUR, used.slack["chat.postMessage"], "several channels"
        ),
        Limit("Step Functions, transitions", "800 a second", STATES, 800 * HOUR, used.transitions, "a quota increase"),
        Limit("Step Functions, `StartExecution`", "150 a second", STATES, 150 * HOUR, 1, "a quota increase"),
        Limit(
            "Step Functions, `DescribeExecution`", "10 a second", STATES, 10 * HOUR, described or 1, "a quota increase"
        ),
        Limit(
            "Lambda, concurrency", "1,000 at once", "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html",
            1000 * HOUR, busy, "a quota increase",
        ),
        Limit("DynamoDB, writes of a new table", "4,000 a second", TABLE, 4000 * HOUR, used.written, "it grows"),
        Limit("DynamoDB, reads of a new table", "12,000 a second", TABLE, 12_000 * HOUR, used.reads, "it grows"),
        Limit(
            "API Gateway", "2,500 a second", "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
            2500 * HOUR, web, "a quota increase",
        ),
        Limit(
            "Secrets Manager", "10,000 a second",
            "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html",
            10_000 * HOUR, len(used.functions), "nothing; each start of a function reads one",
        ),
        Limit(
            "EventBridge, invocations", "750 a second",
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
            750 * HOUR, used.functions["wake"] or 1, "a quota increase",
        ),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.deployments)


def table(used: Used) -> str:
    """As Markdown."""
    lines = ["| limit | is | one deployment uses | deployments an hour | what moves it |", "|---|---|---:|---:|---|"]
    lines += [
        f"| [{one.name}]({one.page}) | {one.told} | {one.uses:,.0f} | {one.deployments:,.0f} | {one.moves} |"
        for one in limits(used)
    ]
    return "\n".join(lines)
