"""What the card and the thread show of a deployment's progress, and how often."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from chatops import clock
from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.errors import SlackRefused, SlackUnavailable
from chatops.domain.question import Answer
from chatops.domain.results import StageResult
from chatops.messages import card
from chatops.messages.details import reply
from chatops.slack import client as slack
from chatops.slack import posting
from chatops.steps import approval, ecs, notify, poll
from chatops.store import messages, questions
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.made_up_platform import MOVING, MadeUp
from tests.unit.steps import call
from tests.unit.views import BUILT, ENDS, PENDING, PHASES, PLAN, RUNNING, UP, seen

ID = "d-abc234def567"
LEE, KIM = "U0LEE0001", "U0KIM0001"
TIMING = {"approval": 3600, "reminder": 900}
ASKED = {**PLAN, "timing": TIMING, "approval": {**PLAN["approval"], "quorum": 2}}


class Posts:
    """Slack as far as posting goes."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.calls.append((method, arguments))
        return {"ok": True, "channel": "C0DEPLOY1", "ts": f"1.{len(self.calls)}"}

    @property
    def thread(self) -> list[str]:
        return [a["text"] for _, a in self.calls if a.get("thread_ts")]


@pytest.fixture
def posts(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Posts:
    spy = Posts()
    environment.setattr(slack, "call", spy.call)
    return spy


def look() -> dict[str, Any]:
    return call(approval.run, {"deployment_id": ID, "execution_arn": "a", "mode": "read", "state": {"plan": ASKED}})


def test_a_long_list_is_mentioned_by_its_groups() -> None:
    many = [f"U0MANY{n:03d}" for n in range(11)]
    state = {
        **PHASES["approval"],
        "plan": {**PLAN, "approval": {**PLAN["approval"], "groups": ["S0PLATF01"]}},
        "approval": {**PENDING, "eligible": many},
    }
    assert "Waiting for <!subteam^S0PLATF01>" in str(card.message(seen(state)))
    few = {**state, "approval": {**PENDING, "eligible": many[:2]}}
    assert "Waiting for <@U0MANY000> or <@U0MANY001>" in str(card.message(seen(few)))


# -- the rate of progress --------------------------------------------------------------------------------------


def test_mere_progress_changes_the_message_at_most_every_ten_seconds(posts: Posts, rows: Table, time: Time) -> None:
    made_up = MadeUp()
    stored.begin(rows, ID, "arn", {**PLAN, "target": "dev"})
    deploy = {**UP["deploy"], "outputs": {"image": "repo@sha256:1"}}
    state: dict[str, Any] = {**UP, "plan": {**PLAN, "target": "dev"}, "deploy": deploy}
    edited: list[float] = []
    call(notify.run, {"deployment_id": ID, "execution_arn": "a", "event": "announce", "state": state})
    posts.calls.clear()
    for count in range(30):
        time.pass_by(1)
        made_up.says = replace(MOVING, running=count)
        state["rollout"] = call(ecs.run, {"deployment_id": ID, "mode": "rollout", "state": state}, made_up)
        if state["rollout"]["changed"]:
            call(notify.run, {"deployment_id": ID, "execution_arn": "a", "event": "progress", "state": state})
            edited.append(time())
    assert len(edited) == len(posts.calls) == 3
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(edited))
    time.pass_by(60)
    made_up.says = MOVING
    state["rollout"] = call(ecs.run, {"deployment_id": ID, "mode": "rollout", "state": state}, made_up)
    assert state["rollout"]["changed"]
    time.pass_by(60)
    assert not call(ecs.run, {"deployment_id": ID, "mode": "rollout", "state": state}, made_up)["changed"], (
        "nothing new"
    )


def test_what_came_too_soon_after_another_edit_is_shown_later_and_not_lost(rows: Table, time: Time) -> None:
    messages.posted(rows, ID, "C0DEPLOY1", "1.1")
    messages.shown(rows, ID, "mark")
    assert not messages.may_progress(rows, ID, clock.now() + 9.9, 10)
    assert messages.may_progress(rows, ID, clock.now() + 10, 10)
    assert messages.may_progress(rows, "d-without", clock.now(), 10)


def test_polls_progress_waits_for_the_messages_last_edit_whoever_made_it(
    rows: Table, time: Time, environment: pytest.MonkeyPatch
) -> None:
    from chatops.store import stages

    environment.setattr(poll, "_observe", lambda *_: codec.read(StageResult, {**RUNNING, "wait_seconds": 3}))
    stages.prepare(rows, ID, "build", "dev", 60)
    messages.posted(rows, ID, "C0DEPLOY1", "1.1")
    messages.shown(rows, ID, "mark")
    event: dict[str, Any] = {"deployment_id": ID, "stage": "build", "state": {"plan": {**PLAN, "target": "dev"}}}
    time.pass_by(5)
    event["state"]["build"] = call(poll.run, event)
    assert not event["state"]["build"]["changed"]
    time.pass_by(5)
    event["state"]["build"] = call(poll.run, event)
    assert event["state"]["build"]["changed"]
    time.pass_by(60)
    assert not call(poll.run, event)["changed"]


