"""While something is put back, the deployment's message goes on saying how far it is."""

from __future__ import annotations

import pytest

from fakes.ecs import Rollout
from fakes.github import Script
from fakes.slack.store import Message
from local.world import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def shown(message: Message) -> list[str]:
    """Everything that the message has said, oldest first."""
    return [str(edit.blocks) for edit in message.edits] + [str(message.blocks)]


def test_tasks_are_shown_while_ecs_brings_the_release_back(build: Build) -> None:
    drive = build(scenario())
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.world.ecs.next_rollout = Rollout(seconds=150)
    assert drive.run("/platform-rollback", "orders cannot be paid") == "Restored"
    told = [text for text in shown(drive.card_of()) if "Putting `v1.0.0` back" in text]
    assert any("ECS tasks" in text and "desired" in text for text in told), told
    assert "Show Restored" in states_entered(drive.world.history(drive.arn))
    checks.all_hold(drive.world)


def test_job_and_step_are_shown_while_the_pipeline_brings_the_release_back(build: Build) -> None:
    drive = build(scenario(ecs=False))
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.world.github.script["rollback"] = Script(seconds=150)
    assert drive.run("/platform-rollback") == "Restored"
    told = [text for text in shown(drive.card_of()) if "Putting `v1.0.0` back" in text]
    assert any("Rollback stage" in text and " · " in text for text in told), told
    checks.all_hold(drive.world)
