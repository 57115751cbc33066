"""What a group runs, for plans and for /platform-status."""

from __future__ import annotations

import pytest

from chatops.domain.errors import Refusal
from chatops.domain.release import Release
from chatops.platforms.codedeploy import CodeDeploy
from fakes.codedeploy.model import Deployment
from fakes.codedeploy.server import FAILURES
from tests.unit.codedeploy_session import TARGET, Session, batch, door

__all__ = ["batch", "door"]


def release(deployment: Deployment, version: str) -> Release:
    return Release(version, codedeploy_deployment_id=deployment.id, deployment_id="d-1", verified_at="2026")


def test_what_ran_before_the_first_deployment_ever_is_the_last_good_one_whatever_the_order(batch: Session) -> None:
    for number in range(5):
        batch.fake.deploy("batch", "live", f"v{number}")
        batch.time.at += 60
    found = CodeDeploy(TARGET).live([])
    assert found is not None
    assert found.codedeploy_deployment_id == batch.all()[-1].id


def test_a_group_that_nothing_was_deployed_to_has_nothing_live_and_one_that_is_missing_is_named(batch: Session) -> None:
    batch.group.deployments.clear()
    assert CodeDeploy(TARGET).live([]) is None
    batch.fake.deployer.groups.clear()
    with pytest.raises(Refusal) as error:
        CodeDeploy(TARGET).live([])
    assert error.value.values["said"].key in ("codedeploy_no_group", "codedeploy_no_application")


def test_what_somebody_deployed_beside_us_is_live(batch: Session) -> None:
    made = batch.by_hand("by-hand")
    batch.time.at += 60
    found = CodeDeploy(TARGET).live([release(batch.first, "v1")])
    assert found is not None
    assert (found.version, found.codedeploy_deployment_id) == (made, made)


def test_the_recorded_release_is_live_however_often_its_revision_was_deployed_again(batch: Session) -> None:
    batch.group.auto_rollback = FAILURES
    known = release(batch.fail().first, "v1")
    assert batch.all()[-1].creator == "codeDeployRollback"
    assert CodeDeploy(TARGET).live([known]) == known
