"""One row that nobody can do anything about keeps sweep from none of the others, and is not passed over in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatops.domain.deployment import Deployment
from chatops.domain.errors import ServiceUnavailable
from chatops.steps import notify, sweep
from chatops.store import locks, outbox
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.fakes import Fake, arn, far_ends
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call

BAD, GOOD, LAST = "d-aaaaaaaaaaaa", "d-bbbbbbbbbbbb", "d-cccccccccccc"
PLAN: dict[str, Any] = {
    "target": "dev",
    "command": "deploy",
    "version": "v2",
    "requester": {"id": "U0DANA001"},
    "channel": "C0DEPLOY1",
    "started_at": 1.0,
}


@pytest.fixture
def fake(rows: Table, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Fake:
    made = far_ends(rows, environment, time, tmp_path)
    for name in (BAD, GOOD, LAST):
        stored.begin(made.rows, name, arn(name), PLAN)
        made.end(name)
    return made


def ended(fake: Fake) -> dict[str, str]:
    return {name: fake.ended(name) for name in (BAD, GOOD, LAST)}


def test_an_execution_that_cannot_be_asked_about(fake: Fake) -> None:
    real = fake.states.describe_execution

    def describe(executionArn: str) -> Any:  # noqa: N803 - botocore's name
        if executionArn == arn(BAD):
            raise ServiceUnavailable("no answer")
        return real(executionArn=executionArn)

    fake.states.describe_execution = describe  # type: ignore[method-assign]
    with pytest.raises(ServiceUnavailable):
        call(sweep.run, {})
    assert ended(fake) == {BAD: "", GOOD: "Stopped", LAST: "Stopped"}


def test_a_record_that_settle_breaks_on(fake: Fake, environment: pytest.MonkeyPatch) -> None:
    real = sweep.settle

    def settle(deployment: Deployment, *rest: Any) -> Any:
        if deployment.id == BAD:
            raise KeyError("plan")
        return real(deployment, *rest)

    environment.setattr(sweep, "settle", settle)
    holder = Holder(LAST, arn(LAST), "deploy", "v2", "U0DANA001", "2025-01-01T00:00:00.000Z")
    fake.rows.transact(locks.taking("dev", holder))
    with pytest.raises(KeyError):
        call(sweep.run, {})
    assert ended(fake) == {BAD: "", GOOD: "Stopped", LAST: "Stopped"}
    assert fake.holder() == "", "the lock of another one is freed in the same sweep"


def test_a_message_that_cannot_be_made(fake: Fake, environment: pytest.MonkeyPatch) -> None:
    call(sweep.run, {})
    real = notify.ended
    for name in (BAD, GOOD):
        state = {"plan": PLAN, "outcome": {"end": "Stopped", "why": {}, "by": ""}}
        final = {"deployment_id": name, "execution_arn": arn(name), "state": state}
        fake.rows.transact(outbox.owing(Deployment.of(final)))

    def made(deployment: Deployment) -> bool:
        if deployment.id == BAD:
            raise ValueError("no such text")
        return real(deployment)

    environment.setattr(notify, "ended", made)
    with pytest.raises(ValueError, match="no such text"):
        call(sweep.run, {})
    assert [each.deployment.id for each in outbox.waiting(fake.rows)] == [BAD]
