"""Lines of the log and metrics have the forms that Powertools for AWS Lambda gives them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from chatops import observability

LEVELS: list[dict[str, str]] = [
    {},
    {"LOG_LEVEL": "WARNING"},
    {"LOG_LEVEL": "warning"},
    {"LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_LEVEL": "ERROR"},
    {"LOG_LEVEL": "ERROR", "AWS_LAMBDA_LOG_LEVEL": "INFO"},
]


@pytest.mark.parametrize("trace", ["", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"])
def test_a_line_is_powertools(trace: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if trace:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    monkeypatch.setattr(logging.getLogger("chatops"), "handlers", [])  # put back, whatever a logger makes of them
    found = []
    for logger in (observability.Log(), Logger(service=f"powertools {trace}", level="INFO", utc=True)):
        logger.append_keys(step="poll", stage="")
        logger.warning("é happened", error="X", number=1, odd={1})
        line: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert len(line.pop("timestamp")) == len("2026-11-30 17:19:27,970+0000")
        found.append(line)
    assert [line.pop("service") for line in found] == [observability.SERVICE, f"powertools {trace}"]
    function, _, _ = found[0].pop("location").partition(":")
    assert found[1].pop("location").partition(":")[0] == function == test_a_line_is_powertools.__name__
    assert found[0] == found[1]


@pytest.mark.parametrize("variables", LEVELS, ids=str)
def test_the_level_is_the_one_that_powertools_would_take(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL", "POWERTOOLS_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert observability._level() == logging.getLevelName(Logger(service=f"levels-{variables}").log_level)


@pytest.mark.parametrize("target", ["dev", "", None])
def test_a_metric_is_powertools(target: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    observability.emit({"Deployments": 1, "DeploymentDuration": 1.5, "LeadTime": -2}, target)
    ours = json.loads(capsys.readouterr().out)
    theirs = Metrics(namespace=observability.NAMESPACE, service=observability.SERVICE)
    if target is not None:
        theirs.add_dimension(name="target", value=target or "none")
    theirs.add_metric(name="Deployments", unit=MetricUnit.Count, value=1)
    theirs.add_metric(name="DeploymentDuration", unit=MetricUnit.Seconds, value=1.5)
    theirs.add_metric(name="LeadTime", unit=MetricUnit.Seconds, value=0)
    theirs.flush_metrics()
    expected = json.loads(capsys.readouterr().out)
    assert abs(ours["_aws"].pop("Timestamp") - expected["_aws"].pop("Timestamp")) < 5000
    assert ours == expected
