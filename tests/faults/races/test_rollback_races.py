"""A rollback against a deployment that waits, against its claim, and against another rollback."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import TargetBusy, TargetHeld
from chatops.steps import dispatch
from chatops.store import cancels, stages
from tests.faults.interleave import Scene, every
from tests.faults.races.far import Far, arn

WAITING, BACK = "d-waiting", "d-back"


def before(far: Far, *, prepared: bool = True) -> str:
    """v2 is live, v3 is about to be deployed, and a rollback has been asked for. The ticket of v3's deploy stage."""
    far.deploy("d-one", "v1")
    far.deploy("d-two", "v2")
    far.plan(WAITING, version="v3")
    far.plan(BACK, "rollback", "")
    return far.stage(WAITING, "deploy") if prepared else ""


def beside_a_claim(far: Far, kept: Any, ticket: str) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        took, (token, why) = results
        if token:
            assert isinstance(took, TargetBusy), "a deployment whose deploy stage is claimed is not passed by"
            assert far.holder() == WAITING
            assert not cancels.get(far.rows, WAITING)
        else:
            assert took == {"superseded": WAITING}
            assert why in ("the deployment no longer holds its target", "the deployment was cancelled")
            assert far.holder() == BACK
            assert (cancels.get(far.rows, WAITING) or {})["superseded_by"] == BACK

    return Scene([lambda: far.take(BACK), lambda: stages.claim(far.rows, ticket, 9001, 1)], check)


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_exactly_one_of_a_rollback_and_the_claim_that_it_meets_goes_on(far: Far, switches: int) -> None:
    ticket = before(far)
    kept = far.snapshot()
    every(lambda: beside_a_claim(far, kept, ticket), switches=switches)


def beside_a_dispatch(far: Far, kept: Any) -> Scene:
    """Its deploy stage is being dispatched. A run that needs no claim deploys as soon as it is."""
    far.restore(kept)
    event = {"deployment_id": WAITING, "execution_arn": arn(WAITING), "stage": "deploy"}
    state = {"plan": far.record(WAITING)["plan"], "build": {"outputs": {}}}

    def check(results: list[Any]) -> None:
        took, _ = results
        if far.dispatched:
            assert isinstance(took, TargetBusy | TargetHeld), "nobody goes ahead of a run that deploys"
            assert far.holder() == WAITING
        else:
            assert took == {"superseded": WAITING}

    return Scene([lambda: far.take(BACK), lambda: dispatch.run({**event, "state": state})], check)


def without_claims(far: Far) -> None:
    path = far.folder / "targets.yaml"
    path.write_text("targets:\n  dev:\n    claim: false\n    policy: {rollback_approval: false}\n", "utf-8")
    far.patch.setenv("CHATOPS_TARGETS_FILE", str(path))
    far.forget_targets()


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_where_runs_need_no_claim_a_rollback_waits_for_one_that_has_been_dispatched(far: Far, switches: int) -> None:
    before(far, prepared=False)
    without_claims(far)
    kept = far.snapshot()
    every(lambda: beside_a_dispatch(far, kept), switches=switches)


def test_where_runs_need_no_claim_a_dead_deployment_keeps_its_target_while_its_run_goes_on(far: Far) -> None:
    without_claims(far)
    far.plan(WAITING, version="v3")
    far.stage(WAITING, "deploy")
    far.end(WAITING)
    far.running.add(9001)
    far.named = far.run(9001)
    far.sweep()
    assert (far.ended(WAITING), far.holder()) == ("Stopped", WAITING)
    assert set(far.cancelled) == {9001}
    far.running.clear()
    far.named = far.run(9001)
    far.sweep()
    assert far.holder() == ""


def two(far: Far, kept: Any) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        won = [name for name, took in zip((BACK, "d-again"), results, strict=True) if took == {"superseded": WAITING}]
        assert won == [far.holder()], "one has the target"
        assert sorted(type(took) for took in results if not isinstance(took, dict)) == [TargetBusy]

    return Scene([lambda: far.take(BACK), lambda: far.take("d-again")], check)


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_of_two_rollbacks_at_once_one_has_the_target(far: Far, switches: int) -> None:
    before(far)
    far.plan("d-again", "rollback", "")
    kept = far.snapshot()
    every(lambda: two(far, kept), switches=switches)


def test_the_rollback_that_comes_second_is_told_what_runs_by_now(far: Far) -> None:
    """Nobody goes back twice by asking twice."""
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        far.deploy(name, version)
    far.plan(BACK, "rollback", "")
    far.plan("d-again", "rollback", "v1")
    far.take(BACK)
    far.time.pass_by(1)
    assert far.succeed(BACK)["end"] == "Restored"
    with pytest.raises(TargetHeld, match="v2"):
        far.take("d-again")


def test_an_older_run_of_the_same_person_settles_without_touching_the_newer_ones_lock(far: Far) -> None:
    far.plan("d-older", version="v1")
    far.end("d-older")
    far.plan("d-newer", version="v2")
    assert far.holder() == "d-newer"
    assert far.succeed("d-older")["end"] == "Deployed"
    assert far.holder() == "d-newer"
