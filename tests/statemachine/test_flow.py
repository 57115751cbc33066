"""Ways through the machine beyond the demo's scenarios."""

from __future__ import annotations

import json
import uuid

import pytest

from fakes.ecs import Rollout
from fakes.slack.directory import C_DEPLOY, G_SECRET
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = pytest.mark.engine


def name() -> str:
    return f"console-{uuid.uuid4().hex[:8]}"


def test_the_console_needs_a_command_and_a_version_and_nothing_else(build: Build) -> None:
    driver = build()
    driver.console({"command": "deploy", "version": "v1.2.3"}, name())
    assert driver.end() == "Deployed"
    told = [m for m in driver.session.slack.messages if m.channel == C_DEPLOY and "is live" in m.text]
    assert told, "executions started in the console report to SLACK_CHANNEL_ID"
    checks.all_hold(driver.session)


def test_nonsense_is_refused_in_words(build: Build) -> None:
    driver = build()
    for nonsense in (
        {},
        [],
        "deploy",
        3,
        False,
        {"command": None},
        {"command": "frobnicate"},
        {"command": ["deploy"]},
        {"command": " status"},
        {"command": "history "},
        {"command": "deploy", "plan": {"verdict": "go"}, "schema": None},
        {"command": {"deploy": [{"deeper": [[[{}]]]}]}},
        {"command": "deploy", "version": "$(reboot)"},
        {"command": "deploy", "version": 5},
        {"command": "deploy", "version": "v" * 300},
        {"command": "deploy", "version": "v9.9.9"},
        {"command": "deploy", "target": "moon"},
        {"command": "deploy", "requester": {"id": 7}, "channel": {"a": 1}, "dry_run": "yes"},
        {"command": "rollback"},
    ):
        driver.console(nonsense, name())
        assert driver.end() == "Refused", nonsense
        answer = json.loads(driver.session.describe(driver.arn)["output"])["plan"]["refusal"]["text"]
        assert len(answer) > 20, answer
    checks.all_hold(driver.session)


def test_null_is_no_input(build: Build) -> None:
    """It fails at the first path, as on AWS; nothing begins."""
    driver = build()
    driver.console(None, name())
    assert driver.end() == "Route Command"
    assert driver.session.describe(driver.arn)["status"] == "FAILED"
    last = driver.session.history(driver.arn)[-1]["executionFailedEventDetails"]
    assert last["error"] == "States.Runtime"
    assert checks.rows(driver.session) == []


@pytest.mark.slow
def test_a_refused_token_is_said_in_words(build: Build) -> None:
    driver = build()
    driver.session.github.tokens.clear()
    assert driver.run("/platform-deploy", "v1.2.3") == "Refused"
    assert "token" in driver.session.slack.messages[-1].text
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_a_rerun_of_a_stage_deploys_nothing(build: Build) -> None:
    driver = build()
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    deploy = next(r for r in driver.session.github.runs if r.payload["stage"] == "deploy")
    before = len(driver.session.ecs.calls)
    image = driver.session.ecs.running_image()
    again = driver.session.github.rerun(deploy.id)
    assert driver.session.github.settle(10)
    assert again.claim_status == 403
    assert driver.session.ecs.running_image() == image
    assert len(driver.session.ecs.calls) == before


@pytest.mark.slow
def test_a_channel_that_is_closed_to_the_bot_gets_its_answer_elsewhere(build: Build) -> None:
    driver = build()
    driver.slash("/platform-deploy", "v1.2.3", channel=G_SECRET)
    assert driver.end() == "Deployed"
    assert any(m.channel == C_DEPLOY and "is live" in m.text for m in driver.session.slack.messages)


@pytest.mark.slow
def test_status_during_a_rollout_names_what_was_live_and_who_is_at_it(build: Build) -> None:
    driver = build()
    driver.session.ecs.next_rollout = Rollout(seconds=500)
    driver.slash("/platform-deploy", "v1.2.3")
    deploying = driver.arn
    driver.until_state("Check Rollout")
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith("dev: v1.0.0")
    assert deploying.rpartition(":")[2] in json.dumps(told.blocks)
    assert driver.end(arn=deploying) == "Deployed"


def test_a_dry_run_does_nothing(build: Build) -> None:
    driver = build(scenario(approval=True))
    driver.slash("/platform-deploy", "v1.2.3 --dry-run")
    assert driver.end() == "Reported"
    assert "Dry run: v1.2.3 → dev" in driver.session.slack.messages[-1].text
    assert driver.session.github.runs == []
    kept = [checks.key(row) for row in checks.rows(driver.session)]
    assert [key for key in kept if not key[0].startswith(("PERSON#", "WORKSPACE#"))] == []
