"""Live is what ECS calls complete; the way back is a release that was verified, and never leads forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fakes.ecs import Rollout
from fakes.github import Script
from local.driver import Driver
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario
from tests.statemachine.hours import HoursDriver, play
from tests.statemachine.test_stopped_anywhere import until

__all__ = ["play"]
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


@pytest.mark.parametrize("changed", [pytest.param(False, marks=pytest.mark.weekly), True])
def test_a_hotfix_that_was_put_live_while_ours_broke_stays_and_is_said(changed: bool, build: Build) -> None:
    """Whether ours had moved the service before it, or not."""
    driver = build(scenario())
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.ecs.next_rollout = Rollout(seconds=100_000)
    fails = "Finish the stage" if changed else "Update service"
    driver.session.github.script["deploy"] = Script(outcome="failure", failed_step=fails, seconds=20, finishes=False)
    driver.slash("/platform-deploy", "v1.2.3")
    before = running(driver)
    until(lambda: driver.session.github.runs[-1].stage == "deploy" and (running(driver) != before) == changed)
    hotfix = driver.session.ecs.register_task_definition("registry/app:hotfix")
    driver.session.ecs.update_service(hotfix)
    assert driver.end() == "Deploy Failed"
    assert running(driver) == hotfix
    card = driver.card_of().text
    assert "overtook this one, so nothing was rolled back" in card
    assert "v1.1.0" not in card, "that does not run any more"
    checks.all_hold(driver.session)


def test_a_rollback_that_came_late_is_not_rolled_forward_by_the_same_command(
    play: Callable[[str], HoursDriver],
) -> None:
    driver = play(scenario(restore=240).targets())
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version) == "Deployed"
    driver.session.ecs.next_rollout = Rollout(seconds=450)
    assert driver.run("/platform-rollback") == "Rollback Failed"
    while not complete(driver):
        driver.hours.sleep(10)
    assert driver.run("/platform-rollback", "orders cannot be paid") == "Restored"
    assert "v1.0.0" in driver.card_of().text
    driver.slash("/platform-rollback", "v1.2.3")
    assert driver.end() == "Refused", "neither is it forward by its name"
    checks.all_hold(driver.session)


class Swaps:
    """A release step that brings an image of its own, and may say so."""

    def __init__(self, usual: Any, *, reports: bool) -> None:
        self.usual, self.reports = usual, reports

    def carry_out(self, step: str, stage: Mapping[str, str]) -> dict[str, str]:
        if stage["stage"] != "deploy":
            return dict(self.usual.carry_out(step, stage))
        other = f"{stage['image'].partition('@')[0]}@sha256:{'f' * 64}"
        made = dict(self.usual.carry_out(step, {**stage, "image": other}))
        return {**made, "image": other} if self.reports else made


@pytest.mark.parametrize(
    ("kind", "reports"),
    [("ecs", False), *(pytest.param(kind, True, marks=pytest.mark.weekly) for kind in ("ecs", "hosts"))],
)
def test_an_image_that_nobody_approved_is_put_back_and_people_are_told(kind: str, reports: bool, build: Build) -> None:
    driver = build(scenario(ecs=kind == "ecs", approval=True))
    assert driver.run("/platform-deploy", "v1.1.0", approve=True) == "Deployed"
    good = running(driver) if kind == "ecs" else ""
    pipelines = driver.session.github.deployers
    for name, usual in list(pipelines.items()):
        pipelines[name] = Swaps(usual, reports=reports)
    driver.ask("/platform-deploy", "v1.2.3")
    assert "sha256:" in str(driver.card("approve").blocks), "what people approve"
    driver.approve()
    assert driver.end() == "Rolled Back"
    assert f"`sha256:{'f' * 12}` was released" in driver.card_of().text
    if good:
        assert running(driver) == good
    checks.all_hold(driver.session)
