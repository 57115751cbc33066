"""A function's process is killed for real, by the runtime, between a call and what follows from it. A few places only:
tests/simulator has them all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local.runtime.calls import Death
from local.session import STACK
from tests.statemachine.conftest import Build, scenario

pytestmark = pytest.mark.engine

DEATHS = {
    "dispatch": Death("GitHub.POST.dispatches", 1, "after"),
    "stage": Death("DynamoDB.TransactWriteItems", 1, "after"),
    "settle": Death("DynamoDB.TransactWriteItems", 1, "after"),
    "notify": Death("Slack.chat.postMessage", 1, "after"),
}


@pytest.mark.slow
def test_a_process_that_dies_between_a_call_and_its_reply_doubles_nothing(build: Build) -> None:
    """All four die in one deployment, each once: the event is sent, the stage claimed, the target freed, the message
    posted, and nobody has heard of it."""
    driver = build(scenario(appear=60))
    left, errors = dict(DEATHS), list[str | None]()

    def death(name: str, _: Any) -> Death | None:
        return left.pop(name, None)

    driver.session.runtime.deaths = death
    driver.session.runtime.on_invocation = lambda _, __, invocation: errors.append(invocation.error)
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert errors.count("Runtime.OutOfMemory") == len(DEATHS)
    runs = driver.session.github.runs
    assert Counter(run.stage for run in runs if run.claim_status == 200) == {"build": 1, "deploy": 1}
    assert Counter(run.stage for run in runs) == {"build": 1, "deploy": 1}
    rows = driver.session.dynamodb.scan(TableName=f"{STACK}-table")["Items"]
    assert [row for row in rows if row["sk"]["S"] == "LOCK"] == []
