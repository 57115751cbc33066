"""A target of CodeDeploy through the whole machine: its own status is the truth, and its last good revision the way
back; whatever happens, at most one deployment of ours puts it back."""

from __future__ import annotations

import json
import re
import threading

import pytest

from fakes.codedeploy import Course
from fakes.codedeploy.model import Deployment
from fakes.codedeploy.server import FAILURES, revision_of
from fakes.github import Script
from fakes.slack.store import Message
from local.driver import Driver
from local.session import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]

FAILS, STUCK = Course(outcome="fails"), Course(seconds=50, outcome="stuck")


@pytest.fixture
def driver(build: Build) -> Driver:
    """A session whose target `dev` is the group `live` of `batch`, which somebody has deployed to before us."""
    return build(scenario(codedeploy=True))


def deployments(driver: Driver) -> list[Deployment]:
    return driver.session.codedeploy.deployments("batch", "live")


def running(driver: Driver) -> str:
    return driver.session.codedeploy.running("batch", "live")


def next_courses(driver: Driver, *courses: Course) -> None:
    driver.session.codedeploy.deployer.courses = list(courses)


def asked(driver: Driver, operation: str) -> list[dict[str, object]]:
    return [c.request for c in driver.session.codedeploy.calls if c.operation == operation and not c.error]


def entered(driver: Driver, state: str) -> int:
    return states_entered(driver.session.history(driver.arn)).count(state)


def final(driver: Driver) -> Message:
    """What the deployment's message says in the end."""
    return driver.card_of()


def begun(driver: Driver, version: str = "v1.2.3") -> None:
    """Our deployment is under way, and Check Rollout has looked at it."""
    driver.slash("/platform-deploy", version)
    driver.until_state("Wait For Rollout")


def test_deployed_and_rolled_back_by_command(driver: Driver) -> None:
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version) == "Deployed"
        assert running(driver) == version
    assert all(d.description.startswith("d-") for d in deployments(driver)[1:])
    assert driver.run("/platform-rollback", "it smells") == "Restored"
    assert running(driver) == "v1.1.0"
    assert driver.run("/platform-rollback") == "Restored"
    assert running(driver) == "v1.0.0"
    assert asked(driver, "StopDeployment") == []
    checks.all_hold(driver.session)


def test_its_progress_is_codedeploys_status_and_how_many_instances_it_has_come_to(driver: Driver) -> None:
    next_courses(driver, Course(seconds=300))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in driver.card_of().edits]
    assert any("InProgress" in text and re.search(r"\*2\* of \*4\* done", text) for text in told), told


def test_a_service_under_codedeploy_shows_its_stage_and_traffic(driver: Driver) -> None:
    group = driver.session.codedeploy.deployer.groups["batch", "live"]
    group.platform = "ECS"
    group.deployments[0].revision = revision_of(group, "first")
    next_courses(driver, Course(seconds=300))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in driver.card_of().edits]
    assert any("InProgress · AllowTraffic" in text and "50 % of the traffic" in text for text in told), told
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.3.0") == "Rolled Back"
    assert running(driver) == "v1.2.3"
    checks.all_hold(driver.session)


def test_a_failed_deployment_is_followed_by_the_revision_that_was_live(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "v1.0.0"
    assert [d.status for d in deployments(driver)[-2:]] == ["Failed", "Succeeded"]
    assert "too many individual instances failed" in final(driver).text
    checks.all_hold(driver.session)


def test_the_first_deployment_ever_returns_to_what_ran_before(driver: Driver) -> None:
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "first"
    assert deployments(driver)[0].id in final(driver).text
    checks.all_hold(driver.session)


def test_the_first_deployment_ever_to_a_group_without_any_has_nothing_to_return_to(driver: Driver) -> None:
    driver.session.codedeploy.deployer.groups["batch", "live"].deployments.clear()
    next_courses(driver, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Deploy Failed"
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    checks.all_hold(driver.session)


def test_a_cancel_stops_it_and_codedeploys_rollback_counts_as_ours(driver: Driver) -> None:
    """Stopped with a rollback, since that leads to exactly the recorded revision."""
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, STUCK)
    begun(driver)
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    assert driver.end() == "Restored"
    assert running(driver) == "v1.1.0"
    stopped, back = deployments(driver)[-2:]
    assert (stopped.status, back.status, back.creator) == ("Stopped", "Succeeded", "codeDeployRollback")
    assert asked(driver, "StopDeployment") == [{"deploymentId": stopped.id, "autoRollbackEnabled": True}]
    checks.all_hold(driver.session)


def test_a_stop_that_takes_long_is_waited_for_and_told(driver: Driver) -> None:
    next_courses(driver, Course(seconds=50, outcome="stuck", stopping=200))
    begun(driver)
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    assert driver.end() == "Restored"
    assert running(driver) == "first"
    assert entered(driver, "Restore Service") > 1
    assert any("one at a time" in str(edit.blocks) for edit in driver.card_of().edits)
    assert len(deployments(driver)) == 3
    checks.all_hold(driver.session)


def test_a_pipeline_that_dies_before_it_reports_leaves_nothing_running(driver: Driver) -> None:
    """Its deployment goes on in CodeDeploy, and is found by its description, stopped and taken back."""
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, STUCK)
    driver.session.github.script["deploy"] = Script(outcome="timed_out", failed_step="Finish the stage", finishes=False)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "v1.1.0"
    assert [d.status for d in deployments(driver)[-2:]] == ["Stopped", "Succeeded"]
    checks.all_hold(driver.session)


