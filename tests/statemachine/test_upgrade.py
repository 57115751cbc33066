"""An execution of the schema before, on the real engine: it waits for its approval, and goes on from there."""

from __future__ import annotations

import json
import time

import pytest

from local.slack.directory import C_DEPLOY, U_LEE
from local.world import STACK, World
from tests.faults.upgrades.samples import Sample, sample, targets_file
from tests.statemachine import checks
from tests.statemachine.conftest import Build

pytestmark = pytest.mark.engine


def seed(world: World, found: Sample) -> str:
    """Its rows, and its execution: entered at the state in which it was left. The execution's ARN."""
    for item in found.rows:
        world.dynamodb.put_item(TableName=f"{STACK}-table", Item=item)
    definition = json.loads(world.template.definition())
    # the other states stay reachable: a definition with one that nothing leads to is none
    there = {"Variable": "$.plan", "IsPresent": True, "Next": found.state_name}
    left = {"Type": "Choice", "Choices": [there], "Default": definition["StartAt"]}
    definition |= {"StartAt": "Left", "States": {"Left": left, **definition["States"]}}
    world.sfn.update_state_machine(stateMachineArn=world.machine_arn, definition=json.dumps(definition))
    return world.start(found.state, found.deployment_id)


@pytest.mark.slow
def test_an_approval_that_was_asked_for_before_the_upgrade_ends_in_deployed(build: Build) -> None:
    drive = build(targets=targets_file(1).read_text("utf-8"), sweep_seconds=600)
    found = sample(1, "waiting-for-approval").moved(time.time())
    drive.arn = seed(drive.world, found)
    drive.until_state("Request Approval")
    payload = {
        "type": "block_actions",
        "user": {"id": U_LEE},
        "channel": {"id": C_DEPLOY},
        "actions": [{"action_id": "approve", "value": drive.deployment_id}],
    }
    assert drive.world.user.interact(payload).status == 200
    assert drive.end() == "Deployed"
    assert any("is live" in message.text and "v1.2.3" in message.text for message in drive.world.slack.messages)
    checks.nothing_left_behind(drive.world)
    checks.each_stage_once(drive.world)
    checks.states_are_small(drive.world)
