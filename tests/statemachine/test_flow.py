"""Ways through the machine beyond the demo's scenarios."""

from __future__ import annotations

import copy
import json
import threading
import uuid

import pytest

from fakes.ecs import Rollout
from fakes.faults import Fault as SlackFault
from fakes.github import Fault, Script
from fakes.slack.directory import C_DEPLOY, G_SECRET, U_DEV, U_GUEST, U_KIM, U_LEE, U_OUT
from local.session import states_entered
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
def test_the_same_delivery_any_number_of_times_is_one_execution(build: Build) -> None:
    driver = build()
    before = len(driver.session.executions())  # another engine remembers those of other tests
    first = driver.slash("/platform-deploy", "v1.2.3")
    again = [threading.Thread(target=driver.session.user.resend, args=(first,)) for _ in range(4)]
    for thread in again:
        thread.start()
    for thread in again:
        thread.join()
    assert driver.end() == "Deployed"
    assert driver.session.user.resend(first).status == 200
    assert len(driver.session.executions()) - before == 1
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_an_execution_stopped_in_the_console_is_settled_by_sweep(build: Build) -> None:
    driver = build()
    driver.session.github.script["build"] = Script(seconds=600)
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Wait For Build")
    driver.session.sfn.stop_execution(executionArn=driver.arn)
    told = driver.session.slack.wait_for(lambda m: "Stopped" in m.text and bool(m.thread_ts), 20)
    assert told
    driver.slash("/platform-deploy", "v1.1.0")
    driver.session.github.script["build"] = Script(seconds=1)
    driver.end()


@pytest.mark.slow
def test_a_stopped_deployment_keeps_its_lock_until_its_deploy_run_has_ended(build: Build) -> None:
    driver = build()
    driver.session.github.script["deploy"] = Script(seconds=300, ignores_cancel=True)
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Wait For Deploy")
    while not any(r.claim_status == 200 and r.payload["stage"] == "deploy" for r in driver.session.github.runs):
        threading.Event().wait(0.02)
    stopped = driver.arn
    driver.session.sfn.stop_execution(executionArn=stopped)
    driver.session.slack.wait_for(lambda m: "Stopped" in m.text, 20)
    driver.slash("/platform-deploy", "v1.1.0")
    assert driver.arn != stopped
    assert driver.end() == "Refused"
    assert "busy" in driver.session.slack.messages[-1].text


@pytest.mark.slow
def test_a_rollback_goes_ahead_of_a_deployment_that_waits_for_approval(build: Build) -> None:
    driver = build(scenario(approval=True))
    for version in ("v1.0.0", "v1.1.0"):
        assert driver.run("/platform-deploy", version, approve=True) == "Deployed"
    driver.slash("/platform-deploy", "v1.2.3")
    waiting = driver.arn
    driver.until_state("Request Approval")
    assert driver.run("/platform-rollback", "v1.0.0") == "Restored"
    assert driver.end(arn=waiting) == "Cancelled"
    assert any("went ahead" in m.text for m in driver.session.slack.messages)
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_back_and_back_again_never_returns_to_what_was_rolled_back_from(build: Build) -> None:
    driver = build()
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert driver.run("/platform-deploy", version) == "Deployed"
    assert driver.run("/platform-rollback") == "Restored"
    assert "v1.1.0 again" in driver.session.slack.messages[-1].text
    assert driver.run("/platform-rollback") == "Restored"
    assert "v1.0.0 again" in driver.session.slack.messages[-1].text
    assert driver.run("/platform-rollback") == "Refused"
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_a_failed_rollout_returns_to_what_was_live_and_not_to_the_one_before(build: Build) -> None:
    driver = build()
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    live = driver.session.ecs.running_image()
    driver.session.ecs.next_rollout = Rollout(seconds=200, outcome="stuck")
    driver.session.ecs.configure({"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Check Rollout")
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    assert driver.end() == "Restored"
    assert driver.session.ecs.running_image() == live


@pytest.mark.slow
def test_a_target_outside_ecs_is_deployed_and_rolled_back_by_the_pipeline(build: Build) -> None:
    driver = build(scenario(ecs=False))
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert driver.run("/platform-rollback", "it smells") == "Restored"
    entered = states_entered(driver.session.history(driver.arn))
    assert "Dispatch Rollback" in entered
    driver.session.github.script["deploy"] = Script(outcome="failure", seconds=1)
    assert driver.run("/platform-deploy", "v1.3.0") == "Rolled Back"
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_github_asking_for_a_pause_is_obeyed(build: Build) -> None:
    driver = build()
    driver.session.github.faults.append(Fault.secondary_limit("/dispatches$", status=403, retry_after=1))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_a_dispatch_whose_reply_is_lost_is_not_repeated(build: Build) -> None:
    driver = build()
    driver.session.github.faults.append(Fault(method="POST", path="/dispatches$", lose_reply=True, times=1))
    assert driver.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert sum(1 for r in driver.session.github.runs if r.payload["stage"] == "build") == 1
    checks.all_hold(driver.session)


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
def test_guests_never_deploy(build: Build) -> None:
    driver = build()
    driver.slash("/platform-deploy", "v1.2.3", user=U_GUEST)
    assert driver.end() == "Refused"


@pytest.mark.slow
def test_only_those_who_were_asked_decide_and_everybody_is_answered(build: Build) -> None:
    driver = build(scenario(approval=True))
    driver.slash("/platform-deploy", "v1.2.3")
    card = copy.deepcopy(driver.card("approve"))  # as an approver who has not scrolled up still sees it
    for outsider in (U_OUT, U_DEV):
        driver.session.user.click(card, "approve", outsider)
        refusal = driver.session.slack.wait_for(lambda m, o=outsider: m.ephemeral_to == o and "decide" in m.text, 5)
        assert refusal
    driver.session.user.click(card, "approve", U_LEE)
    assert driver.end() == "Deployed"
    driver.session.user.click(card, "approve", U_KIM)
    assert driver.session.slack.wait_for(lambda m: m.ephemeral_to == U_KIM and "already" in m.text, 5)
    checks.all_hold(driver.session)


@pytest.mark.slow
def test_a_lost_final_message_arrives_when_slack_is_back(build: Build) -> None:
    driver = build()
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Settle")
    driver.session.slack.faults.append(SlackFault("chat\\.(update|postMessage)", status=503, times=6))
    assert driver.end() == "Deployed"
    assert driver.session.slack.wait_for(lambda m: bool(m.thread_ts) and "is live" in m.text, 20)


@pytest.mark.slow
def test_status_during_a_rollout_names_what_was_live_and_who_is_at_it(build: Build) -> None:
    driver = build()
    driver.session.ecs.next_rollout = Rollout(seconds=200)
    driver.slash("/platform-deploy", "v1.2.3")
    deploying = driver.arn
    driver.until_state("Check Rollout")
    assert driver.run("/platform-status") == "Reported"
    told = driver.session.slack.messages[-1]
    assert told.text.startswith("dev runs v1.0.0")
    assert deploying.rpartition(":")[2] in json.dumps(told.blocks)
    assert driver.end(arn=deploying) == "Deployed"


def test_a_dry_run_does_nothing(build: Build) -> None:
    driver = build(scenario(approval=True))
    driver.slash("/platform-deploy", "v1.2.3 --dry-run")
    assert driver.end() == "Reported"
    assert "would go to" in driver.session.slack.messages[-1].text
    assert driver.session.github.runs == []
    kept = [checks.key(row) for row in checks.rows(driver.session)]
    assert [key for key in kept if not key[0].startswith(("PERSON#", "WORKSPACE#"))] == []
