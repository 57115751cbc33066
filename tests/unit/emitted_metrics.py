"""The metrics that the code really writes, read from what it writes: name and dimensions."""

from __future__ import annotations

import json

import pytest

from chatops import observability
from chatops.domain import metrics as measures
from chatops.domain.deployment import Deployment
from chatops.edge import handler
from chatops.steps import stage, sweep
from tests.unit.test_measures import CASES, NOW

Metric = tuple[str, str, frozenset[str]]
"""Namespace, name, dimensions' names."""


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[Metric, dict[str, str]]:
    """Every figure of every end, of sweep and of the edge's trouble, with the dimensions' values."""
    capsys.readouterr()
    for end, facts, touched_at, _ in CASES.values():
        observability.emit(measures.of(end, Deployment.of({"state": facts}), touched_at, NOW), "dev")
    sweep._report(sweep.Swept())
    handler._trouble(TimeoutError())
    stage._ring("d-one", "build", 1)
    found: dict[Metric, dict[str, str]] = {}
    for line in capsys.readouterr().out.splitlines():
        body = json.loads(line)
        for directive in body.get("_aws", {}).get("CloudWatchMetrics", []):
            for names in directive["Dimensions"]:
                values = {name: body[name] for name in names}
                for metric in directive["Metrics"]:
                    found[(directive["Namespace"], metric["Name"], frozenset(names))] = values
    return found
