"""Sweep comes at any moment: beside a settle, another sweep, a click, a claim, a new deployment."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.question import Answer
from chatops.edge import approval_buttons
from chatops.steps import approval
from chatops.store import messages, questions, stages, wakeups
from tests.faults.interleave import Scene, every, some
from tests.faults.races.far import LEE, Far

pytestmark = pytest.mark.slow

ID = "d-two"


def under_way(far: Far) -> None:
    far.deploy("d-one", "v1")
    far.time.pass_by(1)
    far.plan(ID, version="v2")
    far.time.pass_by(1)


def no_trouble(results: list[Any]) -> None:
    for result in results:
        assert not isinstance(result, Exception), result


def finish(far: Far) -> str:
    """The execution comes to its own end."""
    end = str(far.succeed(ID)["end"])
    far.end(ID, "SUCCEEDED")
    return end


def beside_a_settle(far: Far, kept: Any) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert far.ended(ID) == results[0] == "Deployed"
        assert results[1]["settled"] == [], "what settled itself is told with its own facts, from the outbox"
        assert (far.holder(), far.open()) == ("", [])
        far.sweep()
        assert messages.outbox(far.rows) == []

    return Scene([lambda: finish(far), far.sweep], check)


def test_sweep_beside_an_execution_that_settles(far: Far) -> None:
    under_way(far)
    kept = far.snapshot()
    every(lambda: beside_a_settle(far, kept), switches=1)


def stopped_while_settling(far: Far, kept: Any) -> Scene:
    """Stopped in the console while its last function still runs."""
    far.restore(kept)
    far.end(ID)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        end = far.ended(ID)
        assert end in ("Deployed", "Stopped")
        assert results[0]["end"] == end, "whoever comes second is told what the first one wrote"
        far.sweep()
        assert (far.holder(), far.open(), messages.outbox(far.rows)) == ("", [], [])

    return Scene([lambda: far.succeed(ID), far.sweep], check)


@pytest.mark.slow
def test_sweep_beside_a_settle_of_a_stopped_execution(far: Far) -> None:
    under_way(far)
    kept = far.snapshot()
    every(lambda: stopped_while_settling(far, kept), switches=1)


def two_sweeps(far: Far, kept: Any) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert far.ended(ID) == "Stopped"
        assert (far.holder(), far.open()) == ("", [])
        assert sum(result["freed"] == ["dev"] for result in results) == 1
        assert far.posts, "told"

    return Scene([far.sweep, far.sweep], check)


@pytest.mark.slow
def test_two_sweeps_at_once_settle_and_free_once(far: Far) -> None:
    under_way(far)
    far.end(ID)
    kept = far.snapshot()
    every(lambda: two_sweeps(far, kept), switches=1)


def beside_a_new_one(far: Far, kept: Any) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert far.ended(ID) == "Stopped"
        assert results[1]["verdict"] == "go"
        assert far.holder() == "d-new", "an older one never frees a newer one's lock"
        assert far.open() == ["d-new"]

    return Scene([far.sweep, lambda: far.plan("d-new", version="v3")], check)


@pytest.mark.slow
def test_sweep_beside_the_same_persons_next_deployment(far: Far) -> None:
    under_way(far)
    far.end(ID)
    kept = far.snapshot()
    every(lambda: beside_a_new_one(far, kept), switches=1)


def beside_a_claim(far: Far, kept: Any, ticket: str) -> Scene:
    far.restore(kept)

    def claim() -> bool:
        token, _ = stages.claim(far.rows, ticket, 9001, 1)
        if token:
            far.running.add(9001)
        return bool(token)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert far.ended(ID) == "Stopped"
        if results[1]:
            assert far.holder() == ID, "nobody deploys beside a run that may still deploy"
            far.sweep()
            assert far.holder() == ID
            far.running.clear()
            far.sweep()
        assert far.holder() == ""

    return Scene([far.sweep, claim], check)


def test_a_run_that_claims_at_the_moment_of_the_sweep_keeps_the_target_until_it_has_ended(far: Far) -> None:
    under_way(far)
    ticket = far.stage(ID, "deploy")
    far.end(ID)
    kept = far.snapshot()
    every(lambda: beside_a_claim(far, kept, ticket), switches=1)


def beside_a_click(far: Far, kept: Any, state: dict[str, Any]) -> Scene:
    far.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        asked = questions.get(far.rows, ID)
        assert asked
        assert asked.decision is Answer.APPROVED
        assert "token" in far.states.answered, "woken, once or more"
        assert wakeups.undelivered(far.rows, ID) == ""
        assert approval.run({"deployment_id": ID, "mode": "read", "state": state})["decision"] == "approved"

    return Scene([far.sweep, lambda: approval_buttons.approve(far.rows, ID, LEE, "C0DEPLOY1")], check)


def waiting(far: Far) -> dict[str, Any]:
    far.patch.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    far.forget_targets()
    state = {"plan": far.plan(ID, version="v2")}
    wake = approval.run({"deployment_id": ID, "mode": "read", "state": state})["wake"]
    assert wakeups.park(far.rows, ID, "token", wake)
    return state


def test_sweep_beside_a_click(far: Far) -> None:
    state = waiting(far)
    kept = far.snapshot()
    every(lambda: beside_a_click(far, kept, state), switches=1)


@pytest.mark.slow
def test_sweep_beside_everything_in_orders_by_chance(far: Far) -> None:
    under_way(far)
    ticket = far.stage(ID, "deploy")
    running = far.snapshot()
    far.end(ID)
    ended = far.snapshot()
    some(lambda: beside_a_settle(far, running), 30, seed=1)
    some(lambda: stopped_while_settling(far, running), 30, seed=1)
    some(lambda: two_sweeps(far, ended), 30, seed=1)
    some(lambda: beside_a_new_one(far, ended), 30, seed=1)
    some(lambda: beside_a_claim(far, ended, ticket), 30, seed=1)
    far.empty()
    state = waiting(far)
    kept = far.snapshot()
    some(lambda: beside_a_click(far, kept, state), 30, seed=1)
