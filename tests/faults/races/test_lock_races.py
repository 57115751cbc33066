"""Who holds a target when several want it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatops.store import stages
from tests.faults.interleave import Scene, every, some
from tests.faults.races.fakes import Fake, Moment

SIXTEEN = [f"d-{n:012d}" for n in range(16)]


def all_at_once(fake: Fake) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(16) as crowd:
        return list(crowd.map(lambda name: fake.plan(name, version="v2"), SIXTEEN))


def one_holds(fake: Fake, answers: list[dict[str, Any]], names: list[str], others: int = 0) -> str:
    """Exactly one goes, holds the lock and has an open record; whoever lost is told who has it. The winner."""
    going = [name for name, plan in zip(names, answers, strict=True) if plan["verdict"] == "go"]
    assert len(going) == 1
    (winner,) = going
    assert fake.holder() == winner
    assert winner in fake.open()
    assert len(fake.open()) == 1 + others
    lost = [plan["refusal"] for plan in answers if plan["verdict"] == "refused"]
    assert len(lost) == len(names) - 1
    assert {(refusal["key"], refusal["values"]["id"]) for refusal in lost} == {("busy", winner)}
    assert not [name for name in names if name != winner and fake.record(name)], "who was refused left nothing behind"
    return winner


def test_of_sixteen_deployments_of_one_target_one_goes_and_fifteen_are_told_who(fake: Fake) -> None:
    one_holds(fake, all_at_once(fake), SIXTEEN)


def test_a_holder_that_died_is_replaced_by_exactly_one_of_sixteen(fake: Fake) -> None:
    fake.plan("d-dead", version="v1")
    fake.end("d-dead")
    one_holds(fake, all_at_once(fake), SIXTEEN, others=1)


def test_nobody_replaces_a_holder_whose_execution_runs(fake: Fake) -> None:
    fake.plan("d-alive", version="v1")
    answers = all_at_once(fake)
    assert fake.holder() == "d-alive"
    assert {plan["verdict"] for plan in answers} == {"refused"}


def test_nobody_replaces_a_dead_holder_whose_deploy_run_goes_on(fake: Fake) -> None:
    fake.plan("d-dead", version="v1")
    fake.stage("d-dead", "deploy")
    assert stages.claim(fake.rows, "d-dead", "deploy", 9001) == ""
    fake.end("d-dead")
    fake.running.add(9001)
    assert {plan["verdict"] for plan in all_at_once(fake)} == {"refused"}
    assert fake.holder() == "d-dead"
    fake.running.clear()
    one_holds(fake, all_at_once(fake), SIXTEEN, others=1)


def two_plans(fake: Fake, kept: Moment, others: int = 0) -> Scene:
    fake.restore(kept)
    names = ["d-one", "d-two"]
    return Scene(
        [lambda name=name: fake.plan(name, version="v2") for name in names],  # type: ignore[misc]
        lambda answers: one_holds(fake, answers, names, others),
    )


@pytest.mark.parametrize(("switches", "chance"), [(1, 0), pytest.param(2, 25, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dead", [False, True])
def test_two_deployments_of_one_target_in_many_orders(fake: Fake, dead: bool, switches: int, chance: int) -> None:
    if dead:
        fake.plan("d-dead", version="v1")
        fake.end("d-dead")
    kept = fake.snapshot()
    assert every(lambda: two_plans(fake, kept, int(dead)), switches=switches) > 10
    some(lambda: two_plans(fake, kept, int(dead)), chance, seed=16)
