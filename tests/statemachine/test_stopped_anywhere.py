"""An execution that ends from outside, in every state that waits: settled once, its run cancelled, its target free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain.stage import STAGES
from fakes.ecs import Rollout
from fakes.github import Script
from local.driver import Driver
from tests.definition import STATES
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LONG = Script(seconds=600)


def waiting() -> set[str]:
    """The states of the definition in which an execution may stand for long."""
    return {
        name
        for name, state in STATES.items()
        if state["Type"] == "Wait" or str(state.get("Resource", "")).endswith(".waitForTaskToken")
    }


def _build(driver: Driver) -> None:
    driver.session.github.script["build"] = LONG
    driver.slash("/platform-deploy", "v1.2.3")


def _approval(driver: Driver) -> None:
    driver.slash("/platform-deploy", "v1.2.3")


def _deploy(driver: Driver) -> None:
    driver.session.github.script["deploy"] = LONG
    driver.slash("/platform-deploy", "v1.2.3")


def _rollout(driver: Driver) -> None:
    driver.session.ecs.next_rollout = Rollout(seconds=600)
    driver.slash("/platform-deploy", "v1.2.3")


def _live(driver: Driver) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        assert driver.run("/platform-deploy", version) == "Deployed"


def _restored(driver: Driver) -> None:
    _live(driver)
    driver.session.ecs.next_rollout = Rollout(seconds=600)
    driver.slash("/platform-rollback", "v1.0.0")


def _rollback(driver: Driver) -> None:
    _live(driver)
    driver.session.github.script["rollback"] = LONG
    driver.slash("/platform-rollback", "v1.0.0")


def _paused(driver: Driver) -> None:
    driver.slash("/platform-deploy", "v1.2.3")


WAYS: dict[str, tuple[Callable[[Driver], None], dict[str, Any]]] = {
    "Wait For Build": (_build, {}),
    "Request Approval": (_approval, {"approval": True}),
    "Wait For Deploy": (_deploy, {}),
    "Wait For Rollout": (_rollout, {}),
    "Request Promotion": (_paused, {"strategy": "blue_green"}),
    "Wait For Rollback": (_rollback, {"ecs": False}),
    "Wait For Restored": (_restored, {}),
}
"""How to come to stand in each, and what is special about the target."""
BEHIND = {"Wait For Target"}
"""Behind somebody else, who holds the target: nothing of its own is under way."""
AFTER_AN_ERROR = {"Wait For Stop", "Wait For Reading"}
"""Only where a service is away or a run can't be stopped: `tests/simulator/test_broken.py` and the steps' own tests."""


def test_every_state_that_waits_is_stopped_once_below() -> None:
    assert waiting() == set(WAYS) | BEHIND | AFTER_AN_ERROR


def until(what: Callable[[], object], seconds: float = 20) -> None:
    """Wait for it; fails where it does not come."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if what():
            return
        pause.wait(0.05)
    raise AssertionError(f"it did not come within {seconds} s")


GATE = {"Wait For Deploy", "Wait For Restored"}
"""The simulator stops a deployment behind every call of every step (`tests/simulator/test_broken.py`)."""


@pytest.mark.parametrize("state", [pytest.param(s, marks=[] if s in GATE else pytest.mark.weekly) for s in WAYS])
def test_stopped_in_the_console_it_is_settled_once_and_frees_its_target(state: str, build: Build) -> None:
    way, special = WAYS[state]
    driver = build(scenario(**special))
    way(driver)
    driver.until_state(state)
    stopped, name = driver.arn, driver.deployment_id
    stage = state.rpartition(" ")[2].lower()
    if stage in STAGES:  # a run that has claimed nothing changes nothing, and keeps nobody from the target
        until(lambda: any(run.stage == stage and run.claim_status == 200 for run in _ours(driver, name)))
    driver.session.sfn.stop_execution(executionArn=stopped)
    driver.session.slack.wait_for(lambda m: "Stopped" in m.text and bool(m.thread_ts), 20)
    until(lambda: not [r for r in checks.rows(driver.session) if checks.key(r)[1] == "LOCK"])
    until(lambda: not [r for r in checks.rows(driver.session) if checks.key(r)[0] in ("OPEN", "OUTBOX")])
    thread = driver.card_of(name).ts
    finals = [
        m.text
        for m in driver.session.slack.messages
        if m.thread_ts == thread and "Stopped" in m.text and " · <@" in m.text
    ]
    assert len(finals) == 1
    completed = all(run.status == "completed" for run in _ours(driver, name))
    assert completed, "no run of it goes on once the target is free"
    checks.all_hold(driver.session)


def test_stopped_while_it_waits_for_the_target_it_is_settled_and_whoever_has_the_target_keeps_it(build: Build) -> None:
    """The deployment claims its deploy stage while the rollback is asked about."""
    asks = scenario(take=60).targets().replace("rollback_approval: false", "rollback_approval: true")
    driver = build(targets=asks)
    _live(driver)
    driver.session.github.script |= {"build": LONG, "deploy": LONG}
    driver.slash("/platform-deploy", "v1.2.3")
    deploying, holder = driver.arn, driver.deployment_id
    driver.slash("/platform-rollback", "v1.0.0")
    driver.until_state("Request Approval")
    until(lambda: driver.session.github.runs[-1].claim_status == 200)
    driver.session.github.runs[-1].wake.set()
    until(lambda: any(r.claim_status == 200 and r.payload["deployment_id"] == holder for r in _deploys(driver)))
    driver.click("approve")
    driver.until_state("Wait For Target")
    name = driver.deployment_id
    driver.session.sfn.stop_execution(executionArn=driver.arn)
    driver.session.slack.wait_for(lambda m: "Stopped" in m.text and bool(m.thread_ts), 20)
    until(lambda: name not in [checks.key(r)[1] for r in checks.rows(driver.session) if checks.key(r)[0] == "OPEN"])
    (lock,) = [r for r in checks.rows(driver.session) if checks.key(r)[1] == "LOCK"]
    assert lock["deployment_id"]["S"] == holder
    _deploys(driver)[-1].wake.set()
    assert driver.end(arn=deploying) == "Deployed"
    until(lambda: not [r for r in checks.rows(driver.session) if checks.key(r)[0] in ("OPEN", "OUTBOX")])
    assert not _ours(driver, name)
    checks.all_hold(driver.session)


def _deploys(driver: Driver) -> list[Any]:
    return [run for run in driver.session.github.runs if run.payload["stage"] == "deploy"]


def _ours(driver: Driver, name: str) -> list[Any]:
    return [run for run in driver.session.github.runs if run.payload["deployment_id"] == name]
