"""Targets of CodeDeploy, through the steps that ask it: is ours live, how is the recorded revision put back, once?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import pytest

from chatops import aws, clock, live
from chatops.errors import InvalidRequest, ServiceRefused
from chatops.messages.catalogue import plain
from chatops.steps import ecs, restore
from chatops.store.releases import Release
from chatops.targets import Target, Timing
from local.codedeploy import CodeDeploy, Course
from local.codedeploy import operations as far_operations
from local.codedeploy.model import Deployment, Group
from local.codedeploy.server import FAILURES, revision_of
from local.faults import Fault
from tests.contract.conftest import Time, served

ID = "d-abcdefghijkl"
TARGET = Target(
    "dev",
    "acme/batch",
    "dev_deploy",
    codedeploy_application="batch",
    codedeploy_group="live",
    timing=Timing(rollout=900, restore=900),
)
MINE = f"platform-deploy {ID} restore"
STUCK, FAILS = Course(outcome="stuck"), Course(outcome="fails")


AWS = """#!{python}
import json, sys
sys.path.insert(0, {tests!r})
from tests.unit.aws_shape import Cli
words = sys.argv[1:]
given = dict(zip(words[2::2], words[3::2]))
query = given.pop("--query", "")
given.pop("--output", "")
answer = Cli({{"codedeploy": {url!r}}})(*words[:2], *(word for pair in given.items() for word in pair))
for name in query.split(".") if query else []:
    answer = answer[name]
print(json.dumps(answer, default=str))
"""
"""An AWS CLI of two options of its own, on botocore."""


class World:
    """The group `live` of `batch`: somebody deployed a first revision by hand, and our deployment is under way."""

    def __init__(self, far: CodeDeploy, time: Time, group: Group, url: str) -> None:
        self.far, self.time, self.group, self.url = far, time, group, url
        self.first = group.deployments[0]
        self.state: dict[str, Any] = {
            "plan": {
                "target": "dev",
                "kind": "codedeploy",
                "started_at": time.at,
                "previous": {"present": True, "version": "v1", "codedeploy_deployment_id": self.first.id},
            }
        }

    def begin(self, course: Course | None = None, version: str = "v2", *, reported: bool = True) -> str:
        """The pipeline's deployment, and what it reports of it."""
        if course:
            self.far.deployer.courses = [course]
        made = self.far.deploy("batch", "live", version, f"{ID} abc")
        self.state["deploy"] = {"outputs": {"codedeploy_deployment_id": made} if reported else {}}
        return made

    def look(self, mode: str, seconds: float = 0) -> dict[str, Any]:
        """Check ECS (`rollout`) or Check Restored (`restored`), so many seconds later."""
        self.time.at += seconds
        fact = ecs.run({"mode": mode, "deployment_id": ID, "state": self.state})
        self.state[mode] = fact
        return fact

    def put_back(self, seconds: float = 0) -> dict[str, Any]:
        """Restore Service, so many seconds later."""
        self.time.at += seconds
        self.state["rollback"] = restore.run({"deployment_id": ID, "state": self.state})
        return dict(self.state["rollback"])

    def until_restored(self, seconds: float = 5) -> dict[str, Any]:
        """As the state machine goes from Restore Service on, looking every so many seconds."""
        self.put_back()
        for _ in range(100):
            fact = self.look("restored")
            if fact["done"]:
                return fact
            if fact["state"] == "again":
                self.put_back()
            else:
                self.time.at += seconds
        raise AssertionError("it never ends")

    def all(self) -> list[Deployment]:
        return self.far.deployments("batch", "live")

    def made(self) -> list[Deployment]:
        """What was created after the pipeline's own deployment."""
        return self.all()[2:]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [call.request for call in self.far.calls if call.operation == operation]