# -- the thread in the end -------------------------------------------------------------------------------------


def test_one_reply_says_how_it_ended_with_the_details_and_mentions_the_requester(posts: Posts, rows: Table) -> None:
    rollout = {**ENDS["Deployed"]["rollout"], "task_definition": "arn:aws:ecs:x:1:task-definition/api:8"}
    state = {**ENDS["Deployed"], "rollout": rollout}
    event = {"deployment_id": ID, "execution_arn": "a", "event": "outcome", "state": state}
    assert call(notify.run, event) == {"delivered": True}
    assert call(notify.run, event) == {"delivered": True}
    assert posts.thread == ["✅ v1.2.3 is live in prod · <@U0DANA001>"]
    (sent,) = [a for _, a in posts.calls if a.get("thread_ts")]
    assert sent["reply_broadcast"] is True
    assert "Task definition `arn:aws:ecs:x:1:task-definition/api:8`" in str(sent["blocks"])


def test_the_step_that_shows_an_approval_shows_who_and_how_long(posts: Posts, rows: Table, time: Time) -> None:
    look()
    for user in (LEE, KIM):
        time.pass_by(65)
        questions.record(rows, ID, Answer.APPROVED, user)
    fact = look()
    assert fact["decision"] == "approved"
    assert f"Approved by <@{LEE}>, <@{KIM}> after 2m 10s" in str(posts.calls[-1])
    assert posting.view_of(Deployment.of({"state": {"plan": ASKED, "approval": fact}})).phase == "decided"
    assert '"approve"' not in str(posts.calls[-1])


@pytest.mark.parametrize("outcome", [{}, {"outcome": ENDS["Restored"]["outcome"]}], ids=["before its end", "ended"])
def test_a_rollback_by_the_pipeline_is_told_when_it_has_succeeded(outcome: dict[str, Any]) -> None:
    state = {**PHASES["rollback stage"], "rollback": {**BUILT, "stage": "rollback"}, **outcome}
    line = "✅ Rollback job <https://github.com/acme/checkout-api/actions/runs/30433642|#4411> succeeded (1m 05s)"
    assert line in str(card.message(seen(state)))


def test_a_name_that_only_machines_give_stands_in_the_details_alone() -> None:
    for end, status in (
        ("Rolled Back, unknown status", "HALF_BAKED"),
        ("Build Failed, unknown conclusion", "evaporated"),
        ("Deploy Failed, Plan died", "Sandbox.Timedout"),
    ):
        assert status not in str(card.message(seen(ENDS[end])))
        assert f"`{status}`" in str(reply(seen(ENDS[end]))["blocks"])


def test_a_private_answer_replaces_no_message(rows: Table, environment: pytest.MonkeyPatch) -> None:
    """A click's response URL with `replace_original` would replace the deployment's message for everybody."""
    sent: list[dict[str, Any]] = []
    environment.setattr(slack, "respond", lambda _url, **message: sent.append(message) or True)
    refused = {"verdict": "refused", "refusal": {"key": "no_way_back", "values": {"target": "prod", "running": None}}}
    asked = {"command": "rollback", "requester": {"id": LEE}, "response_url": "https://hooks.slack.com/x"}
    call(notify.run, {"deployment_id": ID, "event": "outcome", "request": asked, "state": {"plan": refused}})
    assert [(one["replace_original"], one["response_type"]) for one in sent] == [(False, "ephemeral")]


# -- Slack does not take the card ------------------------------------------------------------------------------


def test_a_card_whose_blocks_slack_refuses_is_text_until_it_takes_them(
    posts: Posts, environment: pytest.MonkeyPatch
) -> None:
    def picky(method: str, **arguments: Any) -> dict[str, Any]:
        if arguments.get("blocks"):
            raise SlackRefused(method, "invalid_blocks")
        return posts.call(method, **arguments)

    environment.setattr(slack, "call", picky)
    assert look()["wait_seconds"] == 60
    assert [(method, a.get("blocks")) for method, a in posts.calls] == [("chat.postMessage", [])]
    environment.setattr(slack, "call", posts.call)
    look()
    method, card = posts.calls[1]
    assert method == "chat.update"
    assert card["blocks"]


def test_a_pause_that_slack_asks_for_is_obeyed(posts: Posts, environment: pytest.MonkeyPatch, time: Time) -> None:
    asked = []

    def limited(method: str, **_: Any) -> dict[str, Any]:
        asked.append(method)
        raise SlackUnavailable("slack_not_now", 90, method=method, code="ratelimited")

    environment.setattr(slack, "call", limited)
    for seconds, calls in ((0, 1), (60, 1), (30, 2)):
        time.pass_by(seconds)
        look()
        assert len(asked) == calls
