"""Sweep comes at any moment: beside a settle, another sweep, a click, a claim, a new deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain.question import Answer
from chatops.edge import question_buttons
from chatops.edge.replies import Addressee
from chatops.steps import approval
from chatops.store import outbox, questions, stages, wakeups
from tests.faults.interleave import Scene, every, some
from tests.faults.races.fakes import LEE, Fake, Moment
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


def beside_a_settle(fake: Fake, kept: Moment) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == results[0] == "Deployed"
        assert results[1]["settled"] == [], "what settled itself is told with its own facts, from the outbox"
        assert (fake.holder(), fake.open()) == ("", [])
        fake.sweep()
        assert outbox.waiting(fake.rows) == []

    return Scene([lambda: finish(fake), fake.sweep], check)


def stopped_while_settling(fake: Fake, kept: Moment) -> Scene:
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


def two_sweeps(fake: Fake, kept: Moment) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == "Stopped"
        assert (fake.holder(), fake.open()) == ("", [])
        assert sum(result["freed"] == ["dev"] for result in results) == 1
        assert fake.posts, "told"

    return Scene([fake.sweep, fake.sweep], check)


def beside_a_new_one(fake: Fake, kept: Moment) -> Scene:
    fake.restore(kept)

    def check(results: list[Any]) -> None:
        no_trouble(results)
        assert fake.ended(ID) == "Stopped"
        assert results[1]["verdict"] == "go"
        assert fake.holder() == "d-new", "an older one never frees a newer one's lock"
        assert fake.open() == ["d-new"]

    return Scene([fake.sweep, lambda: fake.plan("d-new", version="v3")], check)


def beside_a_claim(fake: Fake, kept: Moment) -> Scene:
    """The run keeps the target until it has ended."""
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


def beside_a_click(fake: Fake, kept: Moment) -> Scene:
    fake.restore(kept)
    state = {"plan": fake.planned(ID)}

    def check(results: list[Any]) -> None:
        no_trouble(results)
        asked = questions.get(fake.rows, ID)
        assert asked
        assert asked.decision is Answer.APPROVED
        assert "token" in fake.states.answered, "woken, once or more"
        assert wakeups.undelivered(fake.rows, ID) == ""
        assert call(approval.run, {"deployment_id": ID, "mode": "read", "state": state})["decision"] == "approved"

    return Scene([fake.sweep, lambda: question_buttons.approve(fake.rows, ID, Addressee(LEE, "C0DEPLOY1"), "")], check)


def ended(fake: Fake) -> None:
    under_way(fake)
    fake.end(ID)


def dispatched(fake: Fake) -> None:
    under_way(fake)
    fake.stage(ID, "deploy")
    fake.end(ID)


def waiting(fake: Fake) -> None:
    fake.patch.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    fake.forget_targets()
    state = {"plan": fake.plan(ID, version="v2")}
    wake = call(approval.run, {"deployment_id": ID, "mode": "read", "state": state})["wake"]
    assert wakeups.park(fake.rows, ID, "token", wake)


@pytest.mark.parametrize(
    ("before", "scene"),
    [
        (under_way, beside_a_settle),
        (under_way, stopped_while_settling),
        (ended, two_sweeps),
        (ended, beside_a_new_one),
        (dispatched, beside_a_claim),
        (waiting, beside_a_click),
    ],
    ids=lambda it: it.__name__,
)
def test_sweep_comes_at_any_moment(
    fake: Fake, before: Callable[[Fake], None], scene: Callable[[Fake, Moment], Scene]
) -> None:
    before(fake)
    kept = fake.snapshot()
    every(lambda: scene(fake, kept), switches=1)
    some(lambda: scene(fake, kept), 10, seed=1)
