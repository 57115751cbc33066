"""A hundred stages in the same minute before a GitHub that enforces its secondary limit: all get through."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from chatops.domain.target import Target, Timing
from chatops.github import budget, client
from chatops.settings import targets
from chatops.steps import dispatch, poll
from chatops.store import locks, stages
from chatops.store.table import Table
from fakes.github import GitHub as StandIn
from fakes.github.model import Run
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.direct import Direct
from tests.unit.stage_session import BASE, HOLDER, PLAN
from tests.unit.steps import call
from tests.unit.test_github_budget import Still

pytestmark = pytest.mark.slow

COUNT = 100
CLAIMED_AFTER, LASTS = 8.0, 90.0
"""Seconds from a dispatch to its run's claim, and from the claim to its report."""


class Crowd:
    """A hundred deployments to as many targets, as the state machine would take each through its build stage. Time
    jumps to whatever is due next."""

    def __init__(self, rows: Table, time: Time, fake: StandIn) -> None:
        self.rows, self.time, self.fake = rows, time, fake
        self.began = time()
        self.facts: dict[str, dict[str, Any]] = {}
        self.dispatched: dict[str, float] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.time() + seconds, next(self._order), action))

    def play(self) -> None:
        while self._due:
            self.time.at, _, action = heapq.heappop(self._due)
            action()

    def event(self, name: str) -> dict[str, Any]:
        state = {"plan": {**PLAN, "target": name}, **({"build": self.facts[name]} if name in self.facts else {})}
        return {"deployment_id": f"d-{name}", "stage": "build", "state": state}

    def begin(self, name: str) -> None:
        holder = replace(HOLDER, deployment_id=f"d-{name}")
        stored.begin(self.rows, f"d-{name}", HOLDER.execution_arn, {**PLAN, "target": name}, locks.taking(name, holder))
        self.dispatch(name)

    def dispatch(self, name: str) -> None:
        self.facts[name] = call(dispatch.run, self.event(name))
        row = stages.get(self.rows, f"d-{name}", "build")
        assert row is not None
        if row.dispatched_at and name not in self.dispatched:
            self.dispatched[name] = self.time() - self.began
            self.later(CLAIMED_AFTER, lambda: self.claim(name))
        self.look(name)

    def look(self, name: str) -> None:
        if self.facts[name].get("done"):
            return
        self.facts[name] = call(poll.run, self.event(name))
        if self.facts[name]["state"] == "undispatched":
            self.dispatch(name)
        elif not self.facts[name]["done"]:
            self.later(self.facts[name]["wait_seconds"], lambda: self.look(name))

    def claim(self, name: str) -> None:
        (run,) = self.fake.add_foreign_runs(1, title=f"d-{name} build", status="in_progress", conclusion=None)
        assert stages.claim(self.rows, f"d-{name}", "build", run.id) == ""
        self.later(LASTS, lambda: self.report(name, run))

    def report(self, name: str, run: Run) -> None:
        run.status, run.conclusion = "completed", "success"
        stages.finish(self.rows, f"d-{name}", "build", run.id, "success", {"image": "repo@sha256:1"})
        self.look(name)


@pytest.fixture
def crowd(rows: Table, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    fake = StandIn(Still(time), web_url="https://github.test")  # type: ignore[arg-type]  # as much of a clock as needed
    fake.actions_enabled, fake.secondary_limits.enforced = False, True
    session = requests.Session()
    session.mount("https://", Direct(fake.app))
    chance = random.Random(16)  # noqa: S311 - a test's
    timing = Timing(build=3600)
    known = {f"t{n}": Target(f"t{n}", "acme/checkout-api", "dev_deploy", timing=timing) for n in range(COUNT)}
    monkeypatch.setenv("CHATOPS_GITHUB_API_URL", BASE)
    monkeypatch.setattr(client, "_session", lambda: session)
    monkeypatch.setattr(targets, "_cached", lambda *_: known)
    monkeypatch.setattr(budget, "drawn", lambda most: chance.uniform(0, most))
    made = Crowd(rows, time, fake)
    for number, name in enumerate(known):
        made.later(number * 0.3, lambda name=name: made.begin(name))  # type: ignore[misc]  # a default holds the name
    yield made
    fake.close()


@pytest.mark.parametrize("points", [pytest.param(900, marks=pytest.mark.weekly), 300])
def test_a_hundred_stages_in_the_same_minute_all_get_through(crowd: Crowd, points: int) -> None:
    """Nothing is lost, nothing is sent twice, and of each pause that GitHub asks for one of them has learned."""
    limits = crowd.fake.secondary_limits
    limits.points = points
    crowd.play()
    assert {fact["state"] for fact in crowd.facts.values()} == {"succeeded"}
    accepted = [each for each in crowd.fake.calls if each.method == "POST" and each.status == 204]
    assert len(accepted) == len(crowd.dispatched) == COUNT
    assert limits.most <= points
    minutes = (crowd.time() - crowd.began) / 60
    assert limits.refused <= minutes, "who does not ask during a pause is not refused"
    assert max(crowd.dispatched.values()) < 60 * (1 + 6 * COUNT / points * 2)