def test_a_deploy_stage_that_never_came_to_codedeploy_leaves_it_alone(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.github.script["deploy"] = Script(
        outcome="failure", failed_step="Register task definition", seconds=1
    )
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "v1.1.0"
    assert len(deployments(driver)) == 2
    checks.all_hold(driver.session)


def test_codedeploys_own_rollback_is_watched_and_not_done_again(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.codedeploy.deployer.groups["batch", "live"].auto_rollback = FAILURES
    driver.session.codedeploy.deployer.rollback_delay = 0
    next_courses(driver, FAILS, Course(seconds=100))
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert entered(driver, "Restore Service") == 0
    assert running(driver) == "v1.1.0"
    assert any("CodeDeploy is putting `v1.1.0` back by itself" in str(edit.blocks) for edit in driver.card_of().edits)
    failed, back = deployments(driver)[-2:]
    assert (failed.status, back.status, back.creator) == ("Failed", "Succeeded", "codeDeployRollback")
    # and what is live has its name, although another deployment brought it back
    assert driver.run("/platform-status") == "Reported"
    assert driver.session.slack.messages[-1].text.startswith("dev runs v1.1.0")
    checks.all_hold(driver.session)


def test_codedeploys_own_rollback_that_begins_a_moment_later_is_waited_for(driver: Driver) -> None:
    """The failure is seen before the rollback exists: ours or CodeDeploy's comes first, the other not at all."""
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.codedeploy.deployer.groups["batch", "live"].auto_rollback = FAILURES
    driver.session.codedeploy.deployer.rollback_delay = 15
    next_courses(driver, FAILS, Course(seconds=30))
    assert driver.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(driver) == "v1.1.0"
    assert [d.status for d in deployments(driver)] == ["Succeeded", "Succeeded", "Failed", "Succeeded"]
    checks.all_hold(driver.session)


def test_what_somebody_deploys_meanwhile_overtakes_ours_and_stays(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, Course(seconds=120, outcome="fails"))
    begun(driver)
    while not deployments(driver)[-1].ended:
        threading.Event().wait(0.005)
    driver.session.codedeploy.deploy("batch", "live", "by-hand")
    assert driver.end() == "Deploy Failed"
    assert entered(driver, "Restore Service") == 0
    assert deployments(driver)[-1].status != "Stopped"
    checks.all_hold(driver.session)


def test_github_down_and_the_rollback_command_works_all_the_same(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    driver.session.github.down = True
    assert driver.run("/platform-rollback", "v1.1.0") == "Restored"
    assert running(driver) == "v1.1.0"
    checks.all_hold(driver.session)


def test_what_does_not_come_back_is_told_with_the_command_to_do_it_by_hand(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    good = deployments(driver)[-1].id
    next_courses(driver, FAILS, FAILS)
    assert driver.run("/platform-deploy", "v1.2.3") == "Rollback Failed"
    text = final(driver).text
    assert "aws deploy create-deployment --application-name batch --deployment-group-name live" in text
    assert f"--deployment-id {good}" in text
    checks.all_hold(driver.session)


def test_somebody_who_stops_it_by_hand_has_it_rolled_back(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, STUCK)
    begun(driver)
    deployer = driver.session.codedeploy.deployer
    deployer.stop(deployments(driver)[-1], roll_back=False)
    assert driver.end() == "Rolled Back"
    assert running(driver) == "v1.1.0"
    assert "stopped by a user request" in final(driver).text


READY = Course(waits="READY_WAIT")


def test_blue_green_that_waits_for_its_traffic_is_promoted_by_people(driver: Driver) -> None:
    next_courses(driver, READY)
    driver.slash("/platform-deploy", "v1.2.3")
    driver.click("promote")
    assert driver.end() == "Deployed"
    assert running(driver) == "v1.2.3"
    assert [c["deploymentWaitType"] for c in asked(driver, "ContinueDeployment")] == ["READY_WAIT"]
    checks.all_hold(driver.session)


def test_blue_green_that_people_do_not_want_goes_back(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, READY)
    driver.slash("/platform-deploy", "v1.2.3")
    driver.click("pause_roll_back")
    assert driver.end() == "Restored"
    assert running(driver) == "v1.1.0"
    assert asked(driver, "ContinueDeployment") == []
    checks.all_hold(driver.session)


def test_blue_green_that_codedeploy_stops_since_nobody_came_is_no_breakage(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(driver, Course(waits="READY_WAIT", ready_minutes=2))
    assert driver.run("/platform-deploy", "v1.2.3") == "Restored"
    assert running(driver) == "v1.1.0"
    checks.all_hold(driver.session)


def test_what_is_put_back_waits_for_nobody(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    next_courses(driver, READY)
    assert driver.run("/platform-rollback") == "Restored"
    assert running(driver) == "v1.1.0"
    assert len(deployments(driver)) == 4
    checks.all_hold(driver.session)


def test_status_says_what_runs_how_it_stands_and_what_was_done_beside_us(driver: Driver) -> None:
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith("dev runs v1.1.0")
    assert "`Succeeded`" in json.dumps(told.blocks)
    made = driver.session.codedeploy.deploy("batch", "live", "by-hand")
    while not deployments(driver)[-1].ended:
        threading.Event().wait(0.01)
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith(f"dev runs {made}")
    assert "somebody deployed beside this bot" in json.dumps(told.blocks)


def test_a_missing_group_is_said_before_anything_is_started(driver: Driver) -> None:
    driver.session.codedeploy.deployer.groups.clear()
    assert driver.run("/platform-deploy", "v1.2.3") == "Refused"
    assert "CodeDeploy knows no application batch" in driver.session.slack.messages[-1].text
    assert driver.session.github.runs == []
