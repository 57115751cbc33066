"""A question to people, as the tests of buttons meet it: an approval, or the promotion of a paused rollout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chatops import clock
from chatops.domain.question import Answer, Question
from chatops.edge import interactions
from chatops.platforms.rollout import Pause
from chatops.slack import client as slack
from chatops.store import cancels, questions
from chatops.store.table import Table
from fakes.slack.blocks import accepted_view
from tests.unit import stored
from tests.unit.conftest import Time

DANA, LEE, KIM, OUT, GUEST, BOSS = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001", "U0GUEST01", "U0BOSS001"
ID, CHANNEL, BEGAN = "d-any", "C0DEPLOY1", 1_760_000_000.0
HOUR = 3600


@dataclass(frozen=True)
class Kind:
    """One of the two questions: its row, its buttons, and what they record."""

    name: str
    mark: str
    yes: Answer
    no: Answer
    buttons: tuple[str, str]

    def __str__(self) -> str:
        return self.name

    @property
    def answers(self) -> dict[str, Answer]:
        return dict(zip(self.buttons, (self.yes, self.no), strict=True))

    def value(self, deployment_id: str = ID) -> str:
        """What the buttons carry."""
        return f"{deployment_id}/{self.mark}" if self.mark else deployment_id


APPROVAL = Kind("approval", "", Answer.APPROVED, Answer.REJECTED, ("approve", "reject"))
PAUSE = Pause("ecs-pause-1", "arn")
PROMOTION = Kind("promotion", PAUSE.mark, Answer.PROMOTED, Answer.ROLLED_BACK, ("promote", "pause_roll_back"))
KINDS = (APPROVAL, PROMOTION)
each = pytest.mark.parametrize("kind", KINDS, ids=str)
each_button = pytest.mark.parametrize(
    ("kind", "button"), [(kind, button) for kind in KINDS for button in kind.buttons], ids=str
)


class Asked:
    """The table with a deployment that waits for people, and what came back to those who pressed: (user, text)."""

    def __init__(self, rows: Table, time: Time) -> None:
        self.rows, self.time = rows, time
        self.told: list[tuple[str, str]] = []

    def respond(self, url: str, **message: Any) -> bool:
        assert message["response_type"] == "ephemeral"
        assert message["replace_original"] is False
        self.told.append((url.rpartition("/")[2], message["text"]))
        return True

    def ask(
        self, kind: Kind, eligible: tuple[str, ...] = (LEE, KIM), quorum: int = 1, requester: str = DANA, **plan: Any
    ) -> dict[str, Any]:
        """Ask these people; the deployment's plan."""
        approval = {"required": True, "eligible": list(eligible), "groups": [], "quorum": quorum}
        made: dict[str, Any] = {
            "verdict": "go",
            "command": "deploy",
            "target": "dev",
            "version": "v2",
            "requester": {"id": requester},
            "channel": CHANNEL,
            "approval": approval,
            "timing": {"approval": HOUR, "reminder": 900},
            "started_at": clock.now(),
            **plan,
        }
        stored.begin(self.rows, ID, "arn", made)
        now = clock.now()
        if kind.mark:
            questions.ask(self.rows, ID, Question(now, now + HOUR, mark=kind.mark, stage="BAKE_TIME"))
            questions.address(self.rows, ID, kind.mark, eligible)
        else:
            questions.ask(self.rows, ID, Question(now, now + HOUR, eligible, quorum))
        return made

    def press(self, button: str, value: str, user: str, channel: str = CHANNEL) -> str:
        """A click; the text that came back to the person, empty where a modal opened."""
        before = len(self.told)
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": user},
            "channel": {"id": channel},
            "response_url": f"https://hooks.slack.com/actions/{user}",
            "trigger_id": "1.2.3",
            "actions": [{"action_id": button, "value": value}],
        }
        assert interactions.answer(payload) == {"statusCode": 200, "body": ""}
        return "".join(text for _, text in self.told[before:])

    def submit(self, user: str, reason: str = "no", deployment_id: str = ID, *, modal: str = "reject") -> str:
        """The modal of Reject…, or of an approval or a promotion during a freeze, sent off (its card may have been
        closed while the reason was typed)."""
        before = len(self.told)
        private = {
            "id": deployment_id,
            "mark": PAUSE.mark if modal == "promote" else "",
            "channel": CHANNEL,
            "response_url": f"https://hooks.slack.com/actions/{user}",
        }
        view = {
            "callback_id": modal,
            "private_metadata": json.dumps(private),
            "state": {"values": {"reason": {"reason": {"value": reason}}}},
        }
        submitted = {"type": "view_submission", "user": {"id": user}, "view": view}
        answer = interactions.answer(submitted)
        assert answer["statusCode"] == 200
        if answer["body"]:
            view = accepted_view(json.loads(answer["body"])["view"])  # it stays open and says why
            self.told.append((user, view["blocks"][0]["text"]["text"]))
        return "".join(text for _, text in self.told[before:])

    def give(self, kind: Kind, button: str, user: str, channel: str = CHANNEL) -> str:
        """The whole answer: the click, and the modal where one opens; the text that came back."""
        text = self.press(button, kind.value(), user, channel)
        return self.submit(user) if button == "reject" and not text else text

    def question(self, kind: Kind) -> Question:
        found = questions.get(self.rows, ID, kind.mark)
        assert found is not None
        return found

    def record(self, kind: Kind, answer: Answer, by: str = BOSS) -> None:
        questions.record(self.rows, ID, answer, by, mark=kind.mark)

    def cancelled_by(self) -> str | None:
        cancel = cancels.get(self.rows, ID)
        return cancel.by if cancel else None

    def end(self) -> None:
        stored.settle(self.rows, ID, "Stopped")

    def clear(self) -> None:
        """Begin anew: an empty table at the same time."""
        for item in self.rows._client.scan(TableName=self.rows.name)["Items"]:
            self.rows._client.delete_item(TableName=self.rows.name, Key={name: item[name] for name in ("pk", "sk")})
        self.time.at, self.told = BEGAN, []


class Meanwhile(Table):
    """The table; something happens right before the next transaction."""

    def __init__(self, rows: Table, happens: Callable[[], object]) -> None:
        super().__init__(rows.name, rows._client)
        self._happens: Callable[[], object] | None = happens

    def transact(self, *members: dict[str, Any]) -> None:
        happens, self._happens = self._happens, None
        if happens:
            happens()
        super().transact(*members)


@pytest.fixture
def asked(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Asked:
    """Lee and Kim are the target's approvers."""
    session = Asked(rows, time)
    environment.setattr(slack, "respond", session.respond)
    environment.setattr(slack, "call", lambda *_a, **_n: {"ok": True, "channel": CHANNEL, "ts": "1.1"})
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    return session
