"""Rollouts that ECS pauses, on the real machine: promoted, taken back, forgotten, continued elsewhere, forbidden."""

from __future__ import annotations

import pytest

from chatops import operator
from chatops.store import questions
from chatops.store.table import Table
from fakes.faults import Fault
from fakes.slack.directory import U_DEV, U_LEE, U_OUT
from local.drive import Drive
from local.world import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = pytest.mark.engine


def entered(drive: Drive) -> list[str]:
    return states_entered(drive.world.history(drive.arn))


def continued(drive: Drive) -> int:
    calls = drive.world.ecs.calls
    return sum(c.operation == "ContinueServiceDeployment" and not c.error for c in calls)


def pausing(build: Build, strategy: str = "blue_green", **timing: int) -> Drive:
    drive = build(scenario(strategy=strategy, **timing))
    drive.slash("/platform-deploy", "v1.2.3")
    drive.card("promote")
    return drive


def said(drive: Drive, words: str) -> bool:
    return any(words in message.text for message in drive.world.slack.messages)


@pytest.mark.slow
def test_where_nobody_promotes_in_time_what_ran_before_runs_again_and_no_alarm_rings(build: Build) -> None:
    drive = pausing(build, promotion=2)
    live = drive.world.ecs.describe()["deployments"]
    assert drive.end() == "Restored"
    assert drive.world.describe(drive.arn)["status"] == "SUCCEEDED"
    assert drive.world.ecs.describe()["taskDefinition"].endswith("checkout-api:1"), live
    assert said(drive, "Nobody promoted `v1.2.3`")
    assert continued(drive) == 0
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_outsiders_and_late_comers_are_told_and_decide_nothing(build: Build) -> None:
    drive = pausing(build)
    card = drive.card("promote")
    for outsider in (U_OUT, U_DEV):
        drive.world.user.click(card, "promote", outsider)
        assert drive.world.slack.wait_for(lambda m, o=outsider: m.ephemeral_to == o and "may promote" in m.text, 5)
    drive.world.user.click(card, "pause_roll_back", U_OUT)
    assert drive.world.slack.wait_for(lambda m: m.ephemeral_to == U_OUT and "roll" in m.text, 5)
    assert continued(drive) == 0
    drive.click("promote")
    assert drive.end() == "Deployed"
    assert continued(drive) == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_cancel_by_command_takes_back_what_is_paused(build: Build) -> None:
    drive = pausing(build)
    drive.slash("/platform-deploy", f"cancel {drive.deployment_id}")
    assert drive.end() == "Restored"
    assert "Promote" not in entered(drive)
    assert said(drive, "cancelled `v1.2.3`")
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_continued_in_the_console_it_goes_on_and_is_live(build: Build) -> None:
    drive = pausing(build)
    deployment = drive.world.ecs.service_deployment()
    ecs = drive.world._client("ecs", f"{drive.world.url}/_ecs")
    ecs.continue_service_deployment(serviceDeploymentArn=deployment.arn, hookId=deployment.hooks[0].id)
    assert drive.end() == "Deployed"
    assert "Promote" not in entered(drive)
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_where_ecs_does_not_let_us_promote_it_is_rolled_back_and_says_what_is_missing(build: Build) -> None:
    drive = pausing(build)
    fault = Fault("ContinueServiceDeployment", status=400, code="AccessDeniedException", times=1000)
    drive.world.ecs.faults.append(fault)
    drive.click("promote")
    assert drive.end() == "Rolled Back"
    assert said(drive, "ecs:ContinueServiceDeployment")
    assert entered(drive).count("Promote") == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_ecs_that_is_away_for_a_moment_is_told_again_and_goes_on_once(build: Build) -> None:
    drive = pausing(build)
    drive.world.ecs.faults.append(Fault("ContinueServiceDeployment", lose_reply=True, times=1))
    drive.world.ecs.faults.append(Fault("ContinueServiceDeployment", status=503, times=2))
    drive.click("promote")
    assert drive.end() == "Deployed"
    assert continued(drive) == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_rollback_passes_the_services_own_pauses_and_asks_nobody(build: Build) -> None:
    drive = build(scenario(strategy="canary"))
    for version in ("v1.1.0", "v1.2.3"):
        assert drive.run("/platform-deploy", version, promote=True) == "Deployed"
    asked = len([m for m in drive.world.slack.messages if "is paused at" in m.text])
    before = continued(drive)
    assert drive.run("/platform-rollback", "v1.1.0") == "Restored"
    assert continued(drive) == before + 2
    assert "Promote Restored" in entered(drive)
    assert "Request Promotion" not in entered(drive)
    assert len([m for m in drive.world.slack.messages if "is paused at" in m.text]) == asked
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_with_slack_down_an_operator_promotes(build: Build) -> None:
    """What the operator's command records and wakes, without a message ever having been shown."""
    drive = build(scenario(strategy="blue_green"))
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Dispatch Deploy")
    drive.world.slack.down = True
    drive.until_state("Request Promotion")
    rows = Table("platform-deploy-table", drive.world.dynamodb)
    while not questions.pauses(rows, drive.deployment_id):
        pass
    told = operator.decide(rows, "promote", drive.deployment_id, "arn:x")
    assert told.endswith("is promoted, by arn:x.")
    assert drive.end() == "Deployed"
    drive.world.slack.down = False


@pytest.mark.slow
def test_the_message_is_the_living_one_until_the_end(build: Build) -> None:
    """One message is edited: the card with the buttons is the deployment's, and has none in the end but Roll back."""
    drive = pausing(build)
    card = drive.card("promote")
    drive.click("promote", U_LEE)
    assert drive.end() == "Deployed"
    assert drive.card_of().ts == card.ts
    assert {b.action_id for b in drive.card_of().buttons} == {"roll_back"}
    assert entered(drive).count("Promote") == 1
    checks.all_hold(drive.world)
