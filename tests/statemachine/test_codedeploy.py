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
from local.drive import Drive
from local.world import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]

FAILS, STUCK = Course(outcome="fails"), Course(seconds=50, outcome="stuck")


@pytest.fixture
def drive(build: Build) -> Drive:
    """A world whose target `dev` is the group `live` of `batch`, which somebody has deployed to before us."""
    return build(scenario(codedeploy=True))


def deployments(drive: Drive) -> list[Deployment]:
    return drive.world.codedeploy.deployments("batch", "live")


def running(drive: Drive) -> str:
    return drive.world.codedeploy.running("batch", "live")


def next_courses(drive: Drive, *courses: Course) -> None:
    drive.world.codedeploy.deployer.courses = list(courses)


def asked(drive: Drive, operation: str) -> list[dict[str, object]]:
    return [c.request for c in drive.world.codedeploy.calls if c.operation == operation and not c.error]


def entered(drive: Drive, state: str) -> int:
    return states_entered(drive.world.history(drive.arn)).count(state)


def final(drive: Drive) -> Message:
    """What the deployment's message says in the end."""
    return drive.card_of()


def begun(drive: Drive, version: str = "v1.2.3") -> None:
    """Our deployment is under way, and Check Rollout has looked at it."""
    drive.slash("/platform-deploy", version)
    drive.until_state("Wait For Rollout")


def test_deployed_and_rolled_back_by_command(drive: Drive) -> None:
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert drive.run("/platform-deploy", version) == "Deployed"
        assert running(drive) == version
    assert all(d.description.startswith("d-") for d in deployments(drive)[1:])
    assert drive.run("/platform-rollback", "it smells") == "Restored"
    assert running(drive) == "v1.1.0"
    assert drive.run("/platform-rollback") == "Restored"
    assert running(drive) == "v1.0.0"
    assert asked(drive, "StopDeployment") == []
    checks.all_hold(drive.world)


def test_its_progress_is_codedeploys_status_and_how_many_instances_it_has_come_to(drive: Drive) -> None:
    next_courses(drive, Course(seconds=300))
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in drive.card_of().edits]
    assert any("InProgress" in text and re.search(r"\*2\* of \*4\* done", text) for text in told), told


def test_a_service_under_codedeploy_shows_its_stage_and_traffic(drive: Drive) -> None:
    group = drive.world.codedeploy.deployer.groups["batch", "live"]
    group.platform = "ECS"
    group.deployments[0].revision = revision_of(group, "first")
    next_courses(drive, Course(seconds=300))
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    told = [str(edit.blocks) for edit in drive.card_of().edits]
    assert any("InProgress · AllowTraffic" in text and "50 % of the traffic" in text for text in told), told
    next_courses(drive, FAILS)
    assert drive.run("/platform-deploy", "v1.3.0") == "Rolled Back"
    assert running(drive) == "v1.2.3"
    checks.all_hold(drive.world)


def test_a_failed_deployment_is_followed_by_the_revision_that_was_live(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    next_courses(drive, FAILS)
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(drive) == "v1.0.0"
    assert [d.status for d in deployments(drive)[-2:]] == ["Failed", "Succeeded"]
    assert "too many individual instances failed" in final(drive).text
    checks.all_hold(drive.world)


def test_the_first_deployment_ever_returns_to_what_ran_before(drive: Drive) -> None:
    next_courses(drive, FAILS)
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(drive) == "first"
    assert deployments(drive)[0].id in final(drive).text
    checks.all_hold(drive.world)


def test_the_first_deployment_ever_to_a_group_without_any_has_nothing_to_return_to(drive: Drive) -> None:
    drive.world.codedeploy.deployer.groups["batch", "live"].deployments.clear()
    next_courses(drive, FAILS)
    assert drive.run("/platform-deploy", "v1.2.3") == "Deploy Failed"
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    checks.all_hold(drive.world)


def test_a_cancel_stops_it_and_codedeploys_rollback_counts_as_ours(drive: Drive) -> None:
    """Stopped with a rollback, since that leads to exactly the recorded revision."""
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, STUCK)
    begun(drive)
    drive.slash("/platform-deploy", f"cancel {drive.deployment_id}")
    assert drive.end() == "Restored"
    assert running(drive) == "v1.1.0"
    stopped, back = deployments(drive)[-2:]
    assert (stopped.status, back.status, back.creator) == ("Stopped", "Succeeded", "codeDeployRollback")
    assert asked(drive, "StopDeployment") == [{"deploymentId": stopped.id, "autoRollbackEnabled": True}]
    checks.all_hold(drive.world)


