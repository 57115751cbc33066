"""Lambda itself breaks or throttles under every step of a deployment: each is called again, and the deployment ends as
ever, each thing once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from fakes.github import Script
from local.runtime.invocation import Invocation, ServiceFault, failed
from tests import holes
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

TARGETS = "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {deploy_approval: false}}}"
FROM_OUTSIDE = {"slack", "stage", "sweep", "wake", "gifs", "page"}


BREAKS: dict[str, ServiceFault | str] = {
    "500": ServiceFault(500, "ServiceException"),
    "429": ServiceFault(429, "TooManyRequestsException"),
    "409, asleep": ServiceFault(409, "ResourceConflictException"),
    "out of memory": "Runtime.OutOfMemory",
    "exit": "Runtime.ExitError",
    "timeout": "Sandbox.Timedout",
    "unnamed": "Lambda.Unknown",
}
"""Lambda's own answer, or the error of a function's process that ended, after it had done its work."""


GATE = {"429", "timeout"}
"""Each is the same to a retrier of the definition that has States.TaskFailed."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n in GATE else pytest.mark.weekly) for n in BREAKS])
def test_every_step_is_tried_again(name: str, play: Callable[[str], HoursDriver]) -> None:
    it, how = play(TARGETS), BREAKS[name]
    broken: Counter[str] = Counter()

    def first(function: str, event: Any) -> bool:
        step = f"{function}/{event.get('stage', '')}/{event.get('event', '')}"
        broken[step] += 1
        return function not in FROM_OUTSIDE and broken[step] == 1

    run = it.session.runtime._run

    def died(function: Any, request: dict[str, Any]) -> Invocation:
        made = run(function, request)
        if not isinstance(how, str) or not first(function.name, json.loads(request["event"])):
            return made
        return Invocation(failed(how, "signal: killed", request["request_id"]), how, "", False, request["request_id"])

    def fault(function: str, event: Any) -> ServiceFault | None:
        return how if isinstance(how, ServiceFault) and first(function, event) else None

    it.session.runtime.faults = fault
    it.session.runtime._run = died  # type: ignore[method-assign]
    for stage in ("build", "deploy"):
        it.session.github.script[stage] = Script(seconds=1e9, appear_seconds=0)
    it.hours.later(60, lambda: it.let_end("build"))
    it.hours.later(120, lambda: it.let_end("deploy"))
    it.slash("/platform-deploy", "v1.2.3")
    assert it.end() == "Deployed"
    assert {"plan", "notify", "dispatch", "poll", "park", "ecs", "settle"} <= {
        step.split("/")[0] for step in broken if broken[step] > 1
    }
    assert it.hours.failed == []
    checks.each_stage_once(it.session)
    assert holes.in_world(it.session) == []
    it.hours.sleep(400)
    checks.nothing_left_behind(it.session)