class Door:
    """The way to whichever stand-in the test at hand has put behind it: a client of its own for each would take longer
    than the test."""

    far: CodeDeploy

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.far.app(environ, start_response)


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[Door, str, Any]]:
    door = Door()
    with served(door) as url:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        config = botocore.config.Config(retries={"total_max_attempts": 1})
        client = boto3.client("codedeploy", endpoint_url=url, config=config, **keys)
        yield door, url, client
        client.close()


@pytest.fixture
def batch(environment: pytest.MonkeyPatch, door: tuple[Door, str, Any]) -> World:
    time = Time()
    far = CodeDeploy(time)
    door[0].far = far
    environment.setattr(aws, "client", lambda *_, **__: door[2])
    environment.setattr(clock, "now", time.now)
    for step in (ecs, restore):
        environment.setattr(step, "table", lambda: None)
        environment.setattr(step, "targets", lambda: {"dev": TARGET})
    environment.setattr(restore, "assert_ours", lambda *_: {})
    environment.setattr(restore.stages, "revoke", lambda *_: None)
    environment.setattr(ecs.approvals, "cancelled", lambda *_: None)
    environment.setattr(ecs.waits, "counter", lambda *_: 0)
    environment.setattr(ecs.messages, "may_progress", lambda *_: True)
    return World(far, time, far.add_group("batch", "live"), door[1])


# -- is ours live? -----------------------------------------------------------------------------------------------


def test_ours_is_live_when_codedeploy_says_succeeded(batch: World) -> None:
    batch.begin()
    assert batch.look("rollout")["state"] == "moving"
    fact = batch.look("rollout", 2)
    assert (fact["status"], fact["running"], fact["desired"]) == ("InProgress", 0, 4)
    assert batch.look("rollout", 60)["state"] == "healthy"


def test_a_failure_says_what_codedeploy_says(batch: World) -> None:
    batch.begin(FAILS)
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["restoring"]) == ("failed", False)
    assert "too many individual instances failed" in fact["why"]["values"]["said"]


def test_a_deployment_that_the_pipeline_did_not_report_is_found_by_what_it_says_of_itself(batch: World) -> None:
    """Its run may have been cancelled or killed between CreateDeployment and its last step."""
    batch.begin(reported=False)
    assert batch.look("rollout", 60)["state"] == "healthy"


def test_a_pipeline_without_our_steps_is_watched_by_what_began_since_but_for_codedeploys_own(
    batch: World, environment: pytest.MonkeyPatch
) -> None:
    """Its rollback is newer, and succeeds: that is not ours."""
    environment.setattr(ecs, "targets", lambda: {"dev": replace(TARGET, claim=False)})
    batch.group.auto_rollback = FAILURES
    made = batch.begin(FAILS, reported=False)
    batch.time.at += 60
    assert batch.all()[-1].status == "Succeeded"
    environment.setattr(ecs.stages, "get", lambda *_: {"tried_at": batch.all()[1].created_at})
    fact = batch.look("rollout")
    assert (fact["state"], fact["brought"]) == ("failed", {"codedeploy_deployment_id": made})


