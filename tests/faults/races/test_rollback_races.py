"""A rollback against a deployment that waits, against its claim, and against another rollback."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.errors import TargetBusy, TargetHeld
from chatops.steps import dispatch
from chatops.store import cancels, stages
from tests.faults.interleave import Scene, every
from tests.faults.races.fakes import Fake, Moment, arn
from tests.unit import stored
from tests.unit.steps import call

WAITING, BACK = "d-waiting", "d-back"


def before(fake: Fake, *, prepared: bool = True) -> str:
    """v2 is live, v3 is about to be deployed, and a rollback has been asked for. The ticket of v3's deploy stage."""
    fake.deploy("d-one", "v1")
    fake.deploy("d-two", "v2")
    fake.plan(WAITING, version="v3")
    fake.plan(BACK, "rollback", "")
    return fake.stage(WAITING, "deploy") if prepared else ""


def beside_a_claim(fake: Fake, kept: Moment, ticket: str) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        took, why = results
        if not why:
            assert isinstance(took, TargetBusy), "a deployment whose deploy stage is claimed is not passed by"
            assert fake.holder() == WAITING
            assert not cancels.get(fake.rows, WAITING)
        else:
            assert took == {"superseded": WAITING}
            assert why in ("the deployment no longer holds its target", "the deployment was cancelled")
            assert fake.holder() == BACK
            assert stored.cancel_of(fake.rows, WAITING).superseded_by == BACK

    return Scene([lambda: fake.take(BACK), lambda: stages.claim(fake.rows, WAITING, "deploy", 9001)], check)


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_exactly_one_of_a_rollback_and_the_claim_that_it_meets_goes_on(fake: Fake, switches: int) -> None:
    ticket = before(fake)
    kept = fake.snapshot()
    every(lambda: beside_a_claim(fake, kept, ticket), switches=switches)


def beside_a_dispatch(fake: Fake, kept: Moment) -> Scene:
    """Its deploy stage is being dispatched. A run that needs no claim deploys as soon as it is."""
    fake.restore(kept)
    event = {"deployment_id": WAITING, "execution_arn": arn(WAITING), "stage": "deploy"}
    state = {"plan": fake.planned(WAITING), "build": {"outputs": {}}}

    def check(results: list[Any]) -> None:
        took, _ = results
        if fake.dispatched:
            assert isinstance(took, TargetBusy | TargetHeld), "nobody goes ahead of a run that deploys"
            assert fake.holder() == WAITING
        else:
            assert took == {"superseded": WAITING}

    return Scene([lambda: fake.take(BACK), lambda: call(dispatch.run, {**event, "state": state})], check)


def without_claims(fake: Fake) -> None:
    path = fake.folder / "targets.yaml"
    path.write_text("targets:\n  dev:\n    claim: false\n    policy: {rollback_approval: false}\n", "utf-8")
    fake.patch.setenv("CHATOPS_TARGETS_FILE", str(path))
    fake.forget_targets()


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_where_runs_need_no_claim_a_rollback_waits_for_one_that_has_been_dispatched(fake: Fake, switches: int) -> None:
    before(fake, prepared=False)
    without_claims(fake)
    kept = fake.snapshot()
    every(lambda: beside_a_dispatch(fake, kept), switches=switches)


def test_where_runs_need_no_claim_a_dead_deployment_keeps_its_target_while_its_run_goes_on(fake: Fake) -> None:
    without_claims(fake)
    fake.plan(WAITING, version="v3")
    fake.stage(WAITING, "deploy")
    fake.end(WAITING)
    fake.running.add(9001)
    fake.named = fake.run(9001)
    fake.sweep()
    assert (fake.ended(WAITING), fake.holder()) == ("Stopped", WAITING)
    assert set(fake.cancelled) == {9001}
    fake.running.clear()
    fake.named = fake.run(9001)
    fake.sweep()
    assert fake.holder() == ""


def two(fake: Fake, kept: Moment) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        won = [name for name, took in zip((BACK, "d-again"), results, strict=True) if took == {"superseded": WAITING}]
        assert won == [fake.holder()], "one has the target"
        assert sorted(type(took) for took in results if not isinstance(took, dict)) == [TargetBusy]

    return Scene([lambda: fake.take(BACK), lambda: fake.take("d-again")], check)


@pytest.mark.parametrize("switches", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_of_two_rollbacks_at_once_one_has_the_target(fake: Fake, switches: int) -> None:
    before(fake)
    fake.plan("d-again", "rollback", "")
    kept = fake.snapshot()
    every(lambda: two(fake, kept), switches=switches)


def test_the_rollback_that_comes_second_is_told_what_runs_by_now(fake: Fake) -> None:
    """Nobody goes back twice by asking twice."""
    for name, version in (("d-one", "v1"), ("d-two", "v2"), ("d-three", "v3")):
        fake.deploy(name, version)
    fake.plan(BACK, "rollback", "")
    fake.plan("d-again", "rollback", "v1")
    fake.take(BACK)
    fake.time.pass_by(1)
    assert fake.succeed(BACK)["end"] == "Restored"
    with pytest.raises(TargetHeld, match="v2"):
        fake.take("d-again")


def test_an_older_run_of_the_same_person_settles_without_touching_the_newer_ones_lock(fake: Fake) -> None:
    fake.plan("d-older", version="v1")
    fake.end("d-older")
    fake.plan("d-newer", version="v2")
    assert fake.holder() == "d-newer"
    assert fake.succeed("d-older")["end"] == "Deployed"
    assert fake.holder() == "d-newer"
