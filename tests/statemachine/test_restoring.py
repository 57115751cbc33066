"""While something is put back, the deployment's message goes on saying how far it is."""

from __future__ import annotations

import re

import pytest

from fakes.ecs import Rollout
from fakes.github import Script
from fakes.slack.store import Message
from local.session import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def shown(message: Message) -> list[str]:
    """Everything that the message has said, oldest first."""
    return [str(edit.blocks) for edit in message.edits] + [str(message.blocks)]


def test_tasks_are_shown_while_ecs_brings_the_release_back(build: Build) -> None:
    driver = build(scenario())
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.ecs.next_rollout = Rollout(seconds=150)
    assert driver.run("/platform-rollback", "orders cannot be paid") == "Restored"
    told = [text for text in shown(driver.card_of()) if "Rolling out" in text]
    assert any("*Tasks*" in text for text in told), told
    assert "Show Restored" in states_entered(driver.session.history(driver.arn))
    checks.all_hold(driver.session)


@pytest.mark.weekly
def test_job_and_step_are_shown_while_the_pipeline_brings_the_release_back(build: Build) -> None:
    driver = build(scenario(ecs=False))
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    driver.session.github.script["rollback"] = Script(seconds=150)
    assert driver.run("/platform-rollback") == "Restored"
    told = [text for text in shown(driver.card_of()) if "Rolling out" in text]
    assert any(re.search(r"Rollback job[^🔄·]*: [^·]+ · ", text) for text in told), told
    checks.all_hold(driver.session)
