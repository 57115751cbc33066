"""Every named scenario, on a real engine with the real handlers, ends as it should and leaves nothing behind."""

from __future__ import annotations

import pytest

from local import scenarios
from local.scenario import Scenario
from tests.statemachine import checks
from tests.statemachine.conftest import Build

pytestmark = pytest.mark.engine


EVERY_DAY = {"happy", "rollout-fails-and-rolls-back"}
GATE = {"rollback-command", "run-never-appears"}
"""The others weekly: the simulator plays them too (tests/simulator), and test_asl.py holds it to this engine. Of those
with a cancel and with CodeDeploy, test_github_app.py and test_every_call_again.py hold the end in the gate."""


def marks(name: str) -> list[pytest.MarkDecorator]:
    if name in EVERY_DAY:
        return []
    return [pytest.mark.slow] if name in GATE else [pytest.mark.slow, pytest.mark.weekly]


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(s, id=s.name, marks=marks(s.name)) for s in scenarios.ALL.values()],
)
def test_it_ends_as_it_should(scenario: Scenario, build: Build) -> None:
    driver = build(scenario)
    scenario.play(driver)
    assert driver.end() == scenario.ends
    checks.all_hold(driver.session)
