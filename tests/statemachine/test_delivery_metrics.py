"""The four figures of delivery come out of the real functions, by target, as CloudWatch reads them from their logs."""

from __future__ import annotations

import json

import pytest

from fakes.ecs import Rollout
from local.session import Session
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def values(session: Session, name: str) -> list[float]:
    """Every value of a metric of the target `dev`, as settle's log has it."""
    lines = "".join(path.read_text("utf-8") for path in session.runtime.log_dir.iterdir()).splitlines()
    metrics = (json.loads(line) for line in lines if line.startswith("{") and '"_aws"' in line)
    return [value for metric in metrics if metric.get("target") == "dev" for value in metric.get(name, [])]


def test_a_live_change_has_a_lead_time_and_a_failed_one_a_time_to_restore(build: Build) -> None:
    driver = build(scenario())
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    (lead,) = values(driver.session, "LeadTime")
    assert lead > 0
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    (restored,) = values(driver.session, "TimeToRestore")
    assert 0 < restored < 60
    assert values(driver.session, "ChangesMade") == [1.0, 1.0]
    assert sorted(values(driver.session, "ChangesFailed")) == [0.0, 1.0]
