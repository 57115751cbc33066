"""Every named scenario, on a real engine with the real handlers, ends as it should and leaves nothing behind."""

from __future__ import annotations

import pytest

from local import scenarios
from local.scenario import Scenario
from tests.statemachine import checks
from tests.statemachine.conftest import Build

pytestmark = pytest.mark.engine


EVERY_DAY = {"happy", "rollout-fails-and-rolls-back"}
"""The main ways; what the others go through is also asked of the steps one by one."""


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(s, id=s.name, marks=[] if s.name in EVERY_DAY else [pytest.mark.slow])
        for s in scenarios.ALL.values()
    ],
)
def test_it_ends_as_it_should(scenario: Scenario, build: Build) -> None:
    driver = build(scenario)
    scenario.play(driver)
    assert driver.end() == scenario.ends
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_the_happy_path_costs_little_beside_the_engine(build: Build) -> None:
    """Counts, not seconds: what each deployment costs in states, functions and GitHub's requests."""
    driver = build(scenarios.ALL["happy"])
    scenarios.ALL["happy"].play(driver)
    assert sum(driver.session.runtime.invocations.values()) < 45
    assert len(driver.session.github.calls) < 25
    assert len(driver.session.history(driver.arn)) < 400
