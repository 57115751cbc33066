"""Both questions are asked alike: the card with its buttons, one mention of those who may answer, and reminders."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chatops.domain.errors import DecisionRecorded, SlackUnavailable
from chatops.domain.question import Answer, Question
from chatops.slack import client as slack
from chatops.steps import approval
from chatops.store import cancels, questions, wakeups
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.question_session import APPROVAL, BEGAN, CHANNEL, DANA, HOUR, KIM, LEE, PROMOTION, Kind, each
from tests.unit.steps import call
from tests.unit.views import PLAN

ID = "d-abc234def567"
ASKED = {
    **PLAN,
    "target": "dev",
    "approval": {**PLAN["approval"], "quorum": 2},
    "timing": {"approval": HOUR, "reminder": 900, "promotion": HOUR},
}
PEOPLE = f"<@{LEE}>, <@{KIM}>"
DEADLINE = "<!date^1760003600^{date_short_pretty} {time}|2025-10-09 09:53 UTC>"
WHERE = "during bake time (10%)"
PINGS = {
    APPROVAL: f"⏳ {PEOPLE}: <@{DANA}> wants to deploy `v1.2.3` to *dev*. Please decide by {DEADLINE}.",
    PROMOTION: f"⏳ {PEOPLE}: `v1.2.3` → *dev* is paused {WHERE}. Promote it or roll it back by {DEADLINE}; "
    "after that it is rolled back.",
}
REMINDERS = {
    APPROVAL: "⏳ {people}: `v1.2.3` → *dev* still waits for your decision, {left} left.",
    PROMOTION: f"⏳ {{people}}: `v1.2.3` → *dev* is still paused {WHERE}. Promote it or roll it back, {{left}} left.",
}


class Asking:
    """The state machine's Request Approval and Request Promotion, and what Slack was sent. `down`: Slack takes
    nothing."""

    def __init__(self, rows: Table, time: Time) -> None:
        self.rows, self.time, self.down = rows, time, False
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.state: dict[str, Any] = {}

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        if self.down:
            raise SlackUnavailable("slack_not_now", method=method, code="503")
        self.calls.append((method, arguments))
        return {"ok": True, "channel": CHANNEL, "ts": f"1.{len(self.calls)}"}

    def begin(self, kind: Kind, on_timeout: str = "ROLLBACK", **plan: Any) -> None:
        """The deployment has come to its question."""
        self.state = {"plan": {**ASKED, **plan}}
        stored.begin(self.rows, ID, "arn", self.state["plan"])
        pending = {"decision": "pending", "deadline": "2025-10-09T09:53:20.000Z"}
        if kind is APPROVAL:
            people = self.state["plan"]["approval"]["eligible"]
            questions.ask(self.rows, ID, Question(BEGAN, BEGAN + HOUR, tuple(people), 2))
            self.state["approval"] = {**pending, "eligible": people}
            return
        place = {"stage": "BAKE_TIME", "strategy": "CANARY", "on_timeout": on_timeout}
        questions.ask(self.rows, ID, Question(BEGAN, BEGAN + HOUR, mark=kind.mark, traffic=10.0, **place))
        pause = {**pending, **place, "mark": kind.mark, "traffic": 10.0}
        self.state |= {"approval": {"decision": "approved"}, "rollout": {"state": "paused", "pause": pause}}

    def request(self, kind: Kind, wake: int | None = None) -> None:
        seen = wakeups.counter(self.rows, ID) if wake is None else wake
        mode = "promotion" if kind is PROMOTION else "request"
        event = {"deployment_id": ID, "execution_arn": "arn", "mode": mode, "state": self.state}
        assert call(approval.run, {**event, "token": "token-1", "wake": seen}) == {}

    @property
    def thread(self) -> list[tuple[str, bool | None]]:
        """The messages beside the card, and whether the whole channel sees them."""
        return [(a["text"], a["reply_broadcast"]) for _, a in self.calls if a.get("thread_ts")]

    @property
    def buttons(self) -> dict[str, str]:
        card = [a for _, a in self.calls if a.get("blocks")][-1]
        found = [block["elements"] for block in card["blocks"] if block["type"] == "actions"]
        return {button["action_id"]: button["value"] for row in found for button in row}


@pytest.fixture
def asking(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Asking:
    made = Asking(rows, time)
    environment.setattr(slack, "call", made.call)
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    return made


@each
def test_a_request_shows_the_buttons_and_mentions_once_and_everywhere(asking: Asking, kind: Kind) -> None:
    asking.begin(kind)
    for _ in range(2):
        asking.request(kind)
    assert asking.thread == [(PINGS[kind], True)]
    cancel = {"cancel": ID} if kind is APPROVAL else {}
    assert asking.buttons == dict.fromkeys(kind.buttons, kind.value(ID)) | cancel
    question = questions.get(asking.rows, ID, kind.mark)
    assert question
    assert question.eligible == (LEE, KIM)


def test_a_rollback_and_a_pause_that_ends_by_itself_are_asked_about_in_their_own_texts(asking: Asking) -> None:
    asking.begin(APPROVAL, command="rollback")
    asking.request(APPROVAL)
    assert "wants to roll *dev* back to `v1.2.3`" in asking.thread[0][0]
    asking.begin(PROMOTION, "CONTINUE")
    asking.request(PROMOTION)
    assert asking.thread[1][0].endswith("; after that ECS goes on by itself.")


def test_who_is_asked_is_told_that_the_version_is_live_already(asking: Asking) -> None:
    asking.begin(APPROVAL, live={"version": "v1.2.3"})
    asking.request(APPROVAL)
    assert asking.thread[0][0].endswith("\n⚠️ *dev* runs `v1.2.3` already.")


@each
def test_each_time_that_a_reminder_is_due_it_names_who_is_missing_and_how_long_is_left(
    asking: Asking, kind: Kind
) -> None:
    asking.begin(kind)
    asking.request(kind)
    people = PEOPLE
    if kind is APPROVAL:
        questions.record(asking.rows, ID, Answer.APPROVED, LEE)
        people = f"<@{KIM}>"
    reminders = []
    for seconds, left in ((899, ""), (1, "45m"), (899, ""), (2, "29m 59s")):
        asking.time.pass_by(seconds)
        for _ in range(2):
            asking.request(kind)
        reminders += [(REMINDERS[kind].format(people=people, left=left), None)] if left else []
        assert asking.thread[1:] == reminders


@each
def test_nobody_is_mentioned_before_slack_has_taken_the_card_and_many_people_by_their_groups(
    asking: Asking, kind: Kind
) -> None:
    many = [f"U0MANY{n:03d}" for n in range(12)]
    asking.begin(kind, approval={**ASKED["approval"], "eligible": many, "groups": ["S0PLATF01"]})
    asking.down = True
    asking.request(kind)
    asking.down = False
    asking.request(kind)
    assert [a.get("thread_ts") for _, a in asking.calls] == [None, "1.1"]
    asking.time.pass_by(900)
    asking.request(kind)
    assert [text.startswith("⏳ <!subteam^S0PLATF01>: ") for text, _ in asking.thread] == [True, True]


@each
@pytest.mark.parametrize("what", ["a decision", "a cancel", "anything else since the decision was read"])
def test_what_has_changed_already_asks_nobody(asking: Asking, kind: Kind, what: str) -> None:
    """Otherwise a click between the two would be slept through."""
    asking.begin(kind)
    why, wake = "There is a decision already.", None
    if what == "a cancel":
        cancels.record(asking.rows, ID, DANA)
    elif what == "a decision":
        questions.record(asking.rows, ID, kind.no, KIM, mark=kind.mark)
    else:
        wakeups.wake(asking.rows, ID)
        why, wake = "Something changed since the decision was read.", 0
    with pytest.raises(DecisionRecorded, match=f"^{re.escape(why)}$"):
        asking.request(kind, wake)
    assert asking.calls == []


@each
def test_the_token_is_stored_with_the_counter_that_was_read(asking: Asking, kind: Kind) -> None:
    asking.begin(kind)
    for _ in range(3):
        wakeups.wake(asking.rows, ID)
    asking.request(kind, wake=3)
    row = asking.rows.get(f"DEPLOYMENT#{ID}", "WAIT") or {}
    assert (row["token"], row["token_n"]) == ("token-1", 3)


def test_an_approval_that_is_not_written_yet_may_be_asked_for(asking: Asking) -> None:
    asking.begin(APPROVAL)
    asking.rows.delete(f"DEPLOYMENT#{ID}", "APPROVAL")
    asking.request(APPROVAL)
    assert questions.get(asking.rows, ID) == Question(BEGAN, BEGAN + HOUR, (LEE, KIM), 2)
