"""Lambda itself breaks or throttles under every step of a deployment: each is called again, and the deployment ends as
ever, each thing once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local.github import Script
from local.runtime.invocation import ServiceFault
from tests.statemachine import checks
from tests.statemachine.hours import Play, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

TARGETS = "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {deploy_approval: false}}}"
FROM_OUTSIDE = {"slack", "stage", "sweep", "gifs"}


@pytest.mark.parametrize(
    ("status", "code"), [(500, "ServiceException"), (429, "TooManyRequestsException")], ids=["500", "429"]
)
def test_every_step_is_tried_again(status: int, code: str, play: Callable[[str], Play]) -> None:
    it = play(TARGETS)
    broken: Counter[str] = Counter()

    def fault(name: str, event: Any) -> ServiceFault | None:
        step = f"{name}/{event.get('stage', '')}/{event.get('event', '')}"
        if name in FROM_OUTSIDE or broken[step]:
            return None
        broken[step] += 1
        return ServiceFault(status, code)

    it.world.runtime.faults = fault
    for stage in ("build", "deploy"):
        it.world.github.script[stage] = Script(seconds=1e9, appear_seconds=0)
    it.hours.later(60, lambda: it.let_end("build"))
    it.hours.later(120, lambda: it.let_end("deploy"))
    it.slash("/platform-deploy", "v1.2.3")
    assert it.end() == "Deployed"
    assert {"plan", "notify", "dispatch", "poll", "park", "ecs", "settle"} <= {step.split("/")[0] for step in broken}
    assert it.hours.failed == []
    checks.each_stage_once(it.world)
    it.hours.sleep(400)
    checks.nothing_left_behind(it.world)
