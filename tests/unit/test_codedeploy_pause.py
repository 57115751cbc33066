"""A blue/green deployment of CodeDeploy that waits before it moves the traffic: the same Promote, by its own call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.config
import pytest

from chatops import aws
from chatops.domain.question import Answer
from chatops.domain.reason import Reason
from chatops.messages.english import english_text
from chatops.platforms.rollout import Pause
from chatops.settings import targets
from chatops.steps import ecs, promotion
from chatops.store import locks, questions
from chatops.store.table import Table
from fakes.codedeploy import CodeDeploy, Course
from fakes.faults import Fault
from tests.contract.conftest import served
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.pause_session import ID, Shared
from tests.unit.steps import call
from tests.unit.views import PLAN

LEE = "U0LEE0001"


class Here:
    """The group `live` of `batch`, whose next deployment waits before its traffic."""

    def __init__(self, rows: Table, fake: CodeDeploy, time: Time) -> None:
        self.rows, self.fake, self.time = rows, fake, time
        first = fake.deployments("batch", "live")[0]
        previous = {"present": True, "version": "v1", "codedeploy_deployment_id": first.id}
        plan = {**PLAN, "target": "dev", "kind": "codedeploy", "previous": previous, "started_at": time.at}
        taking = locks.taking("dev", locks.Holder(ID, "arn", "deploy", "v1.2.3", "U0DANA001", ""))
        stored.begin(rows, ID, "arn", plan, taking)
        fake.deployer.courses = [Course(waits="READY_WAIT")]
        self.begun = fake.deploy("batch", "live", "v2", f"{ID} abc")
        deploy = {"state": "succeeded", "outputs": {"codedeploy_deployment_id": self.begun}}
        self.state: dict[str, Any] = {"plan": plan, "deploy": deploy}

    def event(self, **more: Any) -> dict[str, Any]:
        return {"deployment_id": ID, "execution_arn": "arn", "state": self.state, **more}

    def look(self, seconds: float = 0, mode: str = "rollout") -> dict[str, Any]:
        self.time.pass_by(seconds)
        self.state[mode] = call(ecs.run, self.event(mode=mode))
        return dict(self.state[mode])

    @property
    def mark(self) -> str:
        return Pause("READY_WAIT", self.begun).mark

    def promoted(self) -> None:
        """As a click would."""
        assert self.look(20)["state"] == "paused"
        assert questions.record(self.rows, ID, Answer.PROMOTED, LEE, mark=self.mark).by == LEE
        assert self.look()["state"] == "promoted"


@pytest.fixture
def here(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Iterator[Here]:
    environment.setenv("CODEDEPLOY_APP_NAME", "batch")
    environment.setenv("CODEDEPLOY_GROUP_NAME", "live")
    targets._cached.cache_clear()
    fake = CodeDeploy(Shared(time))
    fake.add_group("batch", "live")
    with served(fake.app) as url:
        once = botocore.config.Config(retries={"total_max_attempts": 1})
        client = boto3.client("codedeploy", endpoint_url=url, config=once)
        ours = {"codedeploy": client, "dynamodb": rows._client}
        environment.setattr(aws, "client", lambda service, **_: ours[service])
        yield Here(rows, fake, time)
        client.close()


def test_ready_is_a_pause_and_promote_moves_the_traffic(here: Here) -> None:
    assert here.look(1)["state"] == "moving"
    here.promoted()
    assert here.state["rollout"]["pause"]["stage"] == "Ready"
    assert call(promotion.promote, here.event()) == {"continued": True}
    assert call(promotion.promote, here.event()) == {"continued": False}, "it has gone on meanwhile"
    assert here.look(20)["state"] == "healthy"
    assert here.fake.running("batch", "live") == "v2"


def test_where_codedeploy_does_not_let_us_the_way_by_hand_is_named(here: Here) -> None:
    here.promoted()
    here.fake.faults.append(Fault("ContinueDeployment", status=400, code="AccessDeniedException"))
    refused = Reason.from_json(call(promotion.promote, here.event())["refused"])
    assert re.search(r"codedeploy:ContinueDeployment.*--deployment-wait-type READY_WAIT", english_text(refused))


@pytest.mark.parametrize(("by_hand", "state"), [(False, "expired"), (True, "failed")])
def test_stopped_at_the_end_of_its_wait_nobody_promoted_it(here: Here, by_hand: bool, state: str) -> None:
    here.look(20)
    stopped = here.fake.deployments("batch", "live")[-1]
    stopped.status, stopped.completed_at = "Stopped", here.time.at
    stopped.error = {"code": "MANUAL_STOP", "message": "x"} if by_hand else {}
    found = here.look(600)
    assert (found["state"], found["done"]) == (state, True)
    question = questions.get(here.rows, ID, here.mark)
    assert question
    assert question.decision == ("passed" if by_hand else "expired")


def test_what_is_put_back_moves_its_traffic_without_anybodys_word(here: Here) -> None:
    here.state["rollback"] = {"how": "codedeploy", "codedeploy_deployment_id": here.begun}
    assert here.look(20, "restored")["state"] == "paused"
    assert call(promotion.promote, here.event()) == {"continued": True}
    assert here.look(20, "restored")["state"] == "healthy"
    assert questions.pauses(here.rows, ID) == []
