"""A step that dies at any call to CodeDeploy is done again, and all of it has the effect of one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops import aws
from fakes.aws_json import AwsError, Place
from fakes.codedeploy import CodeDeploy, Course
from fakes.codedeploy.server import FAILURES, revision_of
from tests.unit.codedeploy_session import STUCK, Door, Session, door

__all__ = ["door"]


@dataclass
class Deaths:
    """The fake drops the connection at these calls, counted from 1: before it has done anything, or after."""

    at: dict[int, str]
    calls: int = 0

    def watch(self, fake: CodeDeploy, patch: pytest.MonkeyPatch) -> None:
        perform = fake.perform

        def dying(operation: str, request: dict[str, Any], place: Place) -> str:
            self.calls += 1
            when = self.at.get(self.calls)
            answer = "" if when == "before" else perform(operation, request, place)
            if when:
                raise AwsError("InternalFailure", "It died.", 503)
            return answer

        patch.setattr(fake, "perform", dying)


def failed(batch: Session) -> None:
    batch.fail()


def under_way(batch: Session) -> None:
    batch.begin(Course(outcome="stuck", stopping=4))
    batch.time.at += 10


def under_way_elsewhere(batch: Session) -> None:
    """CodeDeploy's own rollback would not lead to what is on record."""
    batch.begin_after_a_stranger(Course(outcome="stuck", stopping=4))
    batch.time.at += 10


def unreported(batch: Session) -> None:
    batch.begin(STUCK, reported=False)
    batch.time.at += 10


def rolling_back_by_itself(batch: Session) -> None:
    batch.group.auto_rollback = FAILURES
    failed(batch)


def appspec(batch: Session) -> None:
    batch.group.platform = "ECS"
    batch.first.revision = revision_of(batch.group, "v1")
    failed(batch)


def kept_beside(batch: Session) -> None:
    failed(batch)
    batch.fake.deployer.courses = [Course(waits="TERMINATION_WAIT")]


BEGINNINGS = (failed, under_way, under_way_elsewhere, unreported, rolling_back_by_itself, appspec, kept_beside)


def again(step: Callable[[], Any]) -> Any:
    """As the state machine's Retry does where a service did not answer."""
    for _ in range(6):
        try:
            return step()
        except ClientError as error:
            if not aws.is_transient(error):
                raise
    raise AssertionError("six times")


def put_back(batch: Session) -> None:
    """From Restore Service on, every step retried."""
    again(batch.put_back)
    for _ in range(100):
        fact = again(lambda: batch.look("restored"))
        if fact["done"]:
            assert fact["state"] == "healthy"
            return
        if fact["state"] == "again":
            again(batch.put_back)
        else:
            batch.time.at += 5
    raise AssertionError("it never ends")


def played(door: Door, beginning: Callable[[Session], None], at: dict[int, str]) -> int:
    """With these deaths; the number of calls. One deployment, whoever's, put the recorded revision back."""
    with pytest.MonkeyPatch.context() as patch:
        batch = door.batch(patch)
        beginning(batch)
        there = len(batch.all()) - (beginning is rolling_back_by_itself)
        deaths = Deaths(at)
        deaths.watch(batch.fake, patch)
        put_back(batch)
        made = batch.all()[there:]
        assert [each.status for each in made] == ["Succeeded"], at
        assert made[0].revision == batch.first.revision
        return deaths.calls


EVERY_DAY = (failed, under_way, rolling_back_by_itself)


@pytest.mark.parametrize(
    "beginning", [pytest.param(b, marks=[] if b in EVERY_DAY else [pytest.mark.slow]) for b in BEGINNINGS]
)
def test_once_at_any_call(door: Door, beginning: Callable[[Session], None]) -> None:
    for number in range(1, played(door, beginning, {}) + 1):
        for when in ("before", "after"):
            played(door, beginning, {number: when})


@pytest.mark.slow
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_twice_at_any_two_calls(door: Door, beginning: Callable[[Session], None]) -> None:
    """One in 25 of them, spread over all: one takes as long as any other."""
    calls = itertools.combinations(range(1, played(door, beginning, {}) + 3), 2)
    both = itertools.product(calls, itertools.product(("before", "after"), repeat=2))
    for (first, second), (one, other) in itertools.islice(both, 0, None, 25):
        played(door, beginning, {first: one, second: other})
