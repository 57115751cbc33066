"""Time at a pause: what counts against the rollout, how often it is observed, and what happens at its deadline."""

from __future__ import annotations

import pytest

from chatops.domain.deployment import Deployment
from chatops.domain.outcome import outcome
from chatops.steps import ecs, restore, settle
from chatops.store.table import Table
from fakes.ecs import Rollout
from tests.unit.conftest import Time
from tests.unit.pause_session import ID, LEE, Paused, asked, paused_world, session
from tests.unit.steps import call

HOUR = 3600

__all__ = ["asked", "session"]


def test_the_time_that_people_take_does_not_count_against_the_rollout(asked: Paused) -> None:
    for _ in range(5):
        assert asked.look(600)["state"] == "paused"
    asked.press("promote", LEE)
    assert asked.look(1)["state"] == "promoted"
    assert asked.state["rollout"]["held"] == pytest.approx(3001)
    asked.promote()
    assert asked.until_paused()["traffic"] == 10.0


@pytest.mark.slow
def test_what_happens_after_the_pause_counts_again(asked: Paused) -> None:
    asked.press("promote", LEE)
    asked.look(1)
    assert asked.look(880)["state"] == "promoted"
    late = asked.look(20)
    assert (late["state"], late["why"]["key"]) == ("timed_out", "why_rollout_late"), "ECS never went on"


@pytest.mark.slow
def test_the_time_that_the_strategy_takes_on_purpose_does_not_count_either(
    rows: Table, environment: pytest.MonkeyPatch, time: Time
) -> None:
    """Linear, ten steps of six minutes each: 54 minutes, while a rollout may take 15."""
    with paused_world(rows, environment, time) as session:
        session.ecs.configure({"strategy": "LINEAR", "bakeTimeInMinutes": 5})
        session.ecs.next_rollout = Rollout(outcome="stuck")
        session.begin()
        session.look()
        assert session.look((9 * 6 + 5) * 60 + 899)["state"] == "moving"
        late = session.look(2)
        assert (late["state"], late["why"]["values"]["seconds"]) == ("timed_out", 59 * 60 + 900)


@pytest.mark.slow
def test_the_looks_at_a_pause_grow_rarer_but_end_at_the_deadline(session: Paused) -> None:
    """A day's pause stays far below Step Functions' 25,000 events: each look is fewer than twenty."""
    session.until_paused()
    waited, looks = 0, []
    while (fact := session.look())["state"] == "paused":
        looks.append(fact["wait_seconds"])
        waited += fact["wait_seconds"]
        session.time.pass_by(fact["wait_seconds"])
    assert looks[0] == 20
    assert max(looks) == 300
    assert waited == HOUR
    assert len(looks) < 60


# -- deadlines -------------------------------------------------------------------------------------------------------


def test_where_nobody_decides_in_time_it_is_taken_back_and_that_is_no_breakage(asked: Paused) -> None:
    expired = asked.look(HOUR)
    assert (expired["state"], expired["done"], expired["why"]) == ("expired", True, {})
    assert asked.decision == "expired"
    assert "ended" in asked.press("promote", LEE)
    assert asked.press("pause_roll_back", LEE).startswith("⚠️")
    asked.state["rollback"] = call(restore.run, asked.event())
    assert asked.state["rollback"]["how"] == "stop_service_deployment"
    asked.time.pass_by(20)
    asked.state["restored"] = call(ecs.run, asked.event(mode="restored"))
    assert call(settle.run, asked.event())["end"] == "Restored"


@pytest.mark.parametrize("action", ["ROLLBACK", "CONTINUE"])
def test_at_its_own_deadline_ecs_does_what_its_hook_says_and_is_believed(
    rows: Table, environment: pytest.MonkeyPatch, time: Time, action: str
) -> None:
    with paused_world(rows, environment, time) as session:
        session.configure("BLUE_GREEN", "POST_TEST_TRAFFIC_SHIFT", timeoutInMinutes=10, action=action)
        session.begin()
        fact = session.until_paused()
        session.ask()
        assert (
            session.question.deadline_at == fact["pause"]["expires_at"] == pytest.approx(session.time.at + 600, abs=2)
        )
        fact = session.look(600)
        assert session.decision == "expired"
        assert session.press("promote", LEE, f"{ID}/{session.mark}").startswith("⚠️ Nobody decided")
        if action == "ROLLBACK":
            assert (fact["state"], fact["restoring"], fact["done"]) == ("expired", True, True)
            restored = Deployment.of({"state": {**session.state, "restored": {"state": "healthy"}}})
            assert outcome(restored, None).end == "Restored"
        else:
            assert fact["state"] == "moving"
            assert session.look(10)["state"] == "healthy"
        assert session.continued() == 0, "the bot itself never promotes"


@pytest.mark.slow
def test_a_hook_that_goes_on_by_itself_is_not_taken_back_at_our_deadline(
    rows: Table, environment: pytest.MonkeyPatch, time: Time
) -> None:
    with paused_world(rows, environment, time) as session:
        session.configure("BLUE_GREEN", "POST_SCALE_UP", timeoutInMinutes=120, action="CONTINUE")
        session.begin()
        session.until_paused()
        assert session.look(HOUR + 1)["state"] == "paused"
        assert session.look(HOUR)["state"] == "moving"


@pytest.mark.slow
def test_ecs_that_does_not_take_it_back_at_its_own_deadline_is_helped_a_minute_later(session: Paused) -> None:
    session.until_paused()
    hook = session.ecs.service_deployment().hooks[0]
    session.ecs.change(lambda _: setattr(hook, "expires_at", session.time.at + 60))
    session.look()
    pauses_row = session.rows.get(f"DEPLOYMENT#{ID}", f"PAUSE#{session.mark}") or {}
    session.rows.put({**pauses_row, "deadline_at": hook.expires_at})
    assert session.look(100)["state"] == "paused"
    assert session.look(21)["state"] == "expired"
