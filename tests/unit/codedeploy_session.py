"""A deployment group of CodeDeploy's fake, and the steps that ask it, without a table and a state machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import pytest

from chatops import aws, clock
from chatops.domain.target import Target, Timing
from chatops.steps import ecs, restore, restored, rollout
from chatops.store import results
from fakes.codedeploy import CodeDeploy, Course
from fakes.codedeploy.model import Deployment, Group
from tests.contract.conftest import Time, served
from tests.unit.steps import call

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


class Session:
    """The group `live` of `batch`: somebody deployed a first revision by hand, and our deployment is under way."""

    def __init__(self, fake: CodeDeploy, time: Time, group: Group, url: str) -> None:
        self.fake, self.time, self.group, self.url = fake, time, group, url
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
            self.fake.deployer.courses = [course]
        made = self.fake.deploy("batch", "live", version, f"{ID} abc")
        self.state["deploy"] = {"outputs": {"codedeploy_deployment_id": made} if reported else {}}
        return made

    def fail(self) -> Session:
        """The pipeline's deployment has failed, a minute ago."""
        self.begin(FAILS)
        self.time.at += 60
        return self

    def by_hand(self, version: str, course: Course | None = None) -> str:
        """Somebody deploys beside us."""
        if course:
            self.fake.deployer.courses = [course]
        return self.fake.deploy("batch", "live", version, "by hand")

    def begin_after_a_stranger(self, course: Course) -> None:
        """As `begin`; somebody deployed by hand after our record was made, so CodeDeploy's own rollback would lead
        elsewhere."""
        self.by_hand("by-hand")
        self.time.at += 60
        self.state["plan"]["started_at"] = self.time.at
        self.begin(course)

    def look(self, mode: str, seconds: float = 0) -> dict[str, Any]:
        """Check Rollout (`rollout`) or Check Restored (`restored`), so many seconds later."""
        self.time.at += seconds
        fact = call(ecs.run, {"mode": mode, "deployment_id": ID, "state": self.state})
        self.state[mode] = fact
        return fact

    def put_back(self, seconds: float = 0) -> dict[str, Any]:
        """Restore Service, so many seconds later."""
        self.time.at += seconds
        self.state["rollback"] = call(restore.run, {"deployment_id": ID, "state": self.state})
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
        return self.fake.deployments("batch", "live")

    def made(self) -> list[Deployment]:
        """What was created after the pipeline's own deployment."""
        return self.all()[2:]

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [call.request for call in self.fake.calls if call.operation == operation]


@dataclass
class Door:
    """The way to whichever fake the test at hand has put behind it: a client of its own for each would take longer
    than the test."""

    fake: CodeDeploy
    url: str = ""
    client: Any = None

    def app(self, environ: Any, start_response: Any) -> Any:
        return self.fake.app(environ, start_response)

    def batch(self, patch: pytest.MonkeyPatch) -> Session:
        """A fake of its own, asked by the product through boto3; nobody else has settled the deployment."""
        time = Time()
        self.fake = CodeDeploy(time)
        patch.setattr(aws, "client", lambda *_, **__: self.client)
        patch.setattr(clock, "now", time.now)
        for step in (rollout, restored, restore):
            patch.setattr(step, "table", lambda: None)
            patch.setattr(step, "targets", lambda: {"dev": TARGET})
        patch.setattr(restore, "assert_ours", lambda *_: {})
        patch.setattr(restore, "leave", lambda *_: None)
        patch.setattr(restore.stages, "revoke", lambda *_: None)
        patch.setattr(results, "keep", lambda *_: None)
        patch.setattr(results, "get", lambda _rows, _id, _phase, kind: kind())
        patch.setattr(rollout.cancels, "get", lambda *_: None)
        patch.setattr(rollout.wakeups, "counter", lambda *_: 0)
        patch.setattr(rollout.messages, "may_progress", lambda *_: True)
        return Session(self.fake, time, self.fake.add_group("batch", "live"), self.url)


@contextmanager
def opened() -> Iterator[Door]:
    """A door for the length of a `with` block."""
    door = Door(CodeDeploy(Time()))
    with served(door.app) as door.url:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        config = botocore.config.Config(retries={"total_max_attempts": 1})
        door.client = boto3.client("codedeploy", endpoint_url=door.url, config=config, **keys)
        yield door
        door.client.close()


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with opened() as made:
        yield made


@pytest.fixture
def batch(environment: pytest.MonkeyPatch, door: Door) -> Session:
    return door.batch(environment)
