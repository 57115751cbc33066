"""Nobody changes what is written without a new schema number: what deployments write is compared with the record."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest

from chatops import aws, store
from chatops.domain import codec
from chatops.domain.codec import SCHEMA
from chatops.domain.command_text import Command
from chatops.domain.errors import GitHubRateLimited, TargetBusy
from chatops.domain.github_budget import Budget
from chatops.domain.plan import Plan
from chatops.domain.question import Question
from chatops.domain.reason import Reason
from chatops.edge import cancel, commands, live_buttons, question_buttons, replies
from chatops.edge.replies import Addressee
from chatops.github import runs
from chatops.platforms.rollout import Pause
from chatops.settings import targets
from chatops.slack.membership import standing
from chatops.steps import approval, dispatch, ecs, notify, poll, settle
from chatops.store import budgets, cursors, lengths, page_keys, questions, shown, stages, wakeups
from chatops.store.table import Table
from tests.faults.races.fakes import DANA, LEE, Fake, arn, far_ends
from tests.unit.conftest import Time
from tests.unit.shapes import RECORD, Watched, recorded
from tests.unit.steps import call

HOW = f"""What is written is not what is recorded for schema {SCHEMA}. If deployments of before must go on under the new
code: keep samples of theirs in tests/samples/schema-{SCHEMA}/, raise SCHEMA in chatops/domain/codec.py, write the step
from {SCHEMA} there with its tests, then record the new shapes with
python -m tests.unit.shapes. (A new kind of row, which nobody before looks for, needs no new number: record it alone.)
"""


class Flow:
    """One deployment, step by step, as the state machine would take it."""

    def __init__(self, fake: Fake, name: str, command: str = "deploy", version: str = "v1", **more: Any) -> None:
        self.fake, self.name = fake, name
        fake.time.pass_by(1)
        self.state: dict[str, Any] = {"plan": fake.plan(name, command, version, channel="C0DEPLOY1", **more)}
        assert self.state["plan"]["verdict"] == "go", self.state
        self.notify("announce")

    def event(self, **more: Any) -> dict[str, Any]:
        return {"deployment_id": self.name, "execution_arn": arn(self.name), "state": self.state, **more}

    def notify(self, kind: str) -> None:
        call(notify.run, self.event(event=kind))

    def stage(self, stage: str, *, finished: bool = True) -> None:
        self.state[stage] = call(dispatch.run, self.event(stage=stage))
        assert stages.claim(self.fake.rows, self.name, stage, 9001) == ""
        if finished:
            stages.finish(self.fake.rows, self.name, stage, 9001, "success", {"image": "repo@sha256:1"})
        self.state[stage] = call(poll.run, self.event(stage=stage))

    def approve(self) -> None:
        self.state["approval"] = call(approval.run, self.event(mode="read"))
        wake = self.state["approval"]["wake"]
        call(approval.run, self.event(mode="request", token="token", wake=wake))
        self.fake.time.pass_by(900)
        call(approval.run, self.event(mode="read"))  # reminds
        question_buttons.approve(self.fake.rows, self.name, Addressee(LEE, "C0DEPLOY1"), "")
        self.state["approval"] = call(approval.run, self.event(mode="read"))

    def end(self, wanted: str) -> None:
        self.fake.time.pass_by(1)
        self.state["outcome"] = call(settle.run, self.event())
        assert self.state["outcome"]["end"] == wanted
        self.notify("outcome")
        self.fake.end(self.name, "SUCCEEDED")


def deployed(fake: Fake, name: str, version: str) -> Flow:
    flow = Flow(fake, name, version=version)
    flow.stage("build")
    flow.approve()
    flow.stage("deploy")
    flow.end("Deployed")
    return flow


def rolled_back(fake: Fake) -> None:
    """By the button, past a deployment that waits; asked for twice, so that one of them has to wait as well."""
    waiting = Flow(fake, "d-waiting", version="v9")
    waiting.stage("build")
    flow = Flow(fake, "d-back", "rollback", "", card="d-two", reason="it smells")
    other = Flow(fake, "d-back-too", "rollback", "")
    fake.take("d-back")
    with pytest.raises(TargetBusy):
        fake.take("d-back-too")
    waiting.state["approval"] = call(approval.run, waiting.event(mode="read"))
    waiting.end("Cancelled")
    flow.stage("rollback")
    flow.state["restored"] = call(ecs.run, flow.event(mode="restored"))
    flow.end("Restored")
    cancel.cancel("d-back-too", DANA)
    other.state["settle_error"] = {"Error": "CancelRecorded"}
    other.end("Cancelled")


def cancelled(fake: Fake) -> None:
    """By a person, while GitHub asks for a pause, and while the build runs."""

    def limited(*_: Any) -> None:
        raise GitHubRateLimited(7)

    fake.patch.setattr(runs, "dispatch", limited)
    flow = Flow(fake, "d-cancelled", version="v4")
    call(dispatch.run, flow.event(stage="build"))
    fake.running.add(9001)
    fake.patch.setattr(runs, "dispatch", lambda *_: None)
    fake.time.pass_by(10)
    flow.stage("build", finished=False)
    wakeups.park(fake.rows, "d-cancelled", "t", 0)
    cancel.by_command({"user_id": DANA, "team_id": "T1", "trigger_id": "1.2.3"}, "")
    flow.state["build"] = call(poll.run, flow.event(stage="build"))
    fake.running.clear()
    flow.state["build"] = call(poll.run, flow.event(stage="build"))
    flow.end("Cancelled")


def paused(fake: Fake) -> None:
    """A rollout that people promote at its pause."""
    flow = Flow(fake, "d-paused", version="v5")
    mark = Pause("hook", "arn").mark
    place = {"mark": mark, "stage": "BAKE_TIME", "strategy": "CANARY", "on_timeout": "ROLLBACK"}
    questions.ask(fake.rows, "d-paused", Question(fake.time.at, fake.time.at + 60.5, traffic=10.5, **place))
    questions.address(fake.rows, "d-paused", mark, [LEE])
    question_buttons.at_pause(fake.rows, "promote", f"d-paused/{mark}", replies.Addressee(LEE, "C0DEPLOY1"), "")
    flow.state["build_error"] = {"Error": "AlreadySettled"}
    flow.end("Deploy Failed")


@pytest.fixture
def watched(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Watched:
    """All that these deployments write."""
    watcher = Watched(rows._client)
    fake = far_ends(rows, environment, time)
    fake.rows = Table(rows.name, watcher)
    environment.setattr(aws, "client", lambda service, **_: watcher if service == "dynamodb" else fake.states)
    environment.setenv("DEPLOY_APPROVAL_REQUIRED", "true")
    targets._cached.cache_clear()
    deployed(fake, "d-one", "v1")
    deployed(fake, "d-two", "v2")
    cancelled(fake)
    rolled_back(fake)
    paused(fake)
    answer = {"team_id": "T1", "user": {"team_id": "T1"}}
    environment.setattr("chatops.slack.people.call", lambda *_, **__: answer)
    assert standing(fake.rows, LEE) is None
    cursors.keep(fake.rows, "open", "d-one")
    lock = {"command": "/platform-deploy", "text": "lock for 2h audit", "user_id": LEE, "trigger_id": "1.2.4"}
    assert "in_channel" in commands.answer(lock)["body"]
    budgets.pause(fake.rows, "token", 60, time())
    budgets.left(fake.rows, "token", Budget(remaining=9, limit=5000, reset_at=time() + 60), time())
    fake.rows.transact(shown.owing("d-one"))
    assert shown.hold(fake.rows, shown.Shown("d-one"))
    shown.note(fake.rows, shown.Shown("d-one", 42, "in_progress"))
    page_keys.ensured(fake.rows, 1)
    lengths.add(fake.rows, "dev", "build", "d-one", 600.0)
    for name in ("d-one", "d-back", "d-cancelled"):
        watcher.facts("plan", fake.planned(name))
    watcher.facts("plan", codec.as_json(Plan(note=Reason("tag_and_branch"))))
    asked = Command("deploy", version="v1", target="dev", reason="why", dry_run=True, break_glass=True)
    form = {"user_id": DANA, "user_name": "dana", "channel_id": "C0DEPLOY1", "response_url": "https://x"}
    watcher.facts("input", json.loads(commands.execution_input(form, asked)))
    press = live_buttons.Press(DANA, "dana", "T1", "C0DEPLOY1", "https://x")
    planned = Plan(target="dev", command_prefix="/acme-")
    watcher.facts(
        "input",
        json.loads(
            live_buttons.execution_input(planned, press, {"command": "rollback", "target": "dev", "card": "d-one"})
        ),
    )
    return watcher


def test_what_is_written_is_what_the_schema_number_stands_for(watched: Watched) -> None:
    shapes = watched.shapes()
    if os.environ.get("WRITE_SHAPES"):
        RECORD.parent.mkdir(exist_ok=True)
        RECORD.write_text(json.dumps(shapes, indent=1, sort_keys=True) + "\n", "utf-8")
    assert shapes == recorded(), HOW


def test_every_kind_of_row_is_on_record() -> None:
    """Those that the store's own page lists."""
    listed = re.findall(r"^\| `(\w+)[^`]*` \| `([\w<]+)[^|]*?(?:, `(\w+)`)? \|", str(store.__doc__), re.MULTILINE)
    kinds = {
        name for pk, *names in listed for name in ([pk] if pk in ("OPEN", "OUTBOX", "NEWS", "SWEEP") else names) if name
    }
    assert len(kinds) == 27
    assert set(recorded()) == {*kinds, "plan", "input"}
