"""Every kind of delivery that Slack makes, as signed requests, and the session that they meet: a deployment that is
asked about, one that waits at a pause, one that is live, and who presses what."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from chatops import aws, clock
from chatops.domain import errors
from chatops.domain.question import Question
from chatops.domain.release import Release
from chatops.slack import client as slack
from chatops.store import locks, questions, releases, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.conftest import Edge
from tests.faults.hostile_bodies import COMMAND, form
from tests.faults.hostile_requests import event, signed
from tests.faults.memory import Kept, Memory
from tests.faults.states import States
from tests.unit import stored

DANA, LEE, KIM, OUT, GUEST = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001", "U0GUEST01"
ASKED, PAUSED, LIVE, NEXT, MARK = "d-askedasked22", "d-pausedpaused", "d-livelivelive", "d-nextnextnext", "0" * 12
TURNOVER = "turnover"
"""Not a delivery: the asked deployment ends, and another one takes its target."""


def _command(kind: str, text: str, user: str = DANA) -> dict[str, str]:
    return {**COMMAND, "command": f"/platform-{kind}", "text": text, "user_id": user}


def _click(action: str, value: str, user: str) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": user, "name": user.lower(), "team_id": "T0ACME001"},
        "team": {"id": "T0ACME001"},
        "channel": {"id": "C0DEPLOY1"},
        "actions": [{"action_id": action, "value": value}],
    }


def _modal(deployment_id: str, user: str) -> dict[str, Any]:
    private = json.dumps({"id": deployment_id, "response_url": "https://hooks.slack.com/m"})
    values = {"reason": {"reason": {"value": "not on a Friday"}}}
    view = {"callback_id": "reject", "private_metadata": private, "state": {"values": values}}
    return {"type": "view_submission", "user": {"id": user}, "view": view}


KINDS: dict[str, dict[str, Any]] = {
    "deploy": _command("deploy", "v1.2.3"),
    "deploy the latest": _command("deploy", ""),
    "dry run": _command("deploy", "v1.2.3 --dry-run"),
    "rollback": _command("rollback", "it smells"),
    "status": _command("status", ""),
    "history": _command("deploy", "history"),
    "help": _command("deploy", "help"),
    "nonsense": _command("deploy", "$(reboot)"),
    "cancel this": _command("deploy", f"cancel {ASKED}"),
    "cancel": _command("deploy", "cancel"),
    "approve by Lee": _click("approve", ASKED, LEE),
    "approve by Kim": _click("approve", ASKED, KIM),
    "approve by nobody who may": _click("approve", ASKED, OUT),
    "ask for a reason": _click("reject", ASKED, LEE),
    "reject": _modal(ASKED, KIM),
    "cancel button": _click("cancel", ASKED, DANA),
    "roll back by Lee": _click("roll_back", LIVE, LEE),
    "roll back by Dana": _click("roll_back", LIVE, DANA),
    "roll back by a guest": _click("roll_back", LIVE, GUEST),
    "promote": _click("promote", f"{PAUSED}/{MARK}", LEE),
    "take it back": _click("pause_roll_back", f"{PAUSED}/{MARK}", KIM),
    "a link": _click("open_run", ASKED, LEE),
    "url verification": {"type": "url_verification", "challenge": "test123"},
}


def body(kind: str) -> bytes:
    """The delivery's bytes, always the same for the same kind: what Slack makes up for each stands for it."""
    found, number = KINDS[kind], list(KINDS).index(kind)
    if "challenge" in found:
        return json.dumps(found).encode()
    unique = {"trigger_id": f"1.2.{number}", "response_url": f"https://hooks.slack.com/{number}"}
    return form(**found | unique) if "command" in found else form(payload=json.dumps({**found, **unique}))


