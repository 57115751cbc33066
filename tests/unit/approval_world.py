"""An approval that was asked for, and what is shown and said of it."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.question import Question
from chatops.messages.view import View
from chatops.steps import approval, speak
from chatops.store import deployments, questions
from chatops.store.table import Table
from tests.unit.conftest import Time
from tests.unit.views import PLAN

ID, ARN = "d-abc234def567", "arn:aws:states:us-east-1:123456789012:execution:chatops-deploy:d-abc234def567"
DANA, LEE, KIM = "U0DANA001", "U0LEE0001", "U0KIM0001"
NOW = 1_760_000_000
TIMING = {"approval": 3600, "reminder": 900}
ASKED = {**PLAN, "timing": TIMING, "approval": {**PLAN["approval"], "quorum": 2}}
FACT: dict[str, Any] = {
    "decision": "pending",
    "by": "",
    "reason": "",
    "votes": {},
    "eligible": [LEE, KIM],
    "quorum": 2,
    "deadline": "2025-10-09T09:53:20.000Z",
    "seconds": 0,
    "wake": 0,
    "wait_seconds": 900,
}


class Said:
    """What is shown, and what is said, once per mark as the real one does; `down`: Slack takes neither."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.shown: list[View] = []
        self.short: list[Any] = []
        self.down = False
        patch.setattr(speak, "show", self.show)
        patch.setattr(speak, "short", self.say)

    def show(self, seen: View) -> bool:
        self.shown.append(seen)
        return not self.down

    def say(self, deployment_id: str, mark: str, text: str, **how: Any) -> bool:
        if mark not in [said[1] for said in self.short] and not self.down:
            self.short.append((deployment_id, mark, text, how))
        return not self.down

    @property
    def reminders(self) -> list[Any]:
        return [said for said in self.short if said[1].startswith("reminder")]


@pytest.fixture
def said(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Said:
    deployments.begin(rows, ID, ARN, ASKED)
    return Said(environment)


def asked(rows: Table) -> Question:
    found = questions.get(rows, ID)
    assert found is not None
    return found


def shown(seen: View) -> tuple[str, dict[str, Any]]:
    """The phase that a message shows, and the approval's result in it."""
    return seen.phase, codec.as_json(seen.deployment.approval)


def event(mode: str, **more: Any) -> dict[str, Any]:
    return {"deployment_id": ID, "execution_arn": ARN, "mode": mode, "state": {"plan": ASKED}, **more}


def read(plan: dict[str, Any] | None = None) -> dict[str, Any]:
    given = event("read")
    return approval.run({**given, "state": {"plan": plan}} if plan else given)


def request(fact: dict[str, Any], plan: dict[str, Any] | None = None) -> dict[str, Any]:
    state = {"plan": plan or ASKED, "approval": fact}
    return approval.run({**event("request"), "token": "token-1", "wake": fact["wake"], "state": state})
