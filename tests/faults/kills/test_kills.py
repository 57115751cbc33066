"""A handler killed before or after any external call, alone or twice: the deployment still ends, once, with one effect.

Real processes are killed, over the whole flow on the real engine: Slack's edge, every step, the pipeline's calls and
`sweep`. `make kills N=10000` runs more of the same; `make kills ONLY='…'` one by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.faults.kills import batch
from tests.faults.kills.points import chosen, plan
from tests.faults.kills.run import told
from tests.faults.kills.scenarios import SCENARIOS

pytestmark = pytest.mark.engine

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
"""One of each kind: what was done must be found done, and not be done again. Every day the first few."""
EVERY_DAY = 3

PARTS, EACH, SEED = 5, 98, 4
"""So many interleavings of each part's scenarios: with the most dangerous ones more than 500 in the gate."""
AT_FIRST, MORE = 50, 6
"""Plans in one world. In some the play goes another way than when it was recorded: then others are tried."""
Note = Callable[[str, object], None]


def held(results: Sequence[batch.Result], record_property: Note) -> int:
    """How many interleavings there were; fails with every one that did not hold, and did not hold again by itself: with
    fifty plays beside it, a busy machine lets deadlines pass that no death has to do with. `make kills` tells all."""
    number = sum(result.killed for result in results)
    record_property("interleavings", number)
    again = [result.plan for result in results if result.failures]
    failing = [told(result) for text in again for result in batch.kill([plan(text)]) if result.failures]
    assert not failing, "\n".join(failing)
    return number


@pytest.mark.parametrize("texts", [DANGEROUS[:EVERY_DAY], pytest.param(DANGEROUS[EVERY_DAY:], marks=pytest.mark.slow)])
def test_the_most_dangerous_ones(texts: Sequence[str], record_property: Note) -> None:
    results = batch.kill([plan(text) for text in texts])
    if missed := [result.plan for result in results if not (result.killed or result.failures)]:
        # Slack's edge answers in time, done or not: on a machine that is busy enough nobody is there to be killed
        results = [result for result in results if result.plan not in missed]
        results += batch.kill([plan(text) for text in missed])
    assert held(results, record_property) == len(texts)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_anywhere_it_ends_once_and_as_it_should(part: int, record_property: Note) -> None:
    scenarios = list(SCENARIOS)[part::PARTS]
    plans = chosen(batch.records(scenarios), 2 * EACH, SEED + part)
    results = list[batch.Result]()
    while sum(result.killed for result in results) < EACH:
        size = AT_FIRST if len(results) + AT_FIRST <= EACH + MORE else MORE
        assert plans, "too many plays go another way"
        results += batch.kill(plans[:size])
        del plans[:size]
    held(results, record_property)
