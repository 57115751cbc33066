"""One chain: the image that was built and approved is released, reported, and what the service runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from chatops import aws
from chatops.domain import image
from chatops.domain.deployment import Deployment
from chatops.domain.plan import Plan
from chatops.domain.release import Release
from chatops.domain.results import RolloutResult, StageResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.platforms.ecs import Ecs
from chatops.platforms.rollout import Rollout, RolloutState
from chatops.steps.poll import as_approved
from fakes.clock import Clock
from fakes.ecs import Ecs as Fake
from fakes.ecs import describe, names
from tests.contract.conftest import served

APPROVED, OTHER = (f"registry:5000/acme/shop@sha256:{letter * 64}" for letter in "ab")
TAGGED, SIDECAR = "registry:5000/acme/shop:v2", f"registry:5000/acme/proxy@sha256:{'c' * 64}"
TARGET = Target("dev", "acme/shop", "dev_deploy", cluster="checkout", service="checkout-api")
M, H, F = RolloutState.MOVING, RolloutState.HEALTHY, RolloutState.FAILED


@pytest.mark.parametrize(
    ("name", "repository", "digest", "short"),
    [
        (APPROVED, "registry:5000/acme/shop", "sha256:" + "a" * 64, "sha256:" + "a" * 12),
        (TAGGED, "registry:5000/acme/shop", "", "shop:v2"),
        ("registry:5000/acme/shop", "registry:5000/acme/shop", "", "shop"),
        ("shop:v1@sha256:12", "shop", "sha256:12", "sha256:12"),
        ("", "", "", ""),
    ],
)
def test_the_parts_of_a_name(name: str, repository: str, digest: str, short: str) -> None:
    assert (image.repository(name), image.digest(name), image.short(name)) == (repository, digest, short)


class Session:
    """A service on the fake, and our deployment of it."""

    def __init__(self, fake: Fake, clock: Clock, patch: pytest.MonkeyPatch) -> None:
        self.fake, self.clock, self.patch = fake, clock, patch
        self.resolved: dict[str, str] = {}

    def register(self, *images: str) -> str:
        """A task definition with these containers."""
        body = self.fake.register_task_definition(images[0])
        found = self.fake._at(names.HERE).definition(body)
        assert found is not None
        (main,) = found.body["containerDefinitions"]
        found.body["containerDefinitions"] = [
            {**main, "name": f"container-{n}", "image": each} for n, each in enumerate(images)
        ]
        return body

    def tells(self, *, revision: bool = True, tasks: bool = True) -> None:
        """Who knows digests: the service's revision (not where version consistency is off), the tasks."""
        of_revision, of_task = describe.revision, describe.task

        def without(made: dict[str, Any], key: str) -> dict[str, Any]:
            bare = [{k: v for k, v in each.items() if k != "imageDigest"} for each in made[key]]
            return {**made, key: bare}

        if not revision:
            self.patch.setattr(describe, "revision", lambda *a: without(of_revision(*a), "containerImages"))
        if not tasks:
            self.patch.setattr(describe, "task", lambda *a: without(of_task(*a), "containers"))

    def resolve(self, name: str, digest: str) -> None:
        """What the registry has under a tag."""
        known = names.digest
        self.patch.setattr(names, "digest", lambda each: digest if each == name else known(each))

    def release(self, *images: str, done: bool = True) -> str:
        made = self.register(*images)
        self.fake.update_service(made)
        if done:
            self.clock.sleep(8)
        return made

    def seen(self, made: str, *, first: bool = False, built: str = APPROVED) -> Rollout:
        outputs = Outputs(image=built, task_definition=made)
        of = Deployment(
            "d-2",
            plan=Plan(target="dev"),
            build=StageResult("build", "succeeded", outputs=Outputs(image=built)),
            deploy=StageResult("deploy", "succeeded", outputs=outputs),
            rollout=RolloutResult() if first else RolloutResult("moving"),
        )
        found = Ecs(TARGET).rollout(of, outputs)
        assert found is not None
        return found


