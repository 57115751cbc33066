"""A target of CodeDeploy through the whole machine: its own status is the truth, and its last good revision the way
back; whatever happens, at most one deployment of ours puts it back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from fakes.codedeploy import Course
from fakes.codedeploy.model import Deployment
from fakes.codedeploy.server import FAILURES, revision_of
from fakes.github import Script
from local.session import states_entered
from tests import holes
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

TARGETS = (
    "targets: {dev: {codedeploy: {application: batch, group: live}, "
    "policy: {deploy_approval: false, rollback_approval: false}, timing: {rollout: 600, restore: 600}}}"
)
FAILS, STUCK = Course(outcome="fails"), Course(seconds=50, outcome="stuck")


@pytest.fixture
def driver(play: Callable[[str], HoursDriver]) -> Iterator[HoursDriver]:
    """A session whose target `dev` is the group `live` of `batch`, which somebody has deployed to before us.
    Nothing is left behind, however its deployments end."""
    made = play(TARGETS)
    yield made
    checks.all_hold(made.session)
    assert holes.in_world(made.session) == []


def deployments(driver: HoursDriver) -> list[Deployment]:
    return driver.session.codedeploy.deployments("batch", "live")


def running(driver: HoursDriver) -> str:
    return driver.session.codedeploy.running("batch", "live")


def next_courses(driver: HoursDriver, *courses: Course) -> None:
    driver.session.codedeploy.deployer.courses = list(courses)


def asked(driver: HoursDriver, operation: str) -> list[dict[str, object]]:
    return [c.request for c in driver.session.codedeploy.calls if c.operation == operation and not c.error]


def entered(driver: HoursDriver, state: str) -> int:
    return states_entered(driver.session.history(driver.arn)).count(state)


def once(driver: HoursDriver, when: Callable[[], object], act: Callable[[], object]) -> str:
    """The end of a deployment of ours, during which this is done as soon as that holds."""
    done: list[object] = []

    def tried() -> None:
        if not done and when():
            done.append(act())

    driver.hours.every(5, tried)
    return driver.run("/platform-deploy", "v1.2.3")


def deployed(driver: HoursDriver, act: Callable[[], object]) -> str:
    """This is done once Check Rollout has looked at it."""
    return once(driver, lambda: entered(driver, "Wait For Rollout"), act)


def pressed(driver: HoursDriver, action: str) -> str:
    """Somebody presses this button."""

    def shown() -> bool:
        return any(button.action_id == action for m in driver.session.slack.messages for button in m.buttons)

    return once(driver, shown, lambda: driver.click(action))


def cancel(driver: HoursDriver) -> Callable[[], object]:
    return lambda: driver.session.user.slash("/platform-deploy", f"cancel {driver.deployment_id}")


def test_deployed_and_rolled_back_by_command(driver: HoursDriver) -> None:
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version) == "Deployed"
        assert running(driver) == version
    assert all(d.description.startswith("d-") for d in deployments(driver)[1:])
    assert driver.run("/platform-rollback", "it smells") == "Restored"
    assert running(driver) == "v1.1.0"
    assert driver.run("/platform-rollback") == "Restored"
    assert running(driver) == "v1.0.0"
    assert asked(driver, "StopDeployment") == []


@pytest.mark.weekly
def test_its_progress_is_codedeploys_status_and_how_many_instances_it_has_come_to(driver: HoursDriver) -> None:
    next_courses(driver, Course(seconds=300))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in driver.card_of().edits]
    assert any("Rolling out" in text and re.search(r"\*2\* of \*4\* done", text) for text in told), told


def test_a_service_under_codedeploy_shows_its_stage_and_traffic(driver: HoursDriver) -> None:
    group = driver.session.codedeploy.deployer.groups["batch", "live"]
    group.platform = "ECS"
    group.deployments[0].revision = revision_of(group, "first")
    next_courses(driver, Course(seconds=300))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in driver.card_of().edits]
    assert any("Rolling out · 50%" in text for text in told), told


def test_a_failed_deployment_is_followed_by_the_revision_that_was_live(driver: HoursDriver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "v1.0.0"
    assert [d.status for d in deployments(driver)[-2:]] == ["Failed", "Succeeded"]
    assert "too many individual instances failed" in driver.card_of().text


@pytest.mark.weekly
def test_the_first_deployment_ever_returns_to_what_ran_before(driver: HoursDriver) -> None:
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "first"
    assert deployments(driver)[0].id in driver.card_of().text


@pytest.mark.weekly
def test_the_first_deployment_ever_to_a_group_without_any_has_nothing_to_return_to(driver: HoursDriver) -> None:
    driver.session.codedeploy.deployer.groups["batch", "live"].deployments.clear()
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Deploy Failed"
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"


def test_a_cancel_stops_it_and_codedeploys_rollback_counts_as_ours(driver: HoursDriver) -> None:
    """Stopped with a rollback, since that leads to exactly the recorded revision."""
    next_courses(driver, STUCK)
    assert deployed(driver, cancel(driver)) == "Restored"
    assert running(driver) == "first"
    stopped, back = deployments(driver)[-2:]
    assert (stopped.status, back.status, back.creator) == ("Stopped", "Succeeded", "codeDeployRollback")
    assert asked(driver, "StopDeployment") == [{"deploymentId": stopped.id, "autoRollbackEnabled": True}]


@pytest.mark.weekly
def test_a_stop_that_takes_long_is_waited_for_and_told(driver: HoursDriver) -> None:
    next_courses(driver, Course(seconds=50, outcome="stuck", stopping=200))
    assert deployed(driver, cancel(driver)) == "Restored"
    assert running(driver) == "first"
    assert entered(driver, "Restore Service") > 1
    assert any("one at a time" in str(edit.blocks) for edit in driver.card_of().edits)
    assert len(deployments(driver)) == 3


@pytest.mark.weekly
def test_a_pipeline_that_dies_before_it_reports_leaves_nothing_running(driver: HoursDriver) -> None:
    """Its deployment goes on in CodeDeploy, and is found by its description, stopped and taken back."""
    next_courses(driver, STUCK)
    driver.session.github.script["deploy"] = Script(outcome="timed_out", failed_step="Finish the stage", finishes=False)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "first"
    assert [d.status for d in deployments(driver)[-2:]] == ["Stopped", "Succeeded"]


@pytest.mark.weekly
def test_a_deploy_stage_that_never_came_to_codedeploy_leaves_it_alone(driver: HoursDriver) -> None:
    driver.session.github.script["deploy"] = Script(
        outcome="failure", failed_step="Register task definition", seconds=1
    )
    assert driver.run("/platform-deploy", "v1.2.3") == "Deploy Failed"
    assert running(driver) == "first"
    assert len(deployments(driver)) == 1


def test_codedeploys_own_rollback_is_watched_and_not_done_again(driver: HoursDriver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.codedeploy.deployer.groups["batch", "live"].auto_rollback = FAILURES
    driver.session.codedeploy.deployer.rollback_delay = 0
    next_courses(driver, FAILS, Course(seconds=100))
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert entered(driver, "Restore Service") == 0
    assert running(driver) == "v1.1.0"
    assert any("CodeDeploy is rolling back to `v1.1.0`" in str(edit.blocks) for edit in driver.card_of().edits)
    failed, back = deployments(driver)[-2:]
    assert (failed.status, back.status, back.creator) == ("Failed", "Succeeded", "codeDeployRollback")
    # and what is live has its name, although another deployment brought it back
    assert driver.run("/platform-status") == "Reported"
    assert driver.session.slack.messages[-1].text.startswith("dev: v1.1.0")


def test_what_somebody_deploys_meanwhile_overtakes_ours_and_stays(driver: HoursDriver) -> None:
    next_courses(driver, Course(seconds=120, outcome="fails"))

    def somebody() -> None:
        if len(deployments(driver)) == 2 and deployments(driver)[-1].ended:
            driver.session.codedeploy.deploy("batch", "live", "by-hand")

    driver.hours.every(1, somebody)
    assert driver.run("/platform-deploy", "v1.2.3") == "Deploy Failed"
    assert entered(driver, "Restore Service") == 0
    assert deployments(driver)[-1].status != "Stopped"


@pytest.mark.weekly
def test_what_does_not_come_back_is_told_with_the_command_to_do_it_by_hand(driver: HoursDriver) -> None:
    good = deployments(driver)[-1].id
    next_courses(driver, FAILS, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rollback Failed"
    text = driver.card_of().text
    assert "aws deploy create-deployment --application-name batch --deployment-group-name live" in text
    assert f"--deployment-id {good}" in text


@pytest.mark.weekly
def test_somebody_who_stops_it_by_hand_has_it_rolled_back(driver: HoursDriver) -> None:
    next_courses(driver, STUCK)
    deployer = driver.session.codedeploy.deployer
    ended = deployed(driver, lambda: deployer.stop(deployments(driver)[-1], roll_back=False))
    assert ended == "Rolled Back"
    assert running(driver) == "first"
    assert "stopped by a user request" in driver.card_of().text


READY = Course(waits="READY_WAIT")


def test_blue_green_that_waits_for_its_traffic_is_promoted_by_people(driver: HoursDriver) -> None:
    next_courses(driver, READY)
    assert pressed(driver, "promote") == "Deployed"
    assert running(driver) == "v1.2.3"
    assert [c["deploymentWaitType"] for c in asked(driver, "ContinueDeployment")] == ["READY_WAIT"]


@pytest.mark.weekly
def test_blue_green_that_people_do_not_want_goes_back(driver: HoursDriver) -> None:
    next_courses(driver, READY)
    assert pressed(driver, "pause_roll_back") == "Restored"
    assert running(driver) == "first"
    assert asked(driver, "ContinueDeployment") == []


@pytest.mark.weekly
def test_blue_green_that_codedeploy_stops_since_nobody_came_is_no_breakage(driver: HoursDriver) -> None:
    next_courses(driver, Course(waits="READY_WAIT", ready_minutes=2))
    assert driver.run("/platform-deploy", "v1.2.3") == "Restored"
    assert running(driver) == "first"


def test_status_says_what_runs_how_it_stands_and_what_was_done_beside_us(driver: HoursDriver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith("dev: v1.1.0")
    assert "Complete" in json.dumps(told.blocks)
    made = driver.session.codedeploy.deploy("batch", "live", "by-hand")
    while not deployments(driver)[-1].ended:
        driver.hours.sleep(10)
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith(f"dev: {made}")
    assert "somebody deployed without this bot" in json.dumps(told.blocks)


def test_a_missing_group_is_said_before_anything_is_started(driver: HoursDriver) -> None:
    driver.session.codedeploy.deployer.groups.clear()
    assert driver.run("/platform-deploy", "v1.2.3") == "Refused"
    assert "CodeDeploy has no application batch" in driver.session.slack.messages[-1].text
    assert driver.session.github.runs == []
