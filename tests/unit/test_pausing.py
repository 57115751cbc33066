"""A rollout that waits for people: what each look at it says, and that ECS goes on exactly where they said so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from chatops.domain.deployment import Deployment
from chatops.domain.outcome import outcome
from chatops.domain.question import Answer
from chatops.domain.reason import Reason
from chatops.edge import cancelling
from chatops.errors import AlreadySettled, DecisionRecorded
from chatops.messages.english import english_text
from chatops.platforms.ecs_service import Service
from chatops.steps import ecs, notify, restore, rollout, settle, sweep
from chatops.store import deployments, locks, questions, waits
from chatops.store.table import Table
from fakes.ecs import Rollout
from fakes.faults import Fault
from tests.unit.conftest import Time
from tests.unit.pause_world import DANA, ID, KIM, LEE, Paused, paused_world

HOUR = 3600


@pytest.fixture
def world(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Iterator[Paused]:
    """A canary that pauses before each step of its traffic, and has just begun."""
    with paused_world(rows, environment, time) as made:
        made.configure()
        made.begin()
        yield made


def test_a_pause_is_a_state_of_its_own_with_its_stage_traffic_and_deadline(world: Paused) -> None:
    began = world.until_paused()
    assert (began["state"], began["done"], began["strategy"], began["traffic"]) == ("paused", False, "CANARY", 0.0)
    assert began["pause"]["id"].startswith("ecs-pause-")
    assert began["pause"]["of"] == world.ecs.service_deployment().arn
    assert (began["pause"]["decision"], began["pause"]["traffic"]) == ("pending", 0.0)
    assert world.question.deadline_at == world.time.at + HOUR, "ours: ECS would wait for a day"


def test_promoted_it_goes_on_to_the_next_pause_which_is_another_one(world: Paused) -> None:
    world.until_paused()
    first = world.mark
    assert world.press("promote", LEE) == "⚠️ Only an operator may promote `d-abc234def567`.", "not asked yet"
    world.ask()
    assert world.press("promote", LEE) == f"You promoted `{ID}`. Its rollout goes on."
    assert world.wakes.answered == ["token"]
    assert world.look()["state"] == "promoted"
    assert world.promote()
    second = world.until_paused()
    assert second["traffic"] == 10.0
    assert world.mark != first
    assert second["last_pause"]["by"] == LEE
    assert "already" in world.press("promote", KIM, f"{ID}/{first}"), "the first one's button is no button of this one"
    assert world.decision == ""
    world.ask()
    world.press("promote", KIM)
    world.look()
    world.promote()
    assert world.look(10)["state"] == "healthy"
    assert world.continued() == 2


def test_nothing_goes_on_before_somebody_has_promoted_it(world: Paused) -> None:
    world.until_paused()
    assert not world.promote()
    world.ask()
    assert not world.promote()
    assert world.continued() == 0


@pytest.mark.parametrize("how", ["cancel", "settle", "lock"])
def test_a_promotion_that_something_overtook_continues_nothing(world: Paused, how: str) -> None:
    world.until_paused()
    world.ask()
    world.press("promote", LEE)
    world.look()
    if how == "cancel":
        cancelling.cancel(ID, DANA)
        assert not world.promote()
        assert world.look()["state"] == "cancelled"
    elif how == "settle":
        deployments.settle(world.rows, deployments.get(world.rows, ID) or {}, {"end": "Stopped"})
        with pytest.raises(AlreadySettled):
            world.promote()
    else:
        locks.free(world.rows, "dev", ID)
        with pytest.raises(AlreadySettled):
            world.promote()
    assert world.continued() == 0


def test_promoting_twice_or_with_the_reply_lost_continues_once(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.press("promote", LEE)
    world.look()
    world.ecs.faults.append(Fault("ContinueServiceDeployment", lose_reply=True, times=1))
    with pytest.raises(Exception, match=r"closed|reset|aborted|Connection"):
        world.promote()
    assert not world.promote()
    assert not world.promote()
    assert world.continued() == 1
    assert world.until_paused()["traffic"] == 10.0


def test_ecs_that_does_not_let_us_is_named_with_the_way_to_do_it_by_hand(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.press("promote", LEE)
    world.look()
    world.ecs.faults.append(Fault("ContinueServiceDeployment", status=400, code="AccessDeniedException"))
    world.promote()
    seen = world.look()
    assert (seen["state"], seen["done"]) == ("failed", True)
    assert re.search(
        r"ecs:ContinueServiceDeployment.*--hook-id ecs-pause-", english_text(Reason.from_json(seen["why"]))
    )


# -- time ----------------------------------------------------------------------------------------------------------


def test_the_time_that_people_take_does_not_count_against_the_rollout(world: Paused) -> None:
    world.until_paused()
    world.ask()
    for _ in range(5):
        assert world.look(600)["state"] == "paused"
    world.press("promote", LEE)
    assert world.look(1)["state"] == "promoted"
    assert world.state["rollout"]["held"] == pytest.approx(3001)
    world.promote()
    assert world.until_paused()["traffic"] == 10.0


@pytest.mark.slow
def test_what_happens_after_the_pause_counts_again(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.press("promote", LEE)
    world.look(1)
    assert world.look(880)["state"] == "promoted"
    late = world.look(20)
    assert (late["state"], late["why"]["key"]) == ("timed_out", "why_rollout_late"), "ECS never went on"


@pytest.mark.slow
def test_the_time_that_the_strategy_takes_on_purpose_does_not_count_either(
    rows: Table, environment: pytest.MonkeyPatch, time: Time
) -> None:
    """Linear, ten steps of six minutes each: 54 minutes, while a rollout may take 15."""
    with paused_world(rows, environment, time) as world:
        world.ecs.configure({"strategy": "LINEAR", "bakeTimeInMinutes": 5})
        world.ecs.next_rollout = Rollout(outcome="stuck")
        world.begin()
        world.look()
        assert world.look((9 * 6 + 5) * 60 + 899)["state"] == "moving"
        late = world.look(2)
        assert (late["state"], late["why"]["values"]["seconds"]) == ("timed_out", 59 * 60 + 900)


@pytest.mark.slow
def test_the_looks_at_a_pause_grow_rarer_but_end_at_the_deadline(world: Paused) -> None:
    """A day's pause stays far below Step Functions' 25,000 events: each look is fewer than twenty."""
    world.until_paused()
    waited, looks = 0, []
    while (fact := world.look())["state"] == "paused":
        looks.append(fact["wait_seconds"])
        waited += fact["wait_seconds"]
        world.time.pass_by(fact["wait_seconds"])
    assert looks[0] == 10
    assert max(looks) == 300
    assert waited == HOUR
    assert len(looks) < 60


# -- deadlines -------------------------------------------------------------------------------------------------------


def test_where_nobody_decides_in_time_it_is_taken_back_and_that_is_no_breakage(world: Paused) -> None:
    world.until_paused()
    world.ask()
    expired = world.look(HOUR)
    assert (expired["state"], expired["done"], expired["why"]) == ("expired", True, {})
    assert world.decision == "expired"
    assert "ended" in world.press("promote", LEE)
    assert world.press("pause_roll_back", LEE).startswith("⚠️")
    world.state["rollback"] = restore.run(world.event())
    assert world.state["rollback"]["how"] == "stop_service_deployment"
    world.time.pass_by(20)
    world.state["restored"] = ecs.run(world.event(mode="restored"))
    assert settle.run(world.event())["end"] == "Restored"


@pytest.mark.parametrize("action", ["ROLLBACK", "CONTINUE"])
def test_at_its_own_deadline_ecs_does_what_its_hook_says_and_is_believed(
    rows: Table, environment: pytest.MonkeyPatch, time: Time, action: str
) -> None:
    with paused_world(rows, environment, time) as world:
        world.configure("BLUE_GREEN", "POST_TEST_TRAFFIC_SHIFT", timeoutInMinutes=10, action=action)
        world.begin()
        fact = world.until_paused()
        world.ask()
        assert world.question.deadline_at == fact["pause"]["expires_at"] == pytest.approx(world.time.at + 600, abs=2)
        fact = world.look(600)
        assert world.decision == "expired"
        assert world.press("promote", LEE, f"{ID}/{world.mark}").startswith("⚠️ Nobody decided")
        if action == "ROLLBACK":
            assert (fact["state"], fact["restoring"], fact["done"]) == ("expired", True, True)
            restored = Deployment.of({"state": {**world.state, "restored": {"state": "healthy"}}})
            assert outcome(restored, None).end == "Restored"
        else:
            assert fact["state"] == "moving"
            assert world.look(10)["state"] == "healthy"
        assert world.continued() == 0, "the bot itself never promotes"


@pytest.mark.slow
def test_a_hook_that_goes_on_by_itself_is_not_taken_back_at_our_deadline(
    rows: Table, environment: pytest.MonkeyPatch, time: Time
) -> None:
    with paused_world(rows, environment, time) as world:
        world.configure("BLUE_GREEN", "POST_SCALE_UP", timeoutInMinutes=120, action="CONTINUE")
        world.begin()
        world.until_paused()
        assert world.look(HOUR + 1)["state"] == "paused"
        assert world.look(HOUR)["state"] == "moving"


@pytest.mark.slow
def test_ecs_that_does_not_take_it_back_at_its_own_deadline_is_helped_a_minute_later(world: Paused) -> None:
    world.until_paused()
    hook = world.ecs.service_deployment().hooks[0]
    world.ecs.change(lambda _: setattr(hook, "expires_at", world.time.at + 60))
    world.look()
    pauses_row = world.rows.get(f"DEPLOYMENT#{ID}", f"PAUSE#{world.mark}") or {}
    world.rows.put({**pauses_row, "deadline_at": hook.expires_at})
    assert world.look(100)["state"] == "paused"
    assert world.look(21)["state"] == "expired"


# -- it ends otherwise -----------------------------------------------------------------------------------------------


def test_continued_in_the_console_it_goes_on_and_a_late_click_is_told(world: Paused) -> None:
    world.until_paused()
    world.ask()
    old = f"{ID}/{world.mark}"
    pause = world.state["rollout"]["pause"]
    Service(rollout.targets()["dev"])._ecs.continue_service_deployment(
        serviceDeploymentArn=pause["of"], hookId=pause["id"]
    )
    fact = world.look()
    assert (fact["state"], fact["last_pause"]["decision"]) == ("moving", "passed")
    for action in ("promote", "pause_roll_back"):
        assert "continued outside this bot" in world.press(action, LEE, old)
    assert world.cancelled_by == ""


@pytest.mark.slow
def test_rolled_back_in_the_console_ecs_is_believed(world: Paused) -> None:
    world.until_paused()
    pause = world.state["rollout"]["pause"]
    Service(rollout.targets()["dev"])._ecs.continue_service_deployment(
        serviceDeploymentArn=pause["of"], hookId=pause["id"], action="ROLLBACK"
    )
    fact = world.look()
    assert (fact["state"], fact["restoring"]) == ("failed", True)


def test_a_roll_back_is_a_cancel_and_never_lost_whatever_the_rollout_does_meanwhile(world: Paused) -> None:
    world.until_paused()
    world.ask()
    pause = world.state["rollout"]["pause"]
    assert "rolled" in world.press("pause_roll_back", LEE)
    assert (world.decision, world.cancelled_by) == ("rolled_back", LEE)
    Service(rollout.targets()["dev"])._ecs.continue_service_deployment(
        serviceDeploymentArn=pause["of"], hookId=pause["id"]
    )
    assert world.look(1)["state"] == "cancelled", "somebody continued it in the console at the same moment"
    assert not world.promote()


def test_a_cancel_by_command_at_a_pause_takes_it_back_and_closes_the_buttons(world: Paused) -> None:
    world.until_paused()
    world.ask()
    assert cancelling.cancel(ID, DANA) == f"Cancelling `{ID}`. Its message says how it ends."
    assert world.press("promote", LEE) == f"⚠️ `{ID}` was cancelled by <@{DANA}>."
    fact = world.look()
    assert (fact["state"], fact["done"]) == ("cancelled", True)


@pytest.mark.slow
def test_what_is_put_back_passes_its_own_pauses_without_anybodys_word(world: Paused) -> None:
    """UpdateService to the recorded task definition is a canary with the same hooks."""
    world.state["rollout"] = {"state": "failed", "done": True}
    world.ecs.update_service(world.before)
    world.state["rollback"] = {"how": "update_service", "task_definition": world.before}
    seen = []
    for _ in range(30):
        world.time.pass_by(1)
        world.state["restored"] = ecs.run(world.event(mode="restored"))
        seen.append(world.state["restored"]["state"])
        if seen[-1] == "paused":
            assert world.promote()
        if seen[-1] == "healthy":
            break
    assert seen[-1] == "healthy"
    assert seen.count("paused") == 2
    assert world.continued() == 2
    assert questions.pauses(world.rows, ID) == []


# -- asking ----------------------------------------------------------------------------------------------------------


def test_it_shows_both_buttons_and_mentions_those_who_may_press_them_once(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.ask()
    assert world.posts.buttons == dict.fromkeys(("promote", "pause_roll_back"), f"{ID}/{world.mark}")
    where = "`POST_TEST_TRAFFIC_SHIFT` (0 % of the traffic)"
    (ping,) = world.posts.thread
    assert ping.startswith(f"<@{LEE}>, <@{KIM}>: `v1.2.3` → *dev* is paused at {where}. Please promote it or roll it")
    assert ping.endswith("; after that it is rolled back.")
    text = str(world.posts.card["blocks"])
    assert f"Paused at {where}. Waiting for <@{LEE}>, <@{KIM}>" in text
    assert "`CANARY` · 0 % of the traffic" in text


@pytest.mark.slow
def test_a_reminder_comes_each_time_that_one_is_due(world: Paused) -> None:
    world.until_paused()
    world.ask()
    for _ in range(3):
        world.look(450)
        world.ask()
        world.ask()
    assert len(world.posts.thread) == 2
    assert "still waits at `POST_TEST_TRAFFIC_SHIFT` (0 % of the traffic)" in world.posts.thread[1]
    assert world.posts.thread[1].endswith("45m 00s left.")


@pytest.mark.slow
def test_it_does_not_wait_for_what_has_been_said_already(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.press("promote", LEE)
    with pytest.raises(DecisionRecorded):
        world.ask()
    world.look()


def test_a_click_between_the_look_and_the_wait_is_not_slept_through(world: Paused) -> None:
    world.until_paused()
    waits.wake(world.rows, ID)
    with pytest.raises(DecisionRecorded):
        world.ask()


def test_a_wake_up_that_was_lost_is_delivered_by_sweep(world: Paused) -> None:
    """The click's function died after its decision and before its wake-up."""
    world.until_paused()
    world.ask()
    questions.record(world.rows, ID, Answer.PROMOTED, LEE, mark=world.mark)
    assert sweep._last_news(ID) == world.time.at
    assert waits.undelivered(world.rows, ID, sweep._last_news(ID)) == "token"


def test_the_message_says_who_promoted_and_how_it_went_on(world: Paused) -> None:
    world.until_paused()
    world.ask()
    world.time.pass_by(60)
    world.press("promote", LEE)
    world.look()
    notify.run(world.event(event="progress"))
    text = str(world.posts.card["blocks"])
    assert f"✅ Promoted at `POST_TEST_TRAFFIC_SHIFT` (0 % of the traffic) by <@{LEE}> after 1m 00s" in text
    assert set(world.posts.buttons) == {"cancel"}
