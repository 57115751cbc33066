"""Every step of a recorded run invoked again with the same input: at once, and once more after the end. One effect.

Two of them, on the real engine; the simulator does it with every scenario (`tests/simulator/test_broken.py`)."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local import scenarios
from local.driver import Driver
from local.runtime.endpoint import Invocation
from local.session import Session, states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import scenario
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

FROM_OUTSIDE = {"slack", "sweep", "gifs", "page"}
"""Not called by the machine; `stage` is the pipeline's, whose reports may be sent twice as well."""
SIGNALS = {"AlreadyAwake", "DecisionRecorded", "CancelRecorded"}
"""How a step says that what it was to wait for has come meanwhile."""


class Again:
    """Calls each function a second time, with what it was given, before its first answer goes out. `calls`: each
    (function, event) of the machine, in order. `failed`: second calls that broke, where the first one had not."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.calls: list[tuple[str, Any]] = []
        self.failed: list[tuple[str, str, str]] = []
        self._second = threading.local()
        session.runtime.on_invocation = self._seen

    def _seen(self, name: str, event: Any, first: Invocation) -> None:
        if name in FROM_OUTSIDE or getattr(self._second, "on", False):
            return
        self.calls.append((name, event))
        self._call(name, event, first)

    def _call(self, name: str, event: Any, first: Invocation | None) -> None:
        self._second.on = True
        try:
            again = self.session.runtime.invoke(name, event)
        finally:
            self._second.on = False
        if first is not None and again.error and not first.error and again.error not in SIGNALS:
            self.failed.append((name, again.error, str(again.payload)[:300]))

    def all_once_more(self) -> None:
        for name, event in list(self.calls):
            self._call(name, event, None)


def effects(driver: Driver) -> dict[str, Any]:
    """What the session has seen of it: GitHub's dispatches, ECS's deployments, the ledger, the lock, final messages."""
    session = driver.session
    return {
        "dispatches": Counter((run.payload["deployment_id"], run.payload["stage"]) for run in session.github.runs),
        "updates": sum(call.operation == "UpdateService" for call in session.ecs.calls),
        "continued": sum(c.operation == "ContinueServiceDeployment" and not c.error for c in session.ecs.calls),
        "image": session.ecs.running_image() if "ecs" in {target.kind for target in session.targets.values()} else "",
        "group": [
            (each.id, each.status)
            for place in PLACES & session.codedeploy.deployer.groups.keys()
            for each in session.codedeploy.deployments(*place)
        ],
        "rows": sorted(
            (checks.key(row), json.dumps(row, sort_keys=True))
            for row in checks.rows(session)
            if checks.key(row)[0].startswith(("TARGET#", "OPEN", "OUTBOX"))
        ),
        "finals": sorted(  # not the details, nor the questions
            m.text for m in session.slack.messages if m.thread_ts and m.text.startswith(("✅", "⏪", "❌", "⏹️"))
        ),
    }


PLACES = {("batch", "live")}
PLAYS = {"CodeDeploy": scenarios.ALL["codedeploy-fails"], "outside ECS": scenario(ecs=False)}


@pytest.mark.parametrize("name", PLAYS)
def test_every_call_twice_has_the_effect_of_one(name: str, play: Callable[[str], HoursDriver]) -> None:
    wanted = PLAYS[name]
    driver = play(wanted.targets())
    again = Again(driver.session)
    if name == "outside ECS":
        for version in ("v1.1.0", "v1.2.3"):
            assert driver.run("/platform-deploy", version) == "Deployed"
        assert driver.run("/platform-rollback", "it smells") == "Restored"
    else:
        wanted.play(driver)
        assert driver.end() == wanted.ends
    assert "Settle" in states_entered(driver.session.history(driver.arn))
    assert again.failed == []
    checks.all_hold(driver.session)
    before = effects(driver)
    assert len(before["group"]) == (4 if name == "CodeDeploy" else 0), "before us, good, failed, put back"
    assert all(count == 1 for count in before["dispatches"].values()), before["dispatches"]
    ended = [
        e for e in driver.session.executions() if "Settle" in states_entered(driver.session.history(e["executionArn"]))
    ]
    assert len(before["finals"]) == len(ended)
    assert before["rows"]
    again.all_once_more()
    assert effects(driver) == before
    checks.all_hold(driver.session)
