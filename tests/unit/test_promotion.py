"""A rollout that waits for people: what each look at it says, and that ECS goes on exactly where they said so."""

from __future__ import annotations

import re

import pytest

from chatops.domain.errors import AlreadySettled
from chatops.domain.question import Answer
from chatops.domain.reason import Reason
from chatops.edge import cancel
from chatops.messages.catalogue import say
from chatops.messages.english import english_text
from chatops.platforms.ecs_service import Service
from chatops.steps import ecs, notify, rollout
from chatops.store import locks, overview, questions
from fakes.faults import Fault
from tests.unit import stored
from tests.unit.pause_session import DANA, ID, KIM, LEE, Paused, asked, session
from tests.unit.steps import call

HOUR = 3600

__all__ = ["asked", "session"]


def test_a_pause_is_a_state_of_its_own_with_its_stage_traffic_and_deadline(session: Paused) -> None:
    began = session.until_paused()
    assert (began["state"], began["done"], began["strategy"], began["traffic"]) == ("paused", False, "CANARY", 0.0)
    assert began["pause"]["id"].startswith("ecs-pause-")
    assert began["pause"]["of"] == session.ecs.service_deployment().arn
    assert (began["pause"]["decision"], began["pause"]["traffic"]) == ("pending", 0.0)
    assert session.question.deadline_at == session.time.at + HOUR, "ours: ECS would wait for a day"


def test_promoted_it_goes_on_to_the_next_pause_which_is_another_one(session: Paused) -> None:
    session.until_paused()
    first = session.mark
    assert session.press("promote", LEE) == "⚠️ Only an operator can promote `v1.2.3` → *dev*.", "not asked yet"
    session.ask()
    assert session.press("promote", LEE) == "You promoted `v1.2.3` → *dev*. The rollout goes on."
    assert session.wakes.answered == ["token"]
    assert session.look()["state"] == "promoted"
    assert session.promote()
    second = session.until_paused()
    assert second["traffic"] == 10.0
    assert session.mark != first
    assert second["last_pause"]["by"] == LEE
    assert "already" in session.press("promote", KIM, f"{ID}/{first}"), (
        "the first one's button is no button of this one"
    )
    assert session.decision == ""
    session.ask()
    session.press("promote", KIM)
    session.look()
    session.promote()
    assert session.look(10)["state"] == "healthy"
    assert session.continued() == 2


def test_nothing_goes_on_before_somebody_has_promoted_it(session: Paused) -> None:
    session.until_paused()
    assert not session.promote()
    session.ask()
    assert not session.promote()
    assert session.continued() == 0


@pytest.mark.parametrize("how", ["cancel", "settle", "lock"])
def test_a_promotion_that_something_overtook_continues_nothing(asked: Paused, how: str) -> None:
    asked.press("promote", LEE)
    asked.look()
    if how == "cancel":
        cancel.cancel(ID, DANA)
        assert not asked.promote()
        assert asked.look()["state"] == "cancelled"
    elif how == "settle":
        stored.settle(asked.rows, ID, "Stopped")
        with pytest.raises(AlreadySettled):
            asked.promote()
    else:
        locks.free(asked.rows, "dev", ID)
        with pytest.raises(AlreadySettled):
            asked.promote()
    assert asked.continued() == 0


def test_promoting_twice_or_with_the_reply_lost_continues_once(asked: Paused) -> None:
    asked.press("promote", LEE)
    asked.look()
    asked.ecs.faults.append(Fault("ContinueServiceDeployment", lose_reply=True, times=1))
    with pytest.raises(Exception, match=r"closed|reset|aborted|Connection"):
        asked.promote()
    assert not asked.promote()
    assert not asked.promote()
    assert asked.continued() == 1
    assert asked.until_paused()["traffic"] == 10.0


def test_ecs_that_does_not_let_us_is_named_with_the_way_to_do_it_by_hand(asked: Paused) -> None:
    asked.press("promote", LEE)
    asked.look()
    asked.ecs.faults.append(Fault("ContinueServiceDeployment", status=400, code="AccessDeniedException"))
    asked.promote()
    seen = asked.look()
    assert (seen["state"], seen["done"]) == ("failed", True)
    assert re.search(
        r"ecs:ContinueServiceDeployment.*--hook-id ecs-pause-", english_text(Reason.from_json(seen["why"]))
    )


