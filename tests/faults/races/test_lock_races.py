"""Who holds a target when several want it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.interleave import Scene, every, some
from tests.faults.races.far import Far
from tests.unit.stored import stage_of

SIXTEEN = [f"d-{n:012d}" for n in range(16)]


def all_at_once(far: Far) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(16) as crowd:
        return list(crowd.map(lambda name: far.plan(name, version="v2"), SIXTEEN))


def one_holds(far: Far, answers: list[dict[str, Any]], names: list[str], others: int = 0) -> str:
    """Exactly one goes, holds the lock and has an open record; whoever lost is told who has it. The winner."""
    going = [name for name, plan in zip(names, answers, strict=True) if plan["verdict"] == "go"]
    assert len(going) == 1
    (winner,) = going
    assert far.holder() == winner
    assert winner in far.open()
    assert len(far.open()) == 1 + others
    lost = [plan["refusal"] for plan in answers if plan["verdict"] == "refused"]
    assert len(lost) == len(names) - 1
    assert {(refusal["key"], refusal["values"]["id"]) for refusal in lost} == {("busy", winner)}
    assert not [name for name in names if name != winner and far.record(name)], "who was refused left nothing behind"
    return winner


def test_of_sixteen_deployments_of_one_target_one_goes_and_fifteen_are_told_who(far: Far) -> None:
    one_holds(far, all_at_once(far), SIXTEEN)


def test_a_holder_that_died_is_replaced_by_exactly_one_of_sixteen(far: Far) -> None:
    far.plan("d-dead", version="v1")
    far.end("d-dead")
    one_holds(far, all_at_once(far), SIXTEEN, others=1)


def test_nobody_replaces_a_holder_whose_execution_runs(far: Far) -> None:
    far.plan("d-alive", version="v1")
    answers = all_at_once(far)
    assert far.holder() == "d-alive"
    assert {plan["verdict"] for plan in answers} == {"refused"}


def test_nobody_replaces_a_dead_holder_whose_deploy_run_goes_on(far: Far) -> None:
    far.plan("d-dead", version="v1")
    far.stage("d-dead", "deploy")
    from chatops.store import stages

    assert stages.claim(far.rows, str(stage_of(far.rows, "d-dead", "deploy").ticket), 9001, 1)[0]
    far.end("d-dead")
    far.running.add(9001)
    assert {plan["verdict"] for plan in all_at_once(far)} == {"refused"}
    assert far.holder() == "d-dead"
    far.running.clear()
    one_holds(far, all_at_once(far), SIXTEEN, others=1)


def two_plans(far: Far, kept: dict[str, Any], others: int = 0) -> Scene:
    far.restore(kept)
    names = ["d-one", "d-two"]
    return Scene(
        [lambda name=name: far.plan(name, version="v2") for name in names],  # type: ignore[misc]
        lambda answers: one_holds(far, answers, names, others),
    )


def test_two_deployments_of_one_target_in_every_order_of_few_switches(far: Far) -> None:
    kept = far.snapshot()
    assert every(lambda: two_plans(far, kept), switches=1) > 10


@pytest.mark.slow
@pytest.mark.parametrize("dead", [False, True])
def test_two_deployments_of_one_target_in_many_orders(far: Far, dead: bool) -> None:
    if dead:
        far.plan("d-dead", version="v1")
        far.end("d-dead")
    kept = far.snapshot()
    every(lambda: two_plans(far, kept, int(dead)), switches=2)
    some(lambda: two_plans(far, kept, int(dead)), 75, seed=16)