def fill(rows: Table) -> None:
    """A deployment that is asked about, one that waits at a pause, and one that is live."""
    later, plan = clock.now() + 3600, {"command": "deploy", "version": "v2", "channel": "C0DEPLOY1"}
    for name, target in ((ASKED, "dev"), (PAUSED, "other"), (LIVE, "dev")):
        asked = {"required": True, "eligible": [LEE, KIM], "groups": [], "quorum": 2}
        made = {**plan, "target": target, "requester": {"id": DANA}, "approval": asked, "started_at": clock.now()}
        stored.begin(rows, name, f"arn:{name}", made)
    questions.ask(rows, ASKED, Question(0, later, (LEE, KIM), 2))
    hold(rows, ASKED)
    wakeups.park(rows, ASKED, "token", 0)
    questions.ask(rows, PAUSED, Question(0, later, mark=MARK, stage="x", on_timeout="ROLLBACK"))
    questions.address(rows, PAUSED, MARK, [LEE, KIM])
    rows.transact(releases.adding("dev", Release("v2", deployment_id=LIVE, verified_at="2025-01-02T00:00:00.000Z")))


def hold(rows: Table, name: str) -> None:
    """The target `dev` is this deployment's."""
    holder = Holder(name, f"arn:{name}", "deploy", "v2", DANA, "2025-01-01T00:00:00.000Z")
    rows.transact(locks.taking("dev", holder))


class Deliveries:
    """The edge, the table and Step Functions; `modals`: the triggers by which a modal was opened, once each."""

    def __init__(self, edge: Edge, rows: Table, memory: Memory, environment: pytest.MonkeyPatch) -> None:
        self.edge, self.rows, self.states, self._memory = edge, rows, States(), memory
        self.modals: list[str] = []
        self._before: Kept = {}
        real = aws.client
        environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
        environment.setattr(
            aws, "client", lambda name, **more: self.states if name == "stepfunctions" else real(name, **more)
        )
        environment.setattr(slack, "call", self._call)
        environment.setattr(slack, "respond", lambda *_a, **_n: True)

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A trigger opens one modal: https://docs.slack.dev/reference/methods/views.open"""
        assert method == "views.open"
        if arguments["trigger_id"] in self.modals:
            raise errors.SlackRefused(method, "exchanged_trigger_id")
        self.modals.append(arguments["trigger_id"])
        return {"ok": True}

    def begin(self) -> None:
        """As it is before the first delivery."""
        self.states.started.clear()
        self.states.ended.clear()
        self.modals.clear()
        self.states.waiting = {"token"}
        if not self._before:
            fill(self.rows)
            self._before = self._memory.kept()
        self._memory.bring_back(self._before)

    def send(self, kind: str, retry: int = 0) -> None:
        """One delivery; `retry`: as Slack's own, of that number."""
        if kind == TURNOVER:
            self._turnover()
            return
        marks = {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"} if retry else {}
        raw = body(kind)
        assert self.edge(event(raw, {**signed(raw), **marks})) == 200
        if kind == "roll back by a guest":  # `plan` refuses those at once, and nothing is recorded of it
            mine = {name for name, made in self.states.started.items() if json.loads(made)["requester"]["id"] == GUEST}
            self.states.ended |= mine

    def _turnover(self) -> None:
        stored.settle(self.rows, ASKED, "Rejected")
        plan = {"command": "deploy", "version": "v3", "target": "dev", "requester": {"id": DANA}}
        stored.begin(self.rows, NEXT, f"arn:{NEXT}", {**plan, "started_at": clock.now()})
        hold(self.rows, NEXT)

    def all_of(self, kinds: Iterable[str]) -> Any:
        """What comes of these, one after the other; a kind that came before is a retry of Slack's, or a replay."""
        self.begin()
        came: list[str] = []
        for kind in kinds:
            self.send(kind, came.count(kind) // 2)
            came.append(kind)
        return self.effects()

    def effects(self) -> Any:
        """Everything that anybody would notice: executions, what was decided and recorded, modals; not how often the
        execution was told to look again, which changes nothing."""
        kept = sorted(
            json.dumps({k: v for k, v in row.items() if k != "revision"}, sort_keys=True, default=str)
            for row in self._memory.rows()
            if row["sk"] != "WAIT"
        )
        return sorted(self.states.started.items()), kept, sorted(self.modals)
