"""What a plan was made of must still be true when its deployment has the target."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import CancelRecorded, Refusal, TargetBusy, TargetHeld
from chatops.store import cancels
from tests.faults.interleave import Scene, every, some
from tests.faults.races.far import DANA, Far


def plan_beside_a_settle(far: Far, kept: dict[str, Any]) -> Scene:
    """v2 is about to be live; v3 is asked for."""
    far.restore(kept)

    def check(answers: list[Any]) -> None:
        plan = answers[1]
        assert far.ended("d-two") == "Deployed"
        if plan["verdict"] == "go":
            assert plan["previous"]["version"] == "v2", "v2 live, v3's rollout fails: back to v2, not v1"
            assert plan["live"]["version"] == "v2"
            assert far.holder() == "d-three"
            assert far.record("d-three")["plan"] == plan
        else:
            assert plan["refusal"]["key"] == "busy"
            assert far.holder() == ""

    return Scene([lambda: far.succeed("d-two"), lambda: far.plan("d-three", version="v3")], check)


def before_a_settle(far: Far) -> dict[str, Any]:
    far.deploy("d-one", "v1")
    far.time.pass_by(1)
    far.plan("d-two", version="v2")
    far.time.pass_by(1)
    return far.snapshot()


def test_the_way_back_is_what_is_live_when_the_target_is_taken(far: Far) -> None:
    kept = before_a_settle(far)
    assert every(lambda: plan_beside_a_settle(far, kept), switches=1) > 10


@pytest.mark.slow
def test_the_way_back_is_what_is_live_in_many_orders(far: Far) -> None:
    kept = before_a_settle(far)
    every(lambda: plan_beside_a_settle(far, kept), switches=2)
    some(lambda: plan_beside_a_settle(far, kept), 100, seed=3)


def take_beside_a_settle(far: Far, kept: dict[str, Any]) -> Scene:
    """A rollback of v3 to v1 was asked for; meanwhile v4 becomes live."""
    far.restore(kept)

    def check(answers: list[Any]) -> None:
        settled, took = answers
        assert settled["end"] == "Deployed"
        assert isinstance(took, TargetHeld | TargetBusy), "what is live has changed: ask again"
        if isinstance(took, TargetHeld):
            assert "v4" in str(took)

    return Scene([lambda: far.succeed("d-four"), lambda: far.take("d-back")], check)


def test_a_rollback_does_not_go_back_from_what_was_never_looked_at(far: Far) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        far.deploy(name, version)
    far.time.pass_by(1)
    far.plan("d-back", "rollback", "")
    far.time.pass_by(1)
    far.plan("d-four", version="v4")
    from chatops.store import stages

    assert stages.claim(far.rows, far.stage("d-four", "deploy"), 9001, 1)[0]
    far.time.pass_by(1)
    kept = far.snapshot()
    assert every(lambda: take_beside_a_settle(far, kept), switches=1) > 10


def take_beside_a_cancel(far: Far, kept: dict[str, Any]) -> Scene:
    """Somebody withdraws the rollback at the moment when it begins."""
    far.restore(kept)
    from chatops.edge import cancel

    def check(answers: list[Any]) -> None:
        took, said = answers
        assert isinstance(took, CancelRecorded) == (said == ""), "either in time, or told that it was too late"
        assert bool(cancels.get(far.rows, "d-back")) == (said == "")
        assert far.holder() == ("" if said == "" else "d-back")
        assert said in ("", "cancel_rollback")

    def withdraw() -> str:
        try:
            cancel.withdraw(far.rows, far.record("d-back"), DANA)
        except Refusal as refusal:
            return refusal.reason.key
        return ""

    return Scene([lambda: far.take_in_the_end("d-back"), withdraw], check)


def test_a_rollback_is_cancelled_in_time_or_told_that_it_has_begun(far: Far) -> None:
    for name, version in (("d-one", "v1"), ("d-two", "v2")):
        far.deploy(name, version)
    far.plan("d-back", "rollback", "")
    kept = far.snapshot()
    assert every(lambda: take_beside_a_cancel(far, kept), switches=1) > 10
