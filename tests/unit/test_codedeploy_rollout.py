"""Is our deployment live? CodeDeploy's own word, its own rollbacks, and what others deploy beside us."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatops.domain.stage import Stage
from chatops.steps import rollout
from fakes.codedeploy import Course
from fakes.codedeploy.server import FAILURES
from fakes.faults import Fault
from tests.unit.codedeploy_session import FAILS, MINE, TARGET, Session, batch, door

__all__ = ["batch", "door"]


def test_ours_is_live_when_codedeploy_says_succeeded(batch: Session) -> None:
    batch.begin()
    assert batch.look("rollout")["state"] == "moving"
    fact = batch.look("rollout", 2)
    assert (fact["status"], fact["running"], fact["desired"]) == ("InProgress", 0, 4)
    assert batch.look("rollout", 60)["state"] == "healthy"


@pytest.mark.parametrize(("platform", "share"), [("ECS", 50.0), ("Lambda", None)])
def test_the_stage_and_the_share_of_the_traffic_are_shown(batch: Session, platform: str, share: float | None) -> None:
    batch.group.platform = platform
    batch.begin()
    assert batch.look("rollout")["lifecycle_stage"] == ""
    assert batch.look("rollout", 1)["lifecycle_stage"] == "Install"
    fact = batch.look("rollout", 3)
    assert (fact["lifecycle_stage"], fact.get("traffic"), fact["strategy"]) == ("AllowTraffic", share, "OneAtATime")
    assert batch.look("rollout", 60)["state"] == "healthy"


def test_traffic_that_its_configuration_moves_slowly_is_not_late(batch: Session) -> None:
    """CodeDeployDefault.ECSCanary10Percent15Minutes takes longer by itself than the 900 seconds of the target."""
    batch.group.platform = "ECS"
    canary = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 15}}
    batch.fake.deployer.configs["CodeDeployDefault.OneAtATime"] = canary
    batch.begin(Course(outcome="stuck"))
    batch.look("rollout", 1)
    assert batch.look("rollout", 1700)["state"] == "moving"
    fact = batch.look("rollout", 200)
    assert (fact["state"], fact["why"]["values"]["seconds"]) == ("timed_out", 1800)


@pytest.mark.parametrize("status", [400, 503])
def test_nothing_hangs_on_what_is_only_shown(batch: Session, status: int) -> None:
    """A role made before the permission was asked for; a service that has a bad day."""
    batch.group.platform = "ECS"
    batch.begin()
    batch.fake.faults.append(
        Fault(".*Targets|GetDeploymentConfig", status=status, code="AccessDeniedException", times=9)
    )
    fact = batch.look("rollout", 4)
    assert (fact["state"], fact["lifecycle_stage"], fact.get("traffic")) == ("moving", "", None)


def test_a_failure_says_what_codedeploy_says(batch: Session) -> None:
    batch.begin(FAILS)
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["restoring"]) == ("failed", False)
    assert "too many individual instances failed" in fact["why"]["values"]["said"]


def test_a_deployment_that_the_pipeline_did_not_report_is_found_by_what_it_says_of_itself(batch: Session) -> None:
    """Its run may have been cancelled or killed between CreateDeployment and its last step."""
    batch.begin(reported=False)
    assert batch.look("rollout", 60)["state"] == "healthy"


def test_a_pipeline_without_our_steps_is_watched_by_what_began_since_but_for_codedeploys_own(
    batch: Session, environment: pytest.MonkeyPatch
) -> None:
    """Its rollback is newer, and succeeds: that is not ours."""
    environment.setattr(rollout, "targets", lambda: {"dev": replace(TARGET, claim=False)})
    batch.group.auto_rollback = FAILURES
    made = batch.begin(FAILS, reported=False)
    batch.time.at += 60
    assert batch.all()[-1].status == "Succeeded"
    environment.setattr(rollout.stages, "get", lambda *_: Stage(tried_at=batch.all()[1].created_at))
    fact = batch.look("rollout")
    assert (fact["state"], fact["brought"]) == ("failed", {"codedeploy_deployment_id": made})


def test_no_deployment_at_all_is_a_failure(batch: Session, environment: pytest.MonkeyPatch) -> None:
    batch.state["deploy"] = {"outputs": {}}
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_no_deployment")
    environment.setattr(rollout, "targets", lambda: {"dev": replace(TARGET, claim=False)})
    environment.setattr(rollout.stages, "get", lambda *_: Stage(tried_at=batch.time.at))
    assert batch.look("rollout")["why"]["key"] == "why_nothing_began"


def test_a_newer_deployment_of_another_revision_has_overtaken_ours(batch: Session) -> None:
    batch.begin()
    batch.time.at += 60
    batch.by_hand("v9")
    fact = batch.look("rollout", 1)
    assert (fact["state"], fact["done"]) == ("overtaken", True)


def test_what_waits_with_all_traffic_moved_has_the_time_that_its_group_keeps_what_it_replaced(batch: Session) -> None:
    """CodeDeploy may keep it for hours: what is live by then is not rolled back for that."""
    batch.group.keeping = 60
    batch.begin(Course(waits="TERMINATION_WAIT"))
    batch.look("rollout")
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["lifecycle_stage"]) == ("moving", "TERMINATION_WAIT")
    assert batch.look("rollout", 3600)["state"] == "moving"
    assert batch.look("rollout", 900)["state"] == "timed_out"


# -- CodeDeploy's own rollback -----------------------------------------------------------------------------------


def test_its_own_rollback_to_the_recorded_revision_is_watched_and_not_done_again(batch: Session) -> None:
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    fact = batch.look("rollout", 4.2)
    assert (fact["state"], fact["restoring"]) == ("failed", True)
    assert batch.look("restored", 1)["state"] == "moving"
    assert batch.look("restored", 60)["state"] == "healthy"
    assert len(batch.made()) == 1
    assert batch.asked("CreateDeployment") == []


def test_its_own_rollback_to_another_revision_is_not_believed(batch: Session) -> None:
    batch.group.auto_rollback = FAILURES
    batch.begin_after_a_stranger(FAILS)
    fact = batch.look("rollout", 5)
    assert (fact["state"], fact["restoring"]) == ("failed", False)
    assert batch.until_restored()["state"] == "healthy"
    assert batch.all()[-1].revision == batch.first.revision
    assert [each.description for each in batch.all()].count(MINE) == 1


def test_a_rollback_of_its_own_that_follows_later_is_taken_for_what_it_is(batch: Session) -> None:
    """The failure was seen before CodeDeploy had begun to roll back; Restore Service comes just after."""
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    assert batch.look("rollout", 4)["restoring"] is False
    back = batch.put_back(1)
    assert back["codedeploy_deployment_id"] == batch.all()[-1].id
    assert batch.look("restored", 60)["state"] == "healthy"
    assert [each.creator for each in batch.made()] == ["codeDeployRollback"]


def test_a_rollback_of_its_own_that_fails_is_followed_by_ours(batch: Session) -> None:
    batch.group.auto_rollback = FAILURES
    batch.fake.deployer.courses = [FAILS, FAILS]
    batch.begin()
    assert batch.look("rollout", 4)["restoring"] is False
    batch.time.at += 60
    assert batch.until_restored()["state"] == "healthy"
    assert [each.description for each in batch.made()][-1] == MINE
