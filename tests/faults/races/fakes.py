"""What the steps meet in the tests of races: the table, and the external services as far as races go.

Everything that several of them change at once is the table's; Step Functions and GitHub only say what runs.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chatops import aws
from chatops.domain import codec
from chatops.domain.errors import TargetBusy
from chatops.domain.record import Record
from chatops.github import runs, versions
from chatops.github.client import Reply
from chatops.github.runs import Run
from chatops.github.versions import Commit
from chatops.settings import targets
from chatops.slack import client as slack
from chatops.steps import plan, settle, sweep
from chatops.store import deployments, locks, stages
from chatops.store.table import Table
from tests.faults.interleave import Pointed, point
from tests.faults.memory import Kept, Memory
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call

TARGET = "dev"
DANA, LEE, KIM = "U0DANA001", "U0LEE0001", "U0KIM0001"
OPERATIONS = ("get_item", "query", "put_item", "update_item", "delete_item", "transact_write_items")
Fact = dict[str, Any]


def arn(name: str) -> str:
    return f"arn:aws:states:us-east-1:123456789012:execution:chatops-deploy:{name}"


class _Gone(ClientError):
    """ExecutionDoesNotExist."""


class States:
    """Step Functions: which executions run, and which tokens were answered."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError
        ExecutionDoesNotExist = _Gone

    def __init__(self) -> None:
        self.ended: dict[str, str] = {}
        self.answered: list[str] = []

    def describe_execution(self, executionArn: str) -> Fact:  # noqa: N803 - botocore's name
        point()
        return {"status": self.ended.get(executionArn, "RUNNING")}

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - botocore's name
        assert output == "{}"
        self.answered.append(taskToken)


class Bus:
    """EventBridge's default bus, which takes everything."""

    def __init__(self) -> None:
        self.taken: list[Fact] = []

    def put_events(self, Entries: list[Fact]) -> Fact:  # noqa: N803 - botocore's name
        self.taken += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": str(n)} for n, _ in enumerate(Entries)]}


@dataclass(frozen=True)
class Moment:
    """What a race begins with, each time anew."""

    items: Kept
    at: float
    ended: dict[str, str]
    running: set[int]


@dataclass
class Fake:
    """The session of one race."""

    rows: Table
    time: Time
    patch: pytest.MonkeyPatch
    folder: Path
    memory: Memory = field(default_factory=Memory)  # what holds the rows, in the tests of races
    named: Run | None = None  # the run that GitHub knows by its name
    states: States = field(default_factory=States)
    bus: Bus = field(default_factory=Bus)
    running: set[int] = field(default_factory=set)  # GitHub runs that have not completed
    cancelled: list[int] = field(default_factory=list)  # those that somebody asked to cancel
    dispatched: list[Fact] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)  # (user, text) through response URLs
    posts: list[Fact] = field(default_factory=list)

    def run(self, run_id: int) -> Run:
        """What GitHub says about a run."""
        return runs.read(runs.get(None, run_id).body or {})  # type: ignore[arg-type]

    def end(self, name: str, status: str = "ABORTED") -> None:
        """The execution ends from outside."""
        self.states.ended[arn(name)] = status

    # -- the table as a whole

    def snapshot(self) -> Moment:
        """Everything there is, to come back to."""
        return Moment(self.memory.kept(), self.time.at, dict(self.states.ended), set(self.running))

    def restore(self, kept: Moment) -> None:
        """Everything as it was; nothing said and done yet."""
        self.memory.bring_back(kept.items)
        self.time.at = kept.at
        self.states.ended, self.states.answered, self.running = dict(kept.ended), [], set(kept.running)
        self.cancelled, self.dispatched, self.told, self.posts = [], [], [], []

    def forget_targets(self) -> None:
        """What was set during the test is read afresh."""
        targets._cached.cache_clear()

    def empty(self) -> None:
        self.restore(Moment({}, self.time.at, {}, set()))

    # -- what is in it

    def holder(self) -> str:
        found = locks.holder(self.rows, TARGET)
        return found.deployment_id if found else ""

    def record(self, name: str) -> Record | None:
        return deployments.get(self.rows, name)

    def planned(self, name: str) -> Fact:
        """The plan of a deployment that has begun, as JSON."""
        return codec.as_json(stored.record_of(self.rows, name).plan)

    def ended(self, name: str) -> str:
        """How it ended; nothing while it has not."""
        found = self.record(name)
        return found.outcome.end if found else ""

    def open(self) -> list[str]:
        return sorted(each.deployment_id for each in deployments.unsettled(self.rows))

    # -- what the state machine would do

    def plan(self, name: str, command: str = "deploy", version: str = "v1", **more: Any) -> Fact:
        asked = {"command": command, "target": TARGET, "version": version, "requester": {"id": DANA}, **more}
        return call(plan.run, {"deployment_id": name, "execution_arn": arn(name), "request": asked})

    def take(self, name: str) -> Fact:
        """Take Target, of a rollback."""
        state = {"plan": self.planned(name)}
        return call(plan.run, {"deployment_id": name, "execution_arn": arn(name), "mode": "take", "state": state})

    def take_in_the_end(self, name: str) -> Fact:
        """Take Target, and again while the target is busy, as the state machine does."""
        for _ in range(9):
            with suppress(TargetBusy):
                return self.take(name)
        raise TargetBusy("for good")

    def stage(self, name: str, stage: str) -> str:
        """The ticket of a stage that has been dispatched."""
        row = stages.prepare(self.rows, name, stage, TARGET, 1800)
        stages.note(self.rows, name, stage, tried_at=self.time(), dispatched_at=self.time())
        return row.ticket

    def succeed(self, name: str, **facts: Any) -> Fact:
        """Settle, with the facts of a deployment that went well; its version is live from then on."""
        good = {"state": "succeeded", "done": True, "claimed": True, "outputs": {"image": f"repo@{name}"}}
        plan_now = self.planned(name)
        made: Fact = {"plan": plan_now, "build": {**good, "stage": "build"}, "deploy": {**good, "stage": "deploy"}}
        if plan_now["command"] == "rollback":
            healthy = {"state": "healthy", "done": True, "why": {}}
            made = {"plan": plan_now, "rollback": {**good, "stage": "rollback"}, "restored": healthy}
        return call(settle.run, {"deployment_id": name, "state": {**made, **facts}})

    def fail(self, name: str) -> Fact:
        """Settle, after a deploy stage that broke and a rollback that was confirmed."""
        broke = {"state": "failed", "done": True, "claimed": True, "why": {"key": "why_run_failed_bare"}}
        restored = {"state": "healthy", "done": True, "why": {}}
        back = {"stage": "rollback", "state": "succeeded", "done": True}
        return self.succeed(name, deploy={**broke, "stage": "deploy"}, rollback=back, restored=restored)

    def deploy(self, name: str, version: str) -> None:
        """A whole deployment that goes well."""
        self.time.pass_by(1)
        assert self.plan(name, version=version)["verdict"] == "go"
        self.time.pass_by(1)
        assert self.succeed(name)["end"] == "Deployed"
        self.end(name, "SUCCEEDED")

    def sweep(self) -> Fact:
        return call(sweep.run, {})