@pytest.fixture
def session(environment: pytest.MonkeyPatch) -> Iterator[Session]:
    clock = Clock(speed=1000)
    fake = Fake(clock)
    with served(fake.app) as url:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        client = boto3.client("ecs", endpoint_url=url, **keys)
        environment.setattr(aws, "client", lambda *_, **__: client)
        yield Session(fake, clock, environment)
        client.close()
    clock.close()


CONTAINERS: dict[str, tuple[tuple[str, ...], bool]] = {
    "the approved one": ((APPROVED,), True),
    "beside another repository's": ((SIDECAR, APPROVED), True),
    "another digest": ((OTHER,), False),
    "another repository's alone": ((SIDECAR,), False),
    "twice, once another": ((APPROVED, OTHER), False),
    "by a tag that leads elsewhere": ((TAGGED,), False),
    "the approved one beside a tag that leads elsewhere": ((APPROVED, TAGGED), False),
    "from a copy of the repository": ((APPROVED.replace("registry:5000", "mirror"),), True),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("lists", [True, False])
def test_only_what_runs_the_approved_image_is_healthy(name: str, lists: bool, session: Session) -> None:
    session.fake.service_deployments = lists
    images, good = CONTAINERS[name]
    found = session.seen(session.release(*images))
    assert (found.state, found.why is None) == ((H, True) if good else (F, False)), found
    if found.why:
        assert found.why.key == "why_other_image"
        assert found.why.values["approved"] == "sha256:" + "a" * 12


@pytest.mark.parametrize(("revision", "tasks"), [(True, False), (False, True)])
@pytest.mark.parametrize(("digest", "state"), [("a", H), ("b", F)])
def test_a_tags_digest_is_asked_for(revision: bool, tasks: bool, digest: str, state: str, session: Session) -> None:
    session.tells(revision=revision, tasks=tasks)
    session.resolve(TAGGED, "sha256:" + digest * 64)
    assert session.seen(session.release(TAGGED)).state is state


def test_a_digest_that_nobody_tells_is_waited_for(session: Session) -> None:
    session.tells(revision=False, tasks=False)
    assert session.seen(session.release(TAGGED)).state is M


def test_another_image_is_noticed_at_the_first_look_not_at_the_end(session: Session) -> None:
    for brought, state in ((OTHER, F), (APPROVED, M)):
        session.fake.next_rollout = replace(session.fake.rollout, seconds=1_000_000)
        assert session.seen(session.release(brought, done=False), first=True).state is state


@pytest.mark.parametrize(("built", "state"), [(TAGGED, H), ("registry:5000/acme/shop:v3", F), ("", H)])
def test_an_image_that_was_built_without_a_digest_is_compared_by_name(
    built: str, state: RolloutState, session: Session
) -> None:
    """Of pipelines of other people's; nothing is known of those that report nothing."""
    assert session.seen(session.release(TAGGED), built=built).state is state


@pytest.mark.parametrize(("recorded", "state"), [(APPROVED, H), (OTHER, F), (TAGGED, H)])
def test_what_is_put_back_is_compared_with_the_ledger(recorded: str, state: str, session: Session) -> None:
    """A task definition with a tag, which has moved since."""
    session.resolve(TAGGED, image.digest(APPROVED))
    back = session.release(TAGGED)
    plan = Plan(previous=Release("v1", "1" * 40, recorded, back))
    assert Ecs(TARGET).restored(Deployment("d-2", plan=plan)).state is state


@pytest.mark.parametrize("stage", ["build", "deploy", "rollback"])
@pytest.mark.parametrize("reported", [APPROVED, OTHER, TAGGED, ""])
def test_a_stage_that_reports_another_image_has_failed(stage: str, reported: str) -> None:
    built = StageResult("build", "succeeded", outputs=Outputs(image=APPROVED))
    of = Deployment("d-2", plan=Plan(previous=Release("v1", image=APPROVED)), build=built)
    found = as_approved(of, stage, StageResult(stage, "succeeded", done=True, outputs=Outputs(image=reported or None)))
    bad = stage != "build" and reported in (OTHER, TAGGED)
    assert found.state == ("failed" if bad else "succeeded")
    assert (found.why.reason.key if found.why else "") == ("why_other_image" if bad else "")
