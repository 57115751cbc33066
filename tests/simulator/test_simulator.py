"""A handler dies before or after any external call, alone or with a second fault: the deployment still ends, once, as
it should, with one effect a stage.

In one process and in virtual time. `make simulate N=1000000` plays more of the same; `make simulate ONLY='…'` plays one
again by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from tests.simulator import run
from tests.simulator.points import Plan, plan
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import Session, opened

DANGEROUS = (
    "approved@slack:deploy#1/States.StartExecution#1/after",
    "approved@slack:approve#1/DynamoDB.TransactWriteItems#1/after",
    "approved@dispatch:deploy#1/GitHub.POST.dispatches#1/after",
    "unasked@plan#1/DynamoDB.TransactWriteItems#1/after+plan#2/DynamoDB.GetItem#1/before",
    "unasked@claim:deploy#1/DynamoDB.TransactWriteItems#1/after",
    "unasked@settle#1/DynamoDB.TransactWriteItems#1/after+notify:outcome#1/Slack.chat.postMessage#1/after",
    "promoted@slack:promote#1/DynamoDB.TransactWriteItems#1/after",
    "promoted@promote#1/ECS.ContinueServiceDeployment#1/after",
    "rollback@restore#1/ECS.UpdateService#1/after",
    "cancelled-rollout@restore#1/ECS.StopServiceDeployment#1/after",
    "ec2-fails@dispatch:rollback#1/GitHub.POST.dispatches#1/after",
    "unclaimed@dispatch:deploy#1/GitHub.POST.dispatches#1/after",
    "stopped-build@sweep#1/GitHub.POST.actions.runs.*.cancel#1/after",
    "stopped-rollout@sweep#1/DynamoDB.TransactWriteItems#1/after",
)
"""One of each kind: what was done must be found done, and not be done again."""

PARTS, EACH, SEED = 20, 500, "1"
"""The gate's: the deaths of every scenario, each alone, and pairs."""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with opened() as made:
        yield made


@pytest.mark.parametrize("name", SCENARIOS)
def test_without_any_fault_it_ends_as_it_should(session: Session, name: str) -> None:
    _, result = run.played(Plan(name), session)
    assert not result.failures, str(result)


@pytest.mark.parametrize("text", DANGEROUS)
def test_the_most_dangerous_deaths(session: Session, text: str) -> None:
    _, result = run.played(plan(text), session)
    assert not result.failures, str(result)
    assert result.fired, "nobody died"


def test_the_same_plan_is_played_the_same_way(session: Session) -> None:
    text = DANGEROUS[3]
    first, second = (run.played(plan(text), session)[0] for _ in range(2))
    assert first.seen.record == second.seen.record
    assert [one.path for one in first.session.states.executions.values()] == [
        one.path for one in second.session.states.executions.values()
    ]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_goes_wrong_it_ends_once_and_as_it_should(
    session: Session, part: int, record_property: Callable[[str, object], None]
) -> None:
    plans = islice(run.chosen(run.records(session), SEED), part, None, PARTS)
    number, failing = run.many(plans, EACH, session)
    record_property("interleavings", number)
    assert not failing, "\n".join(map(str, failing[:10]))