def test_a_pipeline_without_our_steps_that_began_nothing_is_said_to(
    batch: World, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(ecs, "targets", lambda: {"dev": replace(TARGET, claim=False)})
    environment.setattr(ecs.stages, "get", lambda *_: {"tried_at": batch.time.at})
    assert batch.look("rollout")["why"]["key"] == "why_nothing_began"


def test_no_deployment_at_all_is_a_failure(batch: World) -> None:
    batch.state["deploy"] = {"outputs": {}}
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_no_output")


def test_a_newer_deployment_of_another_revision_has_overtaken_ours(batch: World) -> None:
    batch.begin()
    batch.time.at += 60
    batch.far.deploy("batch", "live", "v9", "by hand")
    fact = batch.look("rollout", 1)
    assert (fact["state"], fact["done"]) == ("overtaken", True)


def test_a_newer_deployment_after_a_failure_is_somebodys_mending_and_stays(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.deploy("batch", "live", "v9", "by hand")
    assert batch.look("rollout", 60)["state"] == "overtaken"


@pytest.mark.parametrize("creator", ["autoscaling", "autoscalingTermination", "CodeDeployAutoUpdate"])
def test_what_codedeploy_deploys_to_new_instances_overtakes_nothing(batch: World, creator: str) -> None:
    batch.begin()
    batch.time.at += 60
    assert batch.all()[-1].ended
    batch.far.deployer.begin(batch.group, batch.first.revision, batch.time.at, creator=creator)
    assert batch.look("rollout", 1)["state"] == "healthy"


def test_the_same_revision_deployed_once_more_is_still_ours(batch: World) -> None:
    batch.begin()
    batch.time.at += 60
    batch.far.deploy("batch", "live", "v2", "by hand")
    assert batch.look("rollout", 1)["state"] == "healthy"


def test_what_waits_with_all_traffic_moved_has_the_time_that_its_group_keeps_what_it_replaced(batch: World) -> None:
    """CodeDeploy may keep it for hours: what is live by then is not rolled back for that."""
    batch.group.keeping = 60
    batch.begin(Course(waits="TERMINATION_WAIT"))
    batch.look("rollout")
    fact = batch.look("rollout", 60)
    assert (fact["state"], fact["lifecycle_stage"]) == ("moving", "TERMINATION_WAIT")
    assert batch.look("rollout", 3600)["state"] == "moving"
    assert batch.look("rollout", 900)["state"] == "timed_out"


# -- CodeDeploy's own rollback -----------------------------------------------------------------------------------


def test_its_own_rollback_to_the_recorded_revision_is_watched_and_not_done_again(batch: World) -> None:
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    fact = batch.look("rollout", 4.2)
    assert (fact["state"], fact["restoring"]) == ("failed", True)
    assert batch.look("restored", 1)["state"] == "moving"
    assert batch.look("restored", 60)["state"] == "healthy"
    assert len(batch.made()) == 1
    assert batch.asked("CreateDeployment") == []


def test_its_own_rollback_to_another_revision_is_not_believed(batch: World) -> None:
    """Somebody deployed by hand after our record was made: CodeDeploy's last good revision is not what we want back."""
    batch.far.deploy("batch", "live", "by-hand", "by hand")
    batch.time.at += 60
    batch.state["plan"]["started_at"] = batch.time.at
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    fact = batch.look("rollout", 5)
    assert (fact["state"], fact["restoring"]) == ("failed", False)
    assert batch.until_restored()["state"] == "healthy"
    assert batch.all()[-1].revision == batch.first.revision
    assert [each.description for each in batch.all()].count(MINE) == 1


def test_a_rollback_of_its_own_that_follows_later_is_taken_for_what_it_is(batch: World) -> None:
    """The failure was seen before CodeDeploy had begun to roll back; Restore Service comes just after."""
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    assert batch.look("rollout", 4)["restoring"] is False
    back = batch.put_back(1)
    assert back["codedeploy_deployment_id"] == batch.all()[-1].id
    assert batch.look("restored", 60)["state"] == "healthy"
    assert [each.creator for each in batch.made()] == ["codeDeployRollback"]


def test_a_rollback_of_its_own_that_fails_is_followed_by_ours(batch: World) -> None:
    batch.group.auto_rollback = FAILURES
    batch.far.deployer.courses = [FAILS, FAILS]
    batch.begin()
    assert batch.look("rollout", 4)["restoring"] is False
    batch.time.at += 60
    assert batch.until_restored()["state"] == "healthy"
    assert [each.description for each in batch.made()][-1] == MINE


# -- put back, once ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("course", [Course(seconds=1), Course(seconds=1, outcome="fails"), STUCK])
def test_the_step_twice_makes_one_deployment_whatever_became_of_the_first(batch: World, course: Course) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.deployer.courses = [course]
    first = batch.put_back()
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]
    assert [each.description for each in batch.made()] == [MINE]


def test_its_own_earlier_deployment_is_found_on_the_last_page(batch: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    first = batch.put_back()
    for number in range(30):
        batch.time.at += 10
        batch.far.deploy("batch", "live", f"v{number}", "by hand")
    monkeypatch.setattr(far_operations, "PAGE", 3)
    assert batch.put_back(60)["codedeploy_deployment_id"] == first["codedeploy_deployment_id"]


def test_a_lost_reply_of_the_creation_makes_no_second_one(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.faults.append(Fault("CreateDeployment", lose_reply=True))
    with pytest.raises(Exception, match=r"closed|reset|without"):
        batch.put_back()
    back = batch.put_back(1)
    assert [each.id for each in batch.made()] == [back["codedeploy_deployment_id"]]


def test_what_is_under_way_is_stopped_and_waited_for(batch: World) -> None:
    """A group deploys one at a time; a stop takes its time."""
    begun = batch.begin(Course(outcome="stuck", stopping=120))
    batch.time.at += 10
    assert batch.put_back()["how"] == "waiting"
    assert batch.until_restored()["state"] == "healthy"
    assert len(batch.asked("StopDeployment")) >= 1
    assert [each.status for each in batch.all()] == ["Succeeded", "Stopped", "Succeeded"]
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.all()[1].id == begun


def test_a_stop_lets_codedeploy_roll_back_where_that_leads_to_the_recorded_revision(batch: World) -> None:
    """It knows what it has changed: blue/green's traffic goes back at once."""
    batch.begin(STUCK)
    batch.time.at += 10
    batch.put_back()
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is True
    assert batch.until_restored(1)["state"] == "healthy"
    assert len(batch.made()) == 1


def test_a_stop_does_not_where_that_would_lead_elsewhere(batch: World) -> None:
    batch.far.deploy("batch", "live", "by-hand", "by hand")
    batch.time.at += 60
    batch.state["plan"]["started_at"] = batch.time.at
    batch.begin(STUCK)
    batch.time.at += 10
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("StopDeployment")[0]["autoRollbackEnabled"] is False
    assert batch.all()[-1].revision == batch.first.revision


def test_a_foreign_deployment_is_waited_for_and_not_stopped(batch: World) -> None:
    """A rollback by command, and somebody deploys at a terminal."""
    batch.far.deployer.courses = [Course(seconds=200)]
    batch.far.deploy("batch", "live", "v9", "by hand")
    assert batch.until_restored(10)["state"] == "healthy"
    assert batch.asked("StopDeployment") == []
    assert batch.all()[1].status == "Succeeded"
    assert batch.all()[-1].revision == batch.first.revision


def test_waiting_has_a_deadline(batch: World) -> None:
    batch.begin(STUCK)
    batch.state.pop("deploy")  # somebody else's
    batch.group.deployments[1].description = "by hand"
    fact = batch.until_restored(60)
    assert (fact["state"], fact["why"]["key"]) == ("timed_out", "why_restore_late")


def test_where_nothing_was_begun_nothing_is_put_back(batch: World) -> None:
    """The deploy stage broke before it came to CodeDeploy."""
    batch.state["deploy"] = {"outputs": {}}
    assert batch.put_back()["how"] == "unchanged"
    assert batch.look("restored")["state"] == "healthy"
    assert len(batch.all()) == 1


def test_an_appspec_is_put_back_with_its_content(batch: World, environment: pytest.MonkeyPatch) -> None:
    """GetDeployment shows its hash alone.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html"""
    batch.group.platform = "ECS"
    batch.first.revision = revision_of(batch.group, "v1")
    batch.begin(FAILS)
    batch.time.at += 60
    assert batch.until_restored()["state"] == "healthy"
    assert batch.all()[-1].revision == batch.first.revision


def test_what_is_put_back_is_not_kept_beside_what_broke(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.deployer.courses = [Course(waits="TERMINATION_WAIT")]
    assert batch.until_restored()["state"] == "healthy"
    assert batch.asked("ContinueDeployment")[0]["deploymentWaitType"] == "TERMINATION_WAIT"
    assert len(batch.made()) == 1


def test_a_revision_that_is_gone_is_named(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.faults.append(Fault("CreateDeployment", status=400, code="RevisionDoesNotExistException"))
    with pytest.raises(ServiceRefused, match=f"{batch.first.id}.*RevisionDoesNotExistException"):
        batch.put_back()


def test_a_good_deployment_that_is_gone_is_named(batch: World) -> None:
    batch.begin(FAILS)
    batch.state["plan"]["previous"]["codedeploy_deployment_id"] = "d-GONE00000"
    with pytest.raises(ServiceRefused, match="d-GONE00000"):
        batch.put_back(60)


def test_what_was_put_back_and_is_overtaken_is_not_called_restored(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.put_back()
    batch.time.at += 60
    batch.far.deploy("batch", "live", "v9", "by hand")
    fact = batch.look("restored", 1)
    assert (fact["state"], fact["why"]["key"]) == ("overtaken", "why_restore_overtaken")


def test_what_fails_to_come_back_is_said(batch: World) -> None:
    batch.begin(FAILS)
    batch.time.at += 60
    batch.far.deployer.courses = [FAILS]
    fact = batch.until_restored()
    assert (fact["state"], fact["why"]["key"]) == ("failed", "why_restore_failed")


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["Server", "ECS"])
def test_the_command_by_hand_does_it(batch: World, platform: str, tmp_path: Path) -> None:
    """As the message says it, in a shell, with an `aws` that asks the stand-in."""
    batch.group.platform = platform
    batch.first.revision = revision_of(batch.group, "v1")
    batch.begin(FAILS)
    batch.time.at += 60
    said = plain("by_hand_codedeploy", {"application": "batch", "group": "live", "deployment": batch.first.id})
    command = said.partition("`")[2].rpartition("`")[0]
    program = tmp_path / "aws"
    program.write_text(AWS.format(python=sys.executable, url=batch.url, tests=str(Path(__file__).parents[2])))
    program.chmod(0o755)
    run = subprocess.run(
        ["bash", "-c", command], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert batch.all()[-1].revision == batch.first.revision
    assert batch.made()[-1].id in run.stdout


# -- what is live ------------------------------------------------------------------------------------------------


def release(deployment: Deployment, version: str) -> Release:
    return Release(version, codedeploy_deployment_id=deployment.id, deployment_id="d-1", verified_at="2026")


def test_what_ran_before_the_first_deployment_ever_is_the_last_good_one_whatever_the_order(batch: World) -> None:
    for number in range(5):
        batch.far.deploy("batch", "live", f"v{number}")
        batch.time.at += 60
    found = live.now(TARGET, [])
    assert found is not None
    assert found.codedeploy_deployment_id == batch.all()[-1].id


def test_a_group_that_nothing_was_deployed_to_has_nothing_live(batch: World) -> None:
    batch.group.deployments.clear()
    assert live.now(TARGET, []) is None


def test_what_somebody_deployed_beside_us_is_live(batch: World) -> None:
    made = batch.far.deploy("batch", "live", "by-hand", "by hand")
    batch.time.at += 60
    found = live.now(TARGET, [release(batch.first, "v1")])
    assert found is not None
    assert (found.version, found.codedeploy_deployment_id) == (made, made)


def test_the_recorded_release_is_live_however_often_its_revision_was_deployed_again(batch: World) -> None:
    batch.group.auto_rollback = FAILURES
    batch.begin(FAILS)
    batch.time.at += 60
    known = release(batch.first, "v1")
    assert batch.all()[-1].creator == "codeDeployRollback"
    assert live.now(TARGET, [known]) == known


def test_a_group_that_is_missing_is_said_in_words(batch: World) -> None:
    batch.far.deployer.groups.clear()
    with pytest.raises(InvalidRequest) as error:
        live.now(TARGET, [])
    assert "CodeDeploy knows no" in str(error.value.values["said"])
