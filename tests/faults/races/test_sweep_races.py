"""Sweep comes at any moment: beside a settle, another sweep, a click, a claim, a new deployment."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain.question import Answer
from chatops.edge import question_buttons
from chatops.edge.replies import Addressee
from chatops.steps import approval
from chatops.store import outbox, questions, stages, wakeups
from tests.faults.interleave import Scene, every, some
from tests.faults.races.fakes import LEE, Fake
from tests.unit.steps import call

pytestmark = pytest.mark.slow

ID = "d-two"


def under_way(fake: Fake) -> None:
    fake.deploy("d-one", "v1")
    fake.time.pass_by(1)
    fake.plan(ID, version="v2")
    fake.time.pass_by(1)


def no_trouble(results: list[Any]) -> None:
    for result in results:
        assert not isinstance(result, Exception), result


def finish(fake: Fake) -> str:
    """The execution comes to its own end."""
    end = str(fake.succeed(ID)["end"])
    fake.end(ID, "SUCCEEDED")
    return end


def beside_a_settle(fake: Fake, kept: Any) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == results[0] == "Deployed"
        assert results[1]["settled"] == [], "what settled itself is told with its own facts, from the outbox"
        assert (fake.holder(), fake.open()) == ("", [])
        fake.sweep()
        assert outbox.waiting(fake.rows) == []

    return Scene([lambda: finish(fake), fake.sweep], check)


def test_sweep_beside_an_execution_that_settles(fake: Fake) -> None:
    under_way(fake)
    kept = fake.snapshot()
    every(lambda: beside_a_settle(fake, kept), switches=1)


def stopped_while_settling(fake: Fake, kept: Any) -> Scene:
    """Stopped in the console while its last function still runs."""
    fake.restore(kept)
    fake.end(ID)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        end = fake.ended(ID)
        assert end in ("Deployed", "Stopped")
        assert results[0]["end"] == end, "whoever comes second is told what the first one wrote"
        fake.sweep()
        assert (fake.holder(), fake.open(), outbox.waiting(fake.rows)) == ("", [], [])

    return Scene([lambda: fake.succeed(ID), fake.sweep], check)


@pytest.mark.slow
def test_sweep_beside_a_settle_of_a_stopped_execution(fake: Fake) -> None:
    under_way(fake)
    kept = fake.snapshot()
    every(lambda: stopped_while_settling(fake, kept), switches=1)


def two_sweeps(fake: Fake, kept: Any) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == "Stopped"
        assert (fake.holder(), fake.open()) == ("", [])
        assert sum(result["freed"] == ["dev"] for result in results) == 1
        assert fake.posts, "told"

    return Scene([fake.sweep, fake.sweep], check)


@pytest.mark.slow
def test_two_sweeps_at_once_settle_and_free_once(fake: Fake) -> None:
    under_way(fake)
    fake.end(ID)
    kept = fake.snapshot()
    every(lambda: two_sweeps(fake, kept), switches=1)


def beside_a_new_one(fake: Fake, kept: Any) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == "Stopped"
        assert results[1]["verdict"] == "go"
        assert fake.holder() == "d-new", "an older one never frees a newer one's lock"
        assert fake.open() == ["d-new"]

    return Scene([fake.sweep, lambda: fake.plan("d-new", version="v3")], check)


@pytest.mark.slow
def test_sweep_beside_the_same_persons_next_deployment(fake: Fake) -> None:
    under_way(fake)
    fake.end(ID)
    kept = fake.snapshot()
    every(lambda: beside_a_new_one(fake, kept), switches=1)


def beside_a_claim(fake: Fake, kept: Any, ticket: str) -> Scene:
    fake.restore(kept)

    def claim() -> bool:
        claimed = stages.claim(fake.rows, ID, "deploy", 9001) == ""
        if claimed:
            fake.running.add(9001)
        return claimed

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == "Stopped"
        if results[1]:
            assert fake.holder() == ID, "nobody deploys beside a run that may still deploy"
            fake.sweep()
            assert fake.holder() == ID
            fake.running.clear()
            fake.sweep()
        assert fake.holder() == ""

    return Scene([fake.sweep, claim], check)


def test_a_run_that_claims_at_the_moment_of_the_sweep_keeps_the_target_until_it_has_ended(fake: Fake) -> None:
    under_way(fake)
    ticket = fake.stage(ID, "deploy")
    fake.end(ID)
    kept = fake.snapshot()
    every(lambda: beside_a_claim(fake, kept, ticket), switches=1)


def beside_a_click(fake: Fake, kept: Any, state: dict[str, Any]) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        asked = questions.get(fake.rows, ID)
        assert asked
        assert asked.decision is Answer.APPROVED
        assert "token" in fake.states.answered, "woken, once or more"
        assert wakeups.undelivered(fake.rows, ID) == ""
        assert call(approval.run, {"deployment_id": ID, "mode": "read", "state": state})["decision"] == "approved"

    return Scene([fake.sweep, lambda: question_buttons.approve(fake.rows, ID, Addressee(LEE, "C0DEPLOY1"), "")], check)


def waiting(fake: Fake) -> dict[str, Any]:
    fake.patch.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    fake.forget_targets()
    state = {"plan": fake.plan(ID, version="v2")}
    wake = call(approval.run, {"deployment_id": ID, "mode": "read", "state": state})["wake"]
    assert wakeups.park(fake.rows, ID, "token", wake)
    return state


def test_sweep_beside_a_click(fake: Fake) -> None:
    state = waiting(fake)
    kept = fake.snapshot()
    every(lambda: beside_a_click(fake, kept, state), switches=1)


@pytest.mark.slow
def test_sweep_beside_everything_in_orders_by_chance(fake: Fake) -> None:
    under_way(fake)
    ticket = fake.stage(ID, "deploy")
    running = fake.snapshot()
    fake.end(ID)
    ended = fake.snapshot()
    some(lambda: beside_a_settle(fake, running), 10, seed=1)
    some(lambda: stopped_while_settling(fake, running), 10, seed=1)
    some(lambda: two_sweeps(fake, ended), 10, seed=1)
    some(lambda: beside_a_new_one(fake, ended), 10, seed=1)
    some(lambda: beside_a_claim(fake, ended, ticket), 10, seed=1)
    fake.empty()
    state = waiting(fake)
    kept = fake.snapshot()
    some(lambda: beside_a_click(fake, kept, state), 10, seed=1)