def _install(fake: Fake) -> None:
    patch = fake.patch
    dynamodb = Pointed(fake.rows._client, OPERATIONS)
    clients = {"dynamodb": dynamodb, "stepfunctions": fake.states, "events": fake.bus}
    patch.setattr(aws, "client", lambda service, **_: clients[service])
    fake.rows = Table(fake.rows.name, dynamodb)

    def get(_client: Any, run_id: int, _etag: str = "") -> Reply:
        ended = {"status": "completed", "conclusion": "success"}
        status = {"status": "in_progress", "conclusion": None} if run_id in fake.running else ended
        return Reply(200, {"id": run_id, "run_number": 1, "html_url": "https://x", "run_attempt": 1, **status}, "", "")

    def resolve(_client: Any, version: str, *_tags: Any) -> Commit:
        point()
        return Commit(version or "v1", f"{version:0<40}", "", "")

    patch.setattr(runs, "get", get)
    patch.setattr(runs, "named", lambda *_: fake.named)
    patch.setattr(runs, "jobs", lambda *_: ([], ""))
    patch.setattr(runs, "origin", lambda *_: (("704218356", "main"), ""))
    patch.setattr(runs, "cancel", lambda _client, run_id: fake.cancelled.append(run_id))
    patch.setattr(runs, "dispatch", lambda _client, _event, payload: fake.dispatched.append(dict(payload)))
    patch.setattr(versions, "resolve", resolve)
    patch.setattr(versions, "changes", lambda *_, **__: None)

    def call(method: str, **arguments: Any) -> Fact:
        if method.startswith("chat."):
            json.dumps(arguments)
            fake.posts.append(arguments)
        return {
            "ok": True,
            "channel": {"id": "C0DEPLOY1"} if method == "conversations.info" else "C0DEPLOY1",
            "ts": "1.1",
            "user": {"team_id": "T0ACME001"},
            "team_id": "T0ACME001",
        }

    def respond(url: str, **message: Any) -> bool:
        fake.told.append((url.rpartition("/")[2], message["text"]))
        return True

    patch.setattr(slack, "call", call)
    patch.setattr("chatops.slack.people.call", call)
    patch.setattr(slack, "respond", respond)


def far_ends(rows: Table, environment: pytest.MonkeyPatch, time: Time, folder: Path = Path()) -> Fake:
    """All of it, in place, with two approvers."""
    environment.setenv("SLACK_APPROVERS", f"{LEE},{KIM}")
    environment.setenv("SLACK_CHANNEL_ID", "C0DEPLOY1")
    environment.setenv("DEPLOY_APPROVAL_REQUIRED", "false")
    environment.setenv("ROLLBACK_APPROVAL_REQUIRED", "false")
    fake = Fake(rows, time, environment, folder)
    _install(fake)
    return fake
