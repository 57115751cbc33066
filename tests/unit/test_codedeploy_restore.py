"""The recorded revision is put back by CodeDeploy, once, when the group is free."""

from __future__ import annotations

import pytest

from chatops.domain.errors import ServiceRefused
from fakes.codedeploy import Course
from fakes.codedeploy import operations as far_operations
from fakes.codedeploy.server import revision_of
from fakes.faults import Fault
from tests.unit.codedeploy_session import FAILS, MINE, STUCK, Session, batch, door

__all__ = ["batch", "door"]


@pytest.mark.parametrize("course", [Course(seconds=1), Course(seconds=1, outcome="fails"), STUCK])
def test_the_step_twice_makes_one_deployment_whatever_became_of_the_first(batch: Session, course: Course) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [course]
    first = batch.put_back()
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]
    assert [each.description for each in batch.made()] == [MINE]


def test_hosts_get_the_revision_back_with_the_options_that_it_was_deployed_with(batch: Session) -> None:
    """Without OVERWRITE CodeDeploy fails at a file that it did not bring itself.
    https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html"""
    options = {"fileExistsBehavior": "OVERWRITE", "ignoreApplicationStopFailures": True}
    for given in ({}, options):
        batch.first.file_exists = given.get("fileExistsBehavior", "DISALLOW")
        batch.first.ignores_stop = bool(given)
        batch.begin(FAILS)
        batch.time.at += 60
        batch.put_back()
        asked = batch.asked("CreateDeployment")[-1]
        assert {name: asked[name] for name in options if name in asked} == given
        assert batch.until_restored()["state"] == "healthy"
        batch.fake.deployer.group("batch", "live").deployments[:] = [batch.first]


def test_its_own_earlier_deployment_is_found_on_the_last_page(batch: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    first = batch.put_back()
    for number in range(30):
        batch.time.at += 10
        batch.fake.deploy("batch", "live", f"v{number}", "by hand")
    monkeypatch.setattr(far_operations, "PAGE", 3)
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]


