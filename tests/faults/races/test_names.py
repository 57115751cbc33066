"""Names of executions come again after 90 days, young executions are not shown at once, and what is recorded stands."""

from __future__ import annotations

from typing import Any

import pytest

from chatops import clock
from chatops.domain.errors import UnknownSchema
from chatops.edge import cancel
from chatops.messages.catalogue import say
from chatops.steps import plan, settle, sweep, target_lock
from chatops.store import deployments, releases, stages, wakeups
from tests.faults.races.fakes import DANA, Fake, arn
from tests.unit.steps import call

QUARTER = 91 * 86_400


def event(fake: Fake, name: str, **more: Any) -> dict[str, Any]:
    """Of the execution that begins now."""
    entered = clock.iso(fake.time.at).replace(".000Z", ".123Z")
    asked = {"command": "deploy", "target": "dev", "version": "v1", "requester": {"id": DANA}}
    return {"deployment_id": name, "execution_arn": arn(name), "entered_at": entered, "request": asked, **more}


@pytest.mark.parametrize("ended", [True, False])
def test_a_name_that_comes_again_replays_nothing(ended: bool, fake: Fake) -> None:
    fake.deploy("d-live", "v2")
    fake.time.pass_by(1)
    assert fake.plan("d-old")["verdict"] == "go"
    if ended:
        fake.succeed("d-old")
    fake.time.pass_by(QUARTER)
    before = fake.snapshot().items
    made = call(plan.run, event(fake, "d-old"))
    assert (made["verdict"], made["refusal"]["key"]) == ("refused", "name_used")
    state = {"Error": "States.Timeout", "Cause": ""}
    settled = call(settle.run, event(fake, "d-old", state=state))
    assert settled["end"] == "Refused", "although that one was deployed"
    assert fake.snapshot().items == before


def test_the_execution_of_the_record_gets_its_plan_again(fake: Fake) -> None:
    """A step may run twice; the clocks of two services differ a little."""
    first = call(plan.run, event(fake, "d-one"))
    for seconds in (0, 59, 120):
        assert call(plan.run, {**event(fake, "d-one"), "entered_at": clock.iso(fake.time.at + seconds)}) == first


def test_what_was_settled_is_planned_by_nobody_again(fake: Fake) -> None:
    fake.deploy("d-one", "v1")
    assert call(plan.run, event(fake, "d-one"))["refusal"]["key"] == "name_used"


@pytest.fixture
def unseen(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Step Functions does not show any execution."""

    def describe(**_: str) -> None:
        raise fake.states.exceptions.ExecutionDoesNotExist({"Error": {"Code": "ExecutionDoesNotExist"}}, "x")

    monkeypatch.setattr(fake.states, "describe_execution", describe)
    return fake


def test_an_execution_that_is_not_shown_yet_keeps_its_target(unseen: Fake) -> None:
    unseen.plan("d-young")
    unseen.time.pass_by(target_lock.YOUNG - 1)
    call(sweep.run, {})
    assert (unseen.ended("d-young"), unseen.holder()) == ("", "d-young")
    assert unseen.plan("d-other")["refusal"]["key"] == "busy", "nobody takes it over either"
    unseen.time.pass_by(2)
    call(sweep.run, {})
    assert unseen.ended("d-young") == "Stopped"


TROUBLE = (RuntimeError("x"), UnknownSchema("row", "2", "1"), OSError("reset"), KeyError("state"))


@pytest.mark.parametrize("error", TROUBLE)
@pytest.mark.parametrize("where", [(stages, "revoke"), (wakeups, "deliver")])
def test_a_cancel_that_is_recorded_is_told_as_that(
    error: Exception, where: tuple[Any, str], fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.plan("d-one")
    wakeups.park(fake.rows, "d-one", "token", 0)

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(*where, broken)
    assert cancel.cancel("d-one", DANA) == say("cancel_recorded", version="v1", target="dev")
    assert wakeups.counter(fake.rows, "d-one") == 1, "sweep delivers it"
    assert fake.states.answered == (["token"] if where[1] == "revoke" else []), "woken all the same"


def test_the_ledger_is_what_it_was(fake: Fake) -> None:
    """Beside a name that comes again."""
    fake.deploy("d-one", "v1")
    fake.time.pass_by(QUARTER)
    call(plan.run, event(fake, "d-one"))
    assert [each.deployment_id for each in releases.newest_first(fake.rows, "dev")] == ["d-one"]
    assert deployments.unsettled(fake.rows) == []