def test_a_stop_that_takes_long_is_waited_for_and_told(drive: Drive) -> None:
    next_courses(drive, Course(seconds=50, outcome="stuck", stopping=200))
    begun(drive)
    drive.slash("/platform-deploy", f"cancel {drive.deployment_id}")
    assert drive.end() == "Restored"
    assert running(drive) == "first"
    assert entered(drive, "Restore Service") > 1
    assert any("one at a time" in str(edit.blocks) for edit in drive.card_of().edits)
    assert len(deployments(drive)) == 3
    checks.all_hold(drive.world)


def test_a_pipeline_that_dies_before_it_reports_leaves_nothing_running(drive: Drive) -> None:
    """Its deployment goes on in CodeDeploy, and is found by its description, stopped and taken back."""
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, STUCK)
    drive.world.github.script["deploy"] = Script(outcome="timed_out", failed_step="Finish the stage", finishes=False)
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(drive) == "v1.1.0"
    assert [d.status for d in deployments(drive)[-2:]] == ["Stopped", "Succeeded"]
    checks.all_hold(drive.world)


def test_a_deploy_stage_that_never_came_to_codedeploy_leaves_it_alone(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.world.github.script["deploy"] = Script(outcome="failure", failed_step="Register task definition", seconds=1)
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(drive) == "v1.1.0"
    assert len(deployments(drive)) == 2
    checks.all_hold(drive.world)


def test_codedeploys_own_rollback_is_watched_and_not_done_again(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.world.codedeploy.deployer.groups["batch", "live"].auto_rollback = FAILURES
    drive.world.codedeploy.deployer.rollback_delay = 0
    next_courses(drive, FAILS, Course(seconds=100))
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert entered(drive, "Restore Service") == 0
    assert running(drive) == "v1.1.0"
    assert any("CodeDeploy is putting `v1.1.0` back by itself" in str(edit.blocks) for edit in drive.card_of().edits)
    failed, back = deployments(drive)[-2:]
    assert (failed.status, back.status, back.creator) == ("Failed", "Succeeded", "codeDeployRollback")
    # and what is live has its name, although another deployment brought it back
    assert drive.run("/platform-status") == "Reported"
    assert drive.world.slack.messages[-1].text.startswith("dev runs v1.1.0")
    checks.all_hold(drive.world)


def test_codedeploys_own_rollback_that_begins_a_moment_later_is_waited_for(drive: Drive) -> None:
    """The failure is seen before the rollback exists: ours or CodeDeploy's comes first, the other not at all."""
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.world.codedeploy.deployer.groups["batch", "live"].auto_rollback = FAILURES
    drive.world.codedeploy.deployer.rollback_delay = 15
    next_courses(drive, FAILS, Course(seconds=30))
    assert drive.run("/platform-deploy", "v1.2.3") == "Rolled Back"
    assert running(drive) == "v1.1.0"
    assert [d.status for d in deployments(drive)] == ["Succeeded", "Succeeded", "Failed", "Succeeded"]
    checks.all_hold(drive.world)


def test_what_somebody_deploys_meanwhile_overtakes_ours_and_stays(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, Course(seconds=120, outcome="fails"))
    begun(drive)
    while not deployments(drive)[-1].ended:
        threading.Event().wait(0.005)
    drive.world.codedeploy.deploy("batch", "live", "by-hand")
    assert drive.end() == "Deploy Failed"
    assert entered(drive, "Restore Service") == 0
    assert deployments(drive)[-1].status != "Stopped"
    checks.all_hold(drive.world)


def test_github_down_and_the_rollback_command_works_all_the_same(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    drive.world.github.down = True
    assert drive.run("/platform-rollback", "v1.1.0") == "Restored"
    assert running(drive) == "v1.1.0"
    checks.all_hold(drive.world)


def test_what_does_not_come_back_is_told_with_the_command_to_do_it_by_hand(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    good = deployments(drive)[-1].id
    next_courses(drive, FAILS, FAILS)
    assert drive.run("/platform-deploy", "v1.2.3") == "Rollback Failed"
    text = final(drive).text
    assert "aws deploy create-deployment --application-name batch --deployment-group-name live" in text
    assert f"--deployment-id {good}" in text
    checks.all_hold(drive.world)


def test_somebody_who_stops_it_by_hand_has_it_rolled_back(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, STUCK)
    begun(drive)
    deployer = drive.world.codedeploy.deployer
    deployer.stop(deployments(drive)[-1], roll_back=False)
    assert drive.end() == "Rolled Back"
    assert running(drive) == "v1.1.0"
    assert "stopped by a user request" in final(drive).text


READY = Course(waits="READY_WAIT")


def test_blue_green_that_waits_for_its_traffic_is_promoted_by_people(drive: Drive) -> None:
    next_courses(drive, READY)
    drive.slash("/platform-deploy", "v1.2.3")
    drive.click("promote")
    assert drive.end() == "Deployed"
    assert running(drive) == "v1.2.3"
    assert [c["deploymentWaitType"] for c in asked(drive, "ContinueDeployment")] == ["READY_WAIT"]
    checks.all_hold(drive.world)


def test_blue_green_that_people_do_not_want_goes_back(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, READY)
    drive.slash("/platform-deploy", "v1.2.3")
    drive.click("pause_roll_back")
    assert drive.end() == "Restored"
    assert running(drive) == "v1.1.0"
    assert asked(drive, "ContinueDeployment") == []
    checks.all_hold(drive.world)


def test_blue_green_that_codedeploy_stops_since_nobody_came_is_no_breakage(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    next_courses(drive, Course(waits="READY_WAIT", ready_minutes=2))
    assert drive.run("/platform-deploy", "v1.2.3") == "Restored"
    assert running(drive) == "v1.1.0"
    checks.all_hold(drive.world)


def test_what_is_put_back_waits_for_nobody(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    next_courses(drive, READY)
    assert drive.run("/platform-rollback") == "Restored"
    assert running(drive) == "v1.1.0"
    assert len(deployments(drive)) == 4
    checks.all_hold(drive.world)


def test_status_says_what_runs_how_it_stands_and_what_was_done_beside_us(drive: Drive) -> None:
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.run("/platform-status") == "Reported"
    told = drive.world.slack.messages[-1]
    assert told.text.startswith("dev runs v1.1.0")
    assert "`Succeeded`" in json.dumps(told.blocks)
    made = drive.world.codedeploy.deploy("batch", "live", "by-hand")
    while not deployments(drive)[-1].ended:
        threading.Event().wait(0.01)
    assert drive.run("/platform-status") == "Reported"
    told = drive.world.slack.messages[-1]
    assert told.text.startswith(f"dev runs {made}")
    assert "somebody deployed beside this bot" in json.dumps(told.blocks)


def test_a_missing_group_is_said_before_anything_is_started(drive: Drive) -> None:
    drive.world.codedeploy.deployer.groups.clear()
    assert drive.run("/platform-deploy", "v1.2.3") == "Refused"
    assert "CodeDeploy knows no application batch" in drive.world.slack.messages[-1].text
    assert drive.world.github.runs == []