# -- it ends otherwise -----------------------------------------------------------------------------------------------


def test_continued_in_the_console_it_goes_on_and_a_late_click_is_told(asked: Paused) -> None:
    old = f"{ID}/{asked.mark}"
    asked.by_hand("CONTINUE")
    fact = asked.look()
    assert (fact["state"], fact["last_pause"]["decision"]) == ("moving", "passed")
    for action in ("promote", "pause_roll_back"):
        assert "continued outside this bot" in asked.press(action, LEE, old)
    assert asked.cancelled_by == ""


@pytest.mark.slow
def test_rolled_back_in_the_console_ecs_is_believed(session: Paused) -> None:
    session.until_paused()
    session.by_hand("ROLLBACK")
    fact = session.look()
    assert (fact["state"], fact["restoring"]) == ("failed", True)


def test_a_roll_back_is_a_cancel_and_never_lost_whatever_the_rollout_does_meanwhile(asked: Paused) -> None:
    pause = asked.state["rollout"]["pause"]
    assert "Rolling `v1.2.3` → *dev* back" in asked.press("pause_roll_back", LEE)
    assert (asked.decision, asked.cancelled_by) == ("rolled_back", LEE)
    Service(rollout.targets()["dev"])._ecs.continue_service_deployment(
        serviceDeploymentArn=pause["of"], hookId=pause["id"]
    )
    assert asked.look(1)["state"] == "cancelled", "somebody continued it in the console at the same moment"
    assert not asked.promote()


def test_a_cancel_by_command_at_a_pause_takes_it_back_and_closes_the_buttons(asked: Paused) -> None:
    assert cancel.cancel(ID, DANA) == say("cancel_recorded", version="v1.2.3", target="dev")
    assert asked.press("promote", LEE) == f"⚠️ <@{DANA}> cancelled `v1.2.3` → *dev*."
    fact = asked.look()
    assert (fact["state"], fact["done"]) == ("cancelled", True)


@pytest.mark.slow
def test_what_is_put_back_passes_its_own_pauses_without_anybodys_word(session: Paused) -> None:
    """UpdateService to the recorded task definition is a canary with the same hooks."""
    session.state["rollout"] = {"state": "failed", "done": True}
    session.ecs.update_service(session.before)
    session.state["rollback"] = {"how": "update_service", "task_definition": session.before}
    seen = []
    for _ in range(30):
        session.time.pass_by(1)
        session.state["restored"] = call(ecs.run, session.event(mode="restored"))
        seen.append(session.state["restored"]["state"])
        if seen[-1] == "paused":
            assert session.promote()
        if seen[-1] == "healthy":
            break
    assert seen[-1] == "healthy"
    assert seen.count("paused") == 2
    assert session.continued() == 2
    assert questions.pauses(session.rows, ID) == []


# -- asking ----------------------------------------------------------------------------------------------------------


def test_the_message_shows_both_buttons_where_it_waits_and_for_whom(asked: Paused) -> None:
    asked.ask()
    assert asked.posts.buttons == dict.fromkeys(("promote", "pause_roll_back"), f"{ID}/{asked.mark}")
    text = str(asked.posts.card["blocks"])
    assert f"Paused before production traffic (0%). <@{LEE}> or <@{KIM}>: *Promote* or *Roll back*." in text
    assert "Without a decision it rolls back by itself: <!date^" in text
    assert "*Strategy*\\nCanary" in text


def test_a_wake_up_that_was_lost_is_delivered_by_sweep(asked: Paused) -> None:
    """The click's function died after its decision and before its wake-up."""
    questions.record(asked.rows, ID, Answer.PROMOTED, LEE, mark=asked.mark)
    assert overview.of(asked.rows, ID).token == "token"


def test_the_message_says_who_promoted_and_how_it_went_on(asked: Paused) -> None:
    asked.time.pass_by(60)
    asked.press("promote", LEE)
    asked.look()
    call(notify.run, asked.event(event="progress"))
    text = str(asked.posts.card["blocks"])
    assert f"✅ Promoted before production traffic (0%) by <@{LEE}> after 1m" in text
    assert set(asked.posts.buttons) == {"cancel"}
