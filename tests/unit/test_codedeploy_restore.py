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
    batch.fail()
    batch.fake.deployer.courses = [course]
    first = batch.put_back()
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]
    assert [each.description for each in batch.made()] == [MINE]


@pytest.mark.parametrize("given", [{}, {"fileExistsBehavior": "OVERWRITE", "ignoreApplicationStopFailures": True}])
def test_hosts_get_the_revision_back_with_the_options_that_it_was_deployed_with(
    batch: Session, given: dict[str, str]
) -> None:
    """Without OVERWRITE CodeDeploy fails at a file that it did not bring itself.
    https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html"""
    batch.first.file_exists = given.get("fileExistsBehavior", "DISALLOW")
    batch.first.ignores_stop = bool(given)
    assert batch.fail().until_restored()["state"] == "healthy"
    (asked,) = batch.asked("CreateDeployment")
    options = ("fileExistsBehavior", "ignoreApplicationStopFailures")
    assert {name: asked[name] for name in options if name in asked} == given


def test_its_own_earlier_deployment_is_found_on_the_last_page(batch: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    first = batch.fail().put_back()
    for number in range(6):
        batch.time.at += 10
        batch.by_hand(f"v{number}")
    monkeypatch.setattr(far_operations, "PAGE", 3)
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]


def test_what_is_under_way_is_stopped_and_waited_for(batch: Session) -> None:
    """A group deploys one at a time; a stop takes its time. CodeDeploy knows what it has changed: it rolls back by
    itself where that leads to the recorded revision."""
    begun = batch.begin(Course(outcome="stuck", stopping=120))
    batch.time.at += 10
    assert batch.put_back()["how"] == "waiting"
    assert batch.until_restored(30)["state"] == "healthy"
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is True
    assert [each.status for each in batch.all()] == ["Succeeded", "Stopped", "Succeeded"]
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.all()[1].id == begun


def test_a_stop_lets_codedeploy_not_roll_back_where_that_would_lead_elsewhere(batch: Session) -> None:
    batch.begin_after_a_stranger(STUCK)
    batch.time.at += 10
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is False
    assert batch.all()[-1].revision == batch.first.revision


def test_a_foreign_deployment_is_waited_for_and_not_stopped(batch: Session) -> None:
    """A rollback by command, and somebody deploys at a terminal."""
    batch.state["plan"]["command"] = "rollback"
    batch.by_hand("v9", Course(seconds=200))
    assert batch.until_restored(60)["state"] == "healthy"
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
    batch.by_hand("hotfix", course)
    batch.state["plan"]["started_at"] = batch.time.at + before
    batch.state["deploy"] = {"outputs": {}}
    back = batch.put_back(60 + before)
    ended_before = before and batch.all()[1].status == "Failed"
    assert back["how"] == ("untouched" if ended_before else "overtaken")
    assert batch.asked("StopDeployment") == []
    assert len(batch.all()) == 2


@pytest.mark.parametrize("course", [Course(seconds=1), FAILS])
def test_what_somebody_deploys_after_ours_has_broken_is_left_alone(batch: Session, course: Course) -> None:
    batch.fail()
    hotfix = batch.by_hand("hotfix", course)
    assert batch.put_back(60) == {"how": "overtaken", "codedeploy_deployment_id": hotfix}
    found = batch.look("restored")
    assert (found["state"], found["done"]) == ("overtaken", True)
    assert len(batch.all()) == 3


@pytest.mark.parametrize(
    ("version", "creator", "how"),
    [("first", "user", "unchanged"), ("v2", "autoscaling", "codedeploy"), ("v2", "CodeDeployAutoUpdate", "codedeploy")],
    ids=["the recorded revision by hand", "new instances", "instances that lag behind"],
)
def test_who_deploys_what_decides_whether_it_is_put_back(batch: Session, version: str, creator: str, how: str) -> None:
    batch.fail().by_hand(version, Course(seconds=1))
    batch.all()[-1].creator = creator
    assert batch.put_back(60)["how"] == how


def test_an_appspec_is_put_back_with_its_content(batch: Session, environment: pytest.MonkeyPatch) -> None:
    """GetDeployment shows its hash alone.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    batch.group.platform = "ECS"
    batch.first.revision = revision_of(batch.group, "v1")
    assert batch.fail().until_restored()["state"] == "healthy"
    assert batch.all()[-1].revision == batch.first.revision


def test_what_is_put_back_is_not_kept_beside_what_broke(batch: Session) -> None:
    batch.fail()
    batch.fake.deployer.courses = [Course(waits="TERMINATION_WAIT")]
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("ContinueDeployment")[0]["deploymentWaitType"] == "TERMINATION_WAIT"
    assert len(batch.made()) == 1


def test_what_is_gone_is_named(batch: Session) -> None:
    batch.fail()
    batch.fake.faults.append(Fault("CreateDeployment", status=400, code="RevisionDoesNotExistException"))
    with pytest.raises(ServiceRefused, match=f"{batch.first.id}.*RevisionDoesNotExistException"):
        batch.put_back()
    batch.state["plan"]["previous"]["codedeploy_deployment_id"] = "d-GONE00000"
    with pytest.raises(ServiceRefused, match="d-GONE00000"):
        batch.put_back(60)


def test_what_was_put_back_and_is_overtaken_is_not_called_restored(batch: Session) -> None:
    batch.fail().put_back()
    batch.time.at += 60
    batch.by_hand("v9")
    fact = batch.look("restored", 1)
    assert (fact["state"], fact["why"]["key"]) == ("overtaken", "why_restore_overtaken")


def test_what_fails_to_come_back_is_said(batch: Session) -> None:
    batch.fail()
    batch.fake.deployer.courses = [FAILS]
    fact = batch.until_restored()
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_restore_failed")
