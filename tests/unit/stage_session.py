"""One stage of a deployment: its real steps, the table, and a GitHub that fails on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from chatops.domain.target import Target, Timing
from chatops.github import client
from chatops.settings import targets
from chatops.steps import dispatch, notify, poll, sweep, target_lock
from chatops.store import locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Item, Table
from fakes.clock import Clock
from fakes.github import GitHub as StandIn
from fakes.github import Script
from fakes.github.model import Run
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.direct import Direct
from tests.unit.steps import call

ID = "d-abcdefghijkl"
BASE = "https://api.github.test"
ARN = f"arn:aws:states:us-east-1:123456789012:execution:chatops-deploy:{ID}"
HOLDER = Holder(ID, ARN, "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")
PLAN: dict[str, Any] = {
    "target": "dev",
    "command": "deploy",
    "version": "v1.2.3",
    "sha": "e3c8241a6e0881bad7a9721d12c6698a35e1e833",
    "requester": {"id": "U0DANA001"},
    "previous": {"present": True, "version": "v1.1.0", "sha": "a" * 40, "image": "repo@sha256:0"},
    "started_at": 1_760_000_000.0,
}
LIMIT = 300
"""Seconds that each stage may take here: few looks."""
RUNS, SEARCH, EVENT, CANCEL = r"/actions/runs/\d+$", "/actions/runs$", "/dispatches$", "/cancel$"
LONG = Script(claims=False, appear_seconds=0, seconds=1e6)


class Stage:
    """The deployment holds its target, and nothing has been asked for yet. `far.faults` says how GitHub fails."""

    def __init__(self, rows: Table, time: Time, fake: StandIn, name: str) -> None:
        self.rows, self.time, self.fake, self.name = rows, time, fake, name
        self.fact: dict[str, Any] = {}
        fake.script[name] = LONG
        stored.begin(rows, ID, HOLDER.execution_arn, PLAN, locks.taking("dev", HOLDER))

    def event(self) -> dict[str, Any]:
        state = {"plan": PLAN, **({self.name: self.fact} if self.fact else {})}
        return {"deployment_id": ID, "stage": self.name, "state": state}

    def dispatch(self) -> None:
        self.fact = call(dispatch.run, self.event())

    def begun(self) -> Run:
        """GitHub's run of it, as soon as a runner has it: from here on nothing happens to a LONG one by itself."""
        run, pause = self.fake.runs[0], threading.Event()
        for _ in range(2000):
            if run.status == "in_progress":
                return run
            pause.wait(0.005)
        raise AssertionError(f"it is {run.status}")

    def look(self, seconds: float = 0) -> dict[str, Any]:
        """Look once, so many seconds later."""
        self.time.pass_by(seconds)
        self.fact = call(poll.run, self.event())
        return self.fact

    def to_the_end(self) -> dict[str, Any]:
        """As the state machine goes: what is not sent is sent, what is not done is looked at again when it is due."""
        for _ in range(2000):
            fact = self.look(self.fact.get("wait_seconds", 0))
            if fact["done"]:
                return fact
            if fact["state"] == "undispatched":
                self.dispatch()
        raise AssertionError(f"it never ends: {self.fact}")

    @property
    def row(self) -> Item:
        return self.rows.get(f"DEPLOYMENT#{ID}", f"STAGE#{self.name}") or {}

    def claim(self) -> Run:
        """A run of ours that has claimed the stage and goes on."""
        stages.prepare(self.rows, ID, self.name, "dev", 3600)
        stages.note(self.rows, ID, self.name, tried_at=self.time(), dispatched_at=self.time())
        run = self.fake.add_foreign_runs(1, title=f"{ID} {self.name}", status="in_progress", conclusion=None)[0]
        run.script = LONG
        assert stages.claim(self.rows, ID, self.name, run.id) == ""
        return run

    def sent(self, path: str, method: str = "POST") -> int:
        """Requests to paths that end so."""
        return sum(call.method == method and call.path.endswith(path) for call in self.fake.calls)

    def holder(self) -> str:
        found = locks.holder(self.rows, "dev")
        return found.deployment_id if found else ""


@contextmanager
def staged(
    rows: Table,
    time: Time,
    patch: pytest.MonkeyPatch,
    name: str,
    *,
    claim: bool = True,
    timing: Timing = Timing(appear=60, build=LIMIT, deploy=LIMIT, restore=LIMIT, cancel=60),  # noqa: B008 - frozen
) -> Iterator[Stage]:
    """The stage, wired to a GitHub of its own. Its execution is one that Step Functions does not know any more."""
    clock = Clock()
    fake = StandIn(clock, web_url="https://github.test")
    fake.tokens = {"ghp_local"}
    session = requests.Session()
    session.mount("https://", Direct(fake.app))
    patch.setenv("CHATOPS_GITHUB_API_URL", BASE)
    patch.setattr(client, "_session", lambda: session)
    patch.setattr(notify, "ended", lambda _: True)
    time.at = clock.now()  # what is sent is searched for by when it was
    target = Target("dev", "acme/checkout-api", "dev_deploy", timing=timing, claim=claim)
    patch.setattr(targets, "_cached", lambda *_: {"dev": target})
    try:
        yield Stage(rows, time, fake, name)
    finally:
        fake.close()


def swept() -> dict[str, Any]:
    """What sweep did, of executions that are older than what Step Functions may not show yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target_lock, "YOUNG", 0)
        return call(sweep.run, {})
