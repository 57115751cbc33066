"""`/platform-deploy history`: the last twenty, each with where it came from, how it ended, who, when and how long."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.record import Outcome
from chatops.messages import history as page
from chatops.steps import ecs
from chatops.store import deployments
from chatops.store.table import Table
from fakes.slack.blocks import complaints
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call
from tests.unit.views import status_of

PLAN: dict[str, Any] = {
    "target": "dev",
    "command": "deploy",
    "version": "v2",
    "requester": {"id": "U0DANA001"},
    "live": {"version": "v1"},
}
EVENT = {"deployment_id": "d-abc", "mode": "status", "request": {"command": "history", "target": "dev"}}
ROW: dict[str, Any] = {
    "deployment_id": "d-abc234def567",
    "version": "v2",
    "before": "v1",
    "requester": "U0DANA001",
    "started_at": "2025-10-09T08:53:20.000Z",
    "end": "Deployed",
    "seconds": 362.4,
}


def history(fact: dict[str, Any]) -> dict[str, Any]:
    return page.history(status_of(fact))


def lines(message: dict[str, Any]) -> list[str]:
    return [line for b in message["blocks"] if b["type"] == "section" for line in b["text"]["text"].split("\n")]


def test_a_line_says_what_came_from_where_how_it_ended_who_when_and_how_long() -> None:
    message = history({"command": "history", "target": "dev", "last": [ROW]})
    assert message["blocks"][0]["text"]["text"] == "dev: the last deployments"
    when = "<!date^1760000000^{date_short_pretty} {time}|2025-10-09 08:53 UTC>"
    assert lines(message) == [f"✅ `v1` → `v2` · *Deployed* · <@U0DANA001> · {when} · 6m 02s"]
    assert message["text"] == "dev, the last 1: v2 · Deployed"


def test_what_is_in_flight_has_no_duration_and_what_an_older_bot_wrote_has_no_origin() -> None:
    flying = {k: v for k, v in {**ROW, "end": "", "requester": ""}.items() if k not in ("seconds", "before")}
    message = history({"target": "dev", "last": [flying]})
    assert lines(message)[0].startswith("⏳ `v2` · *Under way* · an operator · <!date")
    assert lines(message)[0].endswith("UTC>")


@pytest.mark.parametrize(
    ("end", "icon"),
    [("Restored", "⏪"), ("Rolled Back", "⏪"), ("Build Failed", "❌"), ("Rejected", "⏹️"), ("Cancelled", "⏹️")],
)
def test_every_end_has_its_icon(end: str, icon: str) -> None:
    assert lines(history({"target": "dev", "last": [{**ROW, "end": end}]}))[0].startswith(icon)


def test_twenty_of_the_longest_fit_slacks_limits() -> None:
    long = {**ROW, "version": "v" * 128, "before": "w" * 128, "deployment_id": "x" * 80}
    message = history({"target": "t" * 64, "last": [long] * 20})
    assert complaints(message["blocks"], 50) == []
    assert len(lines(message)) == 20


def test_nothing_yet_says_how_to_begin() -> None:
    message = history({"target": "dev", "last": []})
    assert "blocks" not in message
    assert "/platform-deploy dev" in message["text"]


def test_what_somebody_typed_does_no_harm() -> None:
    message = history({"target": "dev", "last": [{**ROW, "version": "<!channel>`*", "end": "<&>"}]})
    assert "<!channel>" not in str(message)


def test_the_last_twenty_are_read_newest_first_and_status_reads_five(rows: Table, time: Time) -> None:
    for number in range(23):
        time.pass_by(60)
        stored.begin(rows, f"d-{number}", "arn", {**PLAN, "version": f"v{number}"})
    record = deployments.get(rows, "d-22")
    assert record
    deployments.settle(rows, record, Outcome("Deployed", seconds=30.5))
    fact = call(ecs.run, EVENT)
    assert fact["command"] == "history"
    assert [row["version"] for row in fact["last"]] == [f"v{n}" for n in range(22, 2, -1)]
    assert fact["last"][0] == {
        "deployment_id": "d-22",
        "version": "v22",
        "before": "v1",
        "requester": "U0DANA001",
        "started_at": "2025-10-09T09:16:20.000Z",
        "end": "Deployed",
        "seconds": 30.5,
    }
    assert "seconds" not in fact["last"][1]
    assert len(call(ecs.run, {**EVENT, "request": {"command": "status", "target": "dev"}})["last"]) == 5
