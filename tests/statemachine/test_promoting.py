"""Rollouts that ECS pauses, on the real machine: promoted, taken back, forgotten, continued elsewhere, forbidden."""

from __future__ import annotations

import pytest

from chatops.store import questions
from chatops.store.table import Table
from fakes.faults import Fault
from local.driver import Driver
from local.session import states_entered
from scripts import operator
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = pytest.mark.engine


def entered(driver: Driver) -> list[str]:
    return states_entered(driver.session.history(driver.arn))


def continued(driver: Driver) -> int:
    calls = driver.session.ecs.calls
    return sum(c.operation == "ContinueServiceDeployment" and not c.error for c in calls)


def pausing(build: Build, strategy: str = "blue_green", **timing: int) -> Driver:
    driver = build(scenario(strategy=strategy, **timing))
    driver.slash("/platform-deploy", "v1.2.3")
    driver.card("promote")
    return driver


def said(driver: Driver, words: str) -> bool:
    return any(words in message.text for message in driver.session.slack.messages)


@pytest.mark.slow
def test_a_cancel_by_command_takes_back_what_is_paused(build: Build) -> None:
    driver = pausing(build)
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    assert driver.end() == "Restored"
    assert "Promote" not in entered(driver)
    assert said(driver, "cancelled `v1.2.3`")
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_continued_in_the_console_it_goes_on_and_is_live(build: Build) -> None:
    driver = pausing(build)
    deployment = driver.session.ecs.service_deployment()
    ecs = driver.session._client("ecs", driver.session.url)
    ecs.continue_service_deployment(serviceDeploymentArn=deployment.arn, hookId=deployment.hooks[0].id)
    assert driver.end() == "Deployed"
    assert "Promote" not in entered(driver)
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_where_ecs_does_not_let_us_promote_it_is_rolled_back_and_says_what_is_missing(build: Build) -> None:
    driver = pausing(build)
    fault = Fault("ContinueServiceDeployment", status=400, code="AccessDeniedException", times=1000)
    driver.session.ecs.faults.append(fault)
    driver.click("promote")
    assert driver.end() == "Rolled Back"
    assert said(driver, "ecs:ContinueServiceDeployment")
    assert entered(driver).count("Promote") == 1
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_a_rollback_passes_the_services_own_pauses_and_asks_nobody(build: Build) -> None:
    driver = build(scenario(strategy="canary"))
    for version in ("v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version, promote=True) == "Deployed"
    asked = len([m for m in driver.session.slack.messages if "is paused " in m.text])
    before = continued(driver)
    assert driver.run("/platform-rollback", "v1.1.0") == "Restored"
    assert continued(driver) == before + 2
    assert "Promote Restored" in entered(driver)
    assert "Request Promotion" not in entered(driver)
    assert len([m for m in driver.session.slack.messages if "is paused " in m.text]) == asked
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_with_slack_down_an_operator_promotes(build: Build) -> None:
    """What the operator's command records and wakes, without a message ever having been shown."""
    driver = build(scenario(strategy="blue_green"))
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Dispatch Deploy")
    driver.session.slack.down = True
    driver.until_state("Request Promotion")
    rows = Table("platform-deploy-table", driver.session.dynamodb)
    while not questions.pauses(rows, driver.deployment_id):
        pass
    told = operator.decide(rows, "promote", driver.deployment_id, "arn:x")
    assert told.endswith("is promoted, by arn:x.")
    assert driver.end() == "Deployed"
    driver.session.slack.down = False