def test_a_lost_reply_of_the_creation_makes_no_second_one(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.faults.append(Fault("CreateDeployment", lose_reply=True))
    with pytest.raises(Exception, match=r"closed|reset|without"):
        batch.put_back()
    back = batch.put_back(1)
    assert [each.id for each in batch.made()] == [back["codedeploy_deployment_id"]]


def test_what_is_under_way_is_stopped_and_waited_for(batch: Session) -> None:
    """A group deploys one at a time; a stop takes its time."""
    begun = batch.begin(Course(outcome="stuck", stopping=120))
    batch.time.at += 10
    assert batch.put_back()["how"] == "waiting"
    assert batch.until_restored()["state"] == "healthy"
    assert len(batch.asked("StopDeployment")) >= 1
    assert [each.status for each in batch.all()] == ["Succeeded", "Stopped", "Succeeded"]
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.all()[1].id == begun


def test_a_stop_lets_codedeploy_roll_back_where_that_leads_to_the_recorded_revision(batch: Session) -> None:
    """It knows what it has changed: blue/green's traffic goes back at once."""
    batch.begin(STUCK)
    batch.time.at += 10
    batch.put_back()
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is True
    assert batch.until_restored(1)["state"] == "healthy"
    assert len(batch.made()) == 1


def test_a_stop_does_not_where_that_would_lead_elsewhere(batch: Session) -> None:
    batch.fake.deploy("batch", "live", "by-hand", "by hand")
    batch.time.at += 60
    batch.state["plan"]["started_at"] = batch.time.at
    batch.begin(STUCK)
    batch.time.at += 10
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is False
    assert batch.all()[-1].revision == batch.first.revision


def test_a_foreign_deployment_is_waited_for_and_not_stopped(batch: Session) -> None:
    """A rollback by command, and somebody deploys at a terminal."""
    batch.state["plan"]["command"] = "rollback"
    batch.fake.deployer.courses = [Course(seconds=200)]
    batch.fake.deploy("batch", "live", "v9", "by hand")
    assert batch.until_restored(10)["state"] == "healthy"
    assert batch.asked("StopDeployment") == []
    assert batch.all()[1].status == "Succeeded"
    assert batch.all()[-1].revision == batch.first.revision


def test_waiting_has_a_deadline(batch: Session) -> None:
    batch.begin(STUCK)
    batch.state.pop("deploy")  # somebody else's
    batch.state["plan"]["command"] = "rollback"
    batch.group.deployments[1].description = "by hand"
    fact = batch.until_restored(60)
    assert (fact["state"], fact["why"]["key"]) == ("timed_out", "why_restore_late")


def test_where_nothing_was_begun_nothing_is_put_back(batch: Session) -> None:
    """The deploy stage broke before it came to CodeDeploy."""
    batch.state["deploy"] = {"outputs": {}}
    assert batch.put_back()["how"] == "untouched"
    assert batch.look("restored")["state"] == "healthy"
    assert len(batch.all()) == 1


@pytest.mark.parametrize("course", [Course(seconds=200), Course(seconds=1), FAILS, STUCK])
@pytest.mark.parametrize("before", [0, 200])
def test_what_a_colleague_deploys_while_ours_began_nothing_is_left_alone(
    batch: Session, course: Course, before: int
) -> None:
    """The group was busy with it, so ours was refused. https://github.com/aws/aws-codedeploy-agent/issues/248

    `before`: seconds before ours was planned.
    """
    batch.fake.deployer.courses = [course]
    batch.fake.deploy("batch", "live", "hotfix", "by hand")
    batch.state["plan"]["started_at"] = batch.time.at + before
    batch.state["deploy"] = {"outputs": {}}
    back = batch.put_back(60 + before)
    ended_before = before and batch.all()[1].status == "Failed"
    assert back["how"] == ("untouched" if ended_before else "overtaken")
    assert batch.asked("StopDeployment") == []
    assert len(batch.all()) == 2


@pytest.mark.parametrize("course", [Course(seconds=1), FAILS])
def test_what_somebody_deploys_after_ours_has_broken_is_left_alone(batch: Session, course: Course) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [course]
    hotfix = batch.fake.deploy("batch", "live", "hotfix", "by hand")
    assert batch.put_back(60) == {"how": "overtaken", "codedeploy_deployment_id": hotfix}
    found = batch.look("restored")
    assert (found["state"], found["done"]) == ("overtaken", True)
    assert len(batch.all()) == 3


@pytest.mark.parametrize("creator", ["autoscaling", "CodeDeployAutoUpdate"])
def test_a_deployment_to_new_instances_overtakes_nobody(batch: Session, creator: str) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [Course(seconds=1), Course(seconds=1)]
    batch.fake.deploy("batch", "live", "v2", "")
    batch.all()[-1].creator = creator
    assert batch.put_back(60)["how"] == "codedeploy"


def test_whoever_deploys_the_recorded_revision_by_hand_has_put_it_back(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [Course(seconds=1)]
    batch.fake.deploy("batch", "live", "first", "by hand")
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.put_back(60)["how"] == "unchanged"


def test_an_appspec_is_put_back_with_its_content(batch: Session, environment: pytest.MonkeyPatch) -> None:
    """GetDeployment shows its hash alone.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    batch.group.platform = "ECS"
    batch.first.revision = revision_of(batch.group, "v1")
    batch.begin(FAILS)
    batch.time.at += 60
    assert batch.until_restored()["state"] == "healthy"
    assert batch.all()[-1].revision == batch.first.revision


def test_what_is_put_back_is_not_kept_beside_what_broke(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [Course(waits="TERMINATION_WAIT")]
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("ContinueDeployment")[0]["deploymentWaitType"] == "TERMINATION_WAIT"
    assert len(batch.made()) == 1


def test_a_revision_that_is_gone_is_named(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.faults.append(Fault("CreateDeployment", status=400, code="RevisionDoesNotExistException"))
    with pytest.raises(ServiceRefused, match=f"{batch.first.id}.*RevisionDoesNotExistException"):
        batch.put_back()


def test_a_good_deployment_that_is_gone_is_named(batch: Session) -> None:
    batch.begin(FAILS)
    batch.state["plan"]["previous"]["codedeploy_deployment_id"] = "d-GONE00000"
    with pytest.raises(ServiceRefused, match="d-GONE00000"):
        batch.put_back(60)


def test_what_was_put_back_and_is_overtaken_is_not_called_restored(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.put_back()
    batch.time.at += 60
    batch.fake.deploy("batch", "live", "v9", "by hand")
    fact = batch.look("restored", 1)
    assert (fact["state"], fact["why"]["key"]) == ("overtaken", "why_restore_overtaken")


def test_what_fails_to_come_back_is_said(batch: Session) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.fake.deployer.courses = [FAILS]
    fact = batch.until_restored()
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_restore_failed")
