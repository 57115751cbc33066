"""Logs and metrics: ids on every line of a log, on no metric; nothing that is not ours in a text."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chatops import observability
from chatops.domain.errors import ServiceRefused, ServiceUnavailable
from chatops.domain.event import StepEvent
from chatops.domain.results import StageResult
from chatops.steps.handler import step

EVENT = {"deployment_id": "d-abcdefghijkl", "execution_arn": "arn:aws:states:x:1:execution:m:d-abcdefghijkl"}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the package's logger writes from here on."""
    written = io.StringIO()
    monkeypatch.setattr(observability.logger.handler, "stream", written)
    return written


def test_every_line_of_a_step_carries_both_ids(log: io.StringIO) -> None:
    def work(_: StepEvent) -> StageResult:
        observability.logger.warning("in the middle")
        return StageResult(state="running")

    step(work)(EVENT, None)
    written = lines(log.getvalue())
    assert [line["message"] for line in written] == ["in the middle", "step done"]
    for line in written:
        assert (line["deployment_id"], line["execution_id"]) == (EVENT["deployment_id"], EVENT["execution_arn"])


def test_awss_errors_get_the_names_that_the_state_machine_knows(log: io.StringIO) -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "secret?"}}, "GetItem")
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "secret?"}}, "GetItem")
    silent = EndpointConnectionError(endpoint_url="http://x")
    for error, name in ((throttled, ServiceUnavailable), (denied, ServiceRefused), (silent, ServiceUnavailable)):

        def work(_: StepEvent, error: Exception = error) -> None:
            raise error

        with pytest.raises(name):
            step(work)(EVENT, None)
    assert "secret?" not in log.getvalue()


def test_what_somebody_elses_exception_says_is_not_logged(log: io.StringIO) -> None:
    def work(_: StepEvent) -> None:
        raise ValueError("Authorization: Bearer ghp_1")

    with pytest.raises(ValueError, match="Bearer"):
        step(work)(EVENT, None)
    assert "ghp_1" not in log.getvalue()


def test_a_deployment_is_counted_by_target_and_no_id_is_a_dimension(capsys: pytest.CaptureFixture[str]) -> None:
    observability.count("DeploymentsFinished", "prod", seconds=12.5)
    (metric,) = lines(capsys.readouterr().out)
    (directive,) = metric["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ChatOps"
    assert [set(names) for names in directive["Dimensions"]] == [{"service", "target"}]
    assert (metric["target"], metric["DeploymentsFinished"], metric["DeploymentDuration"]) == ("prod", [1.0], [12.5])
    assert not any("deployment_id" in str(name) or "execution" in str(name) for name in metric)
