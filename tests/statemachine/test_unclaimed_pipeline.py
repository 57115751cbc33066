"""Pipelines without our steps (`claim: false`): nobody reports what they brought, so the service is asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakes.ecs import Rollout
from fakes.github import Script
from tests.statemachine import checks
from tests.statemachine.conftest import scenario
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]
Play = Callable[[str], HoursDriver]


def unclaimed(play: Play) -> HoursDriver:
    """A service whose pipeline knows nothing of us."""
    driver = play(scenario().targets().replace("  dev:\n", "  dev:\n    claim: false\n"))
    for stage in ("build", "deploy", "rollback"):
        driver.session.github.script[stage] = Script(seconds=2, claims=False)
    return driver


def test_what_the_run_brought_is_found_and_watched_until_it_is_live(play: Play) -> None:
    driver = unclaimed(play)
    before = driver.session.ecs.running_image()
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert driver.session.ecs.running_image() != before
    assert driver.run("/platform-rollback") == "Restored"
    assert driver.session.ecs.running_image() == before
    checks.all_hold(driver.session)


def test_a_green_run_that_ecs_has_rolled_back_is_no_success(play: Play) -> None:
    driver = unclaimed(play)
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    checks.all_hold(driver.session)


def test_a_green_run_after_which_nothing_began_is_no_success_and_says_so(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = unclaimed(play)
    monkeypatch.delitem(driver.session.github.deployers, "dev")  # the run's steps go elsewhere
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert "no rollout of the service has begun" in driver.card_of().text
    checks.all_hold(driver.session)


def test_a_stage_that_reports_nothing_it_brought_is_rolled_back_and_says_so(play: Play) -> None:
    """Our own steps, in a pipeline whose deploy step forgot its outputs."""
    driver = play(scenario().targets())
    driver.session.github.script["deploy"] = Script(seconds=2, outputs={"task_definition": "", "image": ""})
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert "reported no task definition" in driver.card_of().text
    checks.all_hold(driver.session)
