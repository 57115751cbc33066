"""Live is what ECS calls complete; the way back is a release that was verified, and never leads forward."""

from __future__ import annotations

import pytest

from fakes.ecs import Rollout
from local.driver import Driver
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario
from tests.statemachine.test_stopped_anywhere import until

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def running(driver: Driver) -> str:
    """The task definition that the service has as PRIMARY."""
    return str(driver.session.ecs.describe()["taskDefinition"])


def complete(driver: Driver) -> bool:
    (*others, main) = driver.session.ecs.describe()["deployments"]
    return not others and main["rolloutState"] == "COMPLETED"


def stop_in_the_rollout(driver: Driver, version: str, seconds: float) -> None:
    """In the console; sweep settles it, and its rollout goes on."""
    driver.session.ecs.next_rollout = Rollout(seconds=seconds)
    driver.slash("/platform-deploy", version)
    driver.until_state("Wait For Rollout")
    driver.session.sfn.stop_execution(executionArn=driver.arn)
    until(lambda: not [r for r in checks.rows(driver.session) if checks.key(r)[1] == "LOCK"])


def test_what_the_service_was_only_moving_to_is_neither_live_nor_the_way_back(build: Build) -> None:
    driver = build(scenario())
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    good = running(driver)
    stop_in_the_rollout(driver, "v1.2.3", 100_000)
    driver.session.ecs.next_rollout = Rollout(outcome="circuit_breaker")
    assert driver.run("/platform-deploy", "v1.3.0") == "Rolled Back"
    until(lambda: complete(driver))
    assert running(driver) == good
    assert "v1.1.0" in driver.card_of().text
    checks.all_hold(driver.session)


def test_a_rollback_that_came_late_is_not_rolled_forward_by_the_same_command(build: Build) -> None:
    driver = build(scenario(restore=4))
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version) == "Deployed"
    driver.session.ecs.next_rollout = Rollout(seconds=450)
    assert driver.run("/platform-rollback") == "Rollback Failed"
    until(lambda: complete(driver))
    assert driver.run("/platform-rollback", "orders cannot be paid") == "Restored"
    assert "v1.0.0" in driver.card_of().text
    driver.slash("/platform-rollback", "v1.2.3")
    assert driver.end() == "Refused", "neither is it forward by its name"
    checks.all_hold(driver.session)
