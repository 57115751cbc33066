"""What is measured: the four figures of delivery by how a deployment ended, what sweep found, trouble at the edge."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops.domain import metrics as measures
from chatops.domain.deployment import Deployment
from chatops.domain.errors import InvalidConfiguration
from chatops.edge import handler
from chatops.steps import sweep

NOW = 1_760_000_000.0
COMMITTED = "2025-10-09T08:36:40Z"  # a thousand seconds before NOW
DEPLOY = {"command": "deploy", "started_at": NOW - 300, "committed_at": COMMITTED}
ROLLBACK = {"command": "rollback", "started_at": NOW - 60}
WENT = {"claimed": True, "state": "failed"}
FAILED = {"ChangesMade": 1.0, "ChangesFailed": 1.0}

CASES: dict[str, tuple[str, dict[str, Any], float, dict[str, float]]] = {
    "a change that is live has a lead time from its commit on": (
        "Deployed",
        {"plan": DEPLOY, "deploy": {"claimed": True, "state": "succeeded"}},
        NOW - 100,
        {"ChangesMade": 1.0, "ChangesFailed": 0.0, "LeadTime": 1000.0},
    ),
    "a plan made before the commit's time was kept has none": (
        "Deployed",
        {"plan": {"command": "deploy"}},
        0,
        {"ChangesMade": 1.0, "ChangesFailed": 0.0},
    ),
    "a failed change is restored from when the service was touched": (
        "Rolled Back",
        {"plan": DEPLOY, "deploy": WENT},
        NOW - 90,
        {**FAILED, "TimeToRestore": 90.0},
    ),
    "where that is not known, no time is made up": ("Rolled Back", {"plan": DEPLOY, "deploy": WENT}, 0, FAILED),
    "what could not be put back is not restored": ("Rollback Failed", {"plan": DEPLOY, "deploy": WENT}, NOW, FAILED),
    "a pipeline without a claim went ahead if it succeeded": (
        "Deploy Failed",
        {"plan": DEPLOY, "deploy": {"claimed": False, "state": "succeeded"}},
        0,
        FAILED,
    ),
    "a deploy stage that never began changed nothing": ("Deploy Failed", {"plan": DEPLOY, "deploy": {}}, 0, {}),
    "a build that failed changed nothing": ("Build Failed", {"plan": DEPLOY}, 0, {}),
    "a person's cancel is neither": ("Restored", {"plan": DEPLOY, "deploy": WENT}, 0, {}),
    "a rejection is neither": ("Rejected", {"plan": DEPLOY}, 0, {}),
    "what a command takes back had failed": (
        "Restored",
        {"plan": ROLLBACK},
        0,
        {"ChangesFailed": 1.0, "TimeToRestore": 60.0},
    ),
    "a rollback that was cancelled says nothing": ("Cancelled", {"plan": ROLLBACK}, 0, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_an_end_says_of_a_change(case: str) -> None:
    end, facts, touched_at, expected = CASES[case]
    assert measures.of(end, Deployment.of({"state": facts}), touched_at, NOW) == expected


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [found for line in capsys.readouterr().out.splitlines() if "_aws" in (found := json.loads(line))]


def test_sweep_counts_what_it_found_and_a_sweep_that_found_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    sweep._report(sweep.Swept(settled=["d-1"], freed=["dev"]))
    sweep._report(sweep.Swept())
    found, nothing = written(capsys)
    assert (found["SweepFound"], found["SweepSettled"], found["SweepFreed"]) == ([2.0], [1.0], [1.0])
    assert "SweepWoken" not in found, "a metric is billed by the hours in which it is sent"
    assert nothing["SweepFound"] == [0.0], "missing data then means that sweep did not run"
    assert "SweepSettled" not in nothing
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert [set(names) for names in directive["Dimensions"]] == [{"service"}]


def test_trouble_at_the_edge_is_counted_since_it_is_answered_with_200(capsys: pytest.CaptureFixture[str]) -> None:
    assert handler._trouble(InvalidConfiguration("X is not set."))["statusCode"] == 200
    (metric,) = written(capsys)
    assert metric["EdgeTroubles"] == [1.0]
