"""What a plan was made of must still be true when its deployment has the target."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import CancelRecorded, Refusal, TargetBusy, TargetHeld
from chatops.edge import cancel
from chatops.store import cancels, stages
from tests.faults.interleave import Scene, every, some
from tests.faults.races.fakes import DANA, Fake, Moment
from tests.unit import stored


def plan_beside_a_settle(fake: Fake, kept: Moment) -> Scene:
    """v2 is about to be live; v3 is asked for."""
    fake.restore(kept)

    def check(answers: list[Any]) -> None:
        plan = answers[1]
        assert fake.ended("d-two") == "Deployed"
        if plan["verdict"] == "go":
            assert plan["previous"]["version"] == "v2", "v2 live, v3's rollout fails: back to v2, not v1"
            assert plan["live"]["version"] == "v2"
            assert fake.holder() == "d-three"
            assert fake.planned("d-three") == plan
        else:
            assert plan["refusal"]["key"] == "busy"
            assert fake.holder() == ""

    return Scene([lambda: fake.succeed("d-two"), lambda: fake.plan("d-three", version="v3")], check)


@pytest.mark.parametrize(("switches", "chance"), [(1, 0), pytest.param(2, 30, marks=pytest.mark.slow)])
def test_the_way_back_is_what_is_live_when_the_target_is_taken(fake: Fake, switches: int, chance: int) -> None:
    fake.deploy("d-one", "v1")
    fake.time.pass_by(1)
    fake.plan("d-two", version="v2")
    fake.time.pass_by(1)
    kept = fake.snapshot()
    assert every(lambda: plan_beside_a_settle(fake, kept), switches=switches) > 10
    some(lambda: plan_beside_a_settle(fake, kept), chance, seed=3)


def take_beside_a_settle(fake: Fake, kept: Moment) -> Scene:
    """A rollback of v3 to v1 was asked for; meanwhile v4 becomes live."""
    fake.restore(kept)

    def check(answers: list[Any]) -> None:
        settled, took = answers
        assert settled["end"] == "Deployed"
        assert isinstance(took, TargetHeld | TargetBusy), "what is live has changed: ask again"
        if isinstance(took, TargetHeld):
            assert "v4" in str(took)

    return Scene([lambda: fake.succeed("d-four"), lambda: fake.take("d-back")], check)


def test_a_rollback_does_not_go_back_from_what_was_never_looked_at(fake: Fake) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        fake.deploy(name, version)
    fake.time.pass_by(1)
    fake.plan("d-back", "rollback", "")
    fake.time.pass_by(1)
    fake.plan("d-four", version="v4")
    fake.stage("d-four", "deploy")
    assert stages.claim(fake.rows, "d-four", "deploy", 9001) == ""
    fake.time.pass_by(1)
    kept = fake.snapshot()
    assert every(lambda: take_beside_a_settle(fake, kept), switches=1) > 10


def take_beside_a_cancel(fake: Fake, kept: Moment) -> Scene:
    """Somebody withdraws the rollback at the moment when it begins."""
    fake.restore(kept)

    def check(answers: list[Any]) -> None:
        took, said = answers
        assert isinstance(took, CancelRecorded) == (said == ""), "either in time, or told that it was too late"
        assert bool(cancels.get(fake.rows, "d-back")) == (said == "")
        assert fake.holder() == ("" if said == "" else "d-back")
        assert said in ("", "cancel_rollback")

    def withdraw() -> str:
        try:
            cancel.withdraw(fake.rows, stored.record_of(fake.rows, "d-back"), DANA)
        except Refusal as refusal:
            return refusal.reason.key
        return ""

    return Scene([lambda: fake.take_in_the_end("d-back"), withdraw], check)


def test_a_rollback_is_cancelled_in_time_or_told_that_it_has_begun(fake: Fake) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2")):
        fake.deploy(name, version)
    fake.plan("d-back", "rollback", "")
    kept = fake.snapshot()
    assert every(lambda: take_beside_a_cancel(fake, kept), switches=1) > 10
