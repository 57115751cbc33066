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
from local.world import states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = pytest.mark.engine


def name() -> str:
    return f"console-{uuid.uuid4().hex[:8]}"


def test_the_console_needs_a_command_and_a_version_and_nothing_else(build: Build) -> None:
    drive = build()
    drive.console({"command": "deploy", "version": "v1.2.3"}, name())
    assert drive.end() == "Deployed"
    told = [m for m in drive.world.slack.messages if m.channel == C_DEPLOY and "is live" in m.text]
    assert told, "executions started in the console report to SLACK_CHANNEL_ID"
    checks.all_hold(drive.world)


def test_nonsense_is_refused_in_words(build: Build) -> None:
    drive = build()
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
        drive.console(nonsense, name())
        assert drive.end() == "Refused", nonsense
        answer = json.loads(drive.world.describe(drive.arn)["output"])["plan"]["refusal"]["text"]
        assert len(answer) > 20, answer
    checks.all_hold(drive.world)


def test_null_is_no_input(build: Build) -> None:
    """It fails at the first path, as on AWS; nothing begins."""
    drive = build()
    drive.console(None, name())
    assert drive.end() == "Route Command"
    assert drive.world.describe(drive.arn)["status"] == "FAILED"
    last = drive.world.history(drive.arn)[-1]["executionFailedEventDetails"]
    assert last["error"] == "States.Runtime"
    assert checks.rows(drive.world) == []


@pytest.mark.slow
def test_the_same_delivery_any_number_of_times_is_one_execution(build: Build) -> None:
    drive = build()
    before = len(drive.world.executions())  # another engine remembers those of other tests
    first = drive.slash("/platform-deploy", "v1.2.3")
    again = [threading.Thread(target=drive.world.user.resend, args=(first,)) for _ in range(4)]
    for thread in again:
        thread.start()
    for thread in again:
        thread.join()
    assert drive.end() == "Deployed"
    assert drive.world.user.resend(first).status == 200
    assert len(drive.world.executions()) - before == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_an_execution_stopped_in_the_console_is_settled_by_sweep(build: Build) -> None:
    drive = build()
    drive.world.github.script["build"] = Script(seconds=600)
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Wait For Build")
    drive.world.sfn.stop_execution(executionArn=drive.arn)
    told = drive.world.slack.wait_for(lambda m: "Stopped" in m.text and bool(m.thread_ts), 20)
    assert told
    drive.slash("/platform-deploy", "v1.1.0")
    drive.world.github.script["build"] = Script(seconds=1)
    drive.end()


@pytest.mark.slow
def test_a_stopped_deployment_keeps_its_lock_until_its_deploy_run_has_ended(build: Build) -> None:
    drive = build()
    drive.world.github.script["deploy"] = Script(seconds=300, ignores_cancel=True)
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Wait For Deploy")
    while not any(r.claim_status == 200 and r.payload["stage"] == "deploy" for r in drive.world.github.runs):
        threading.Event().wait(0.02)
    stopped = drive.arn
    drive.world.sfn.stop_execution(executionArn=stopped)
    drive.world.slack.wait_for(lambda m: "Stopped" in m.text, 20)
    drive.slash("/platform-deploy", "v1.1.0")
    assert drive.arn != stopped
    assert drive.end() == "Refused"
    assert "busy" in drive.world.slack.messages[-1].text


@pytest.mark.slow
def test_a_rollback_goes_ahead_of_a_deployment_that_waits_for_approval(build: Build) -> None:
    drive = build(scenario(approval=True))
    for version in ("v1.0.0", "v1.1.0"):
        assert drive.run("/platform-deploy", version, approve=True) == "Deployed"
    drive.slash("/platform-deploy", "v1.2.3")
    waiting = drive.arn
    drive.until_state("Request Approval")
    assert drive.run("/platform-rollback", "v1.0.0") == "Restored"
    assert drive.end(arn=waiting) == "Cancelled"
    assert any("went ahead" in m.text for m in drive.world.slack.messages)
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_back_and_back_again_never_returns_to_what_was_rolled_back_from(build: Build) -> None:
    drive = build()
    for version in ("v1.0.0", "v1.1.0", "v1.2.3"):
        assert drive.run("/platform-deploy", version) == "Deployed"
    assert drive.run("/platform-rollback") == "Restored"
    assert "v1.1.0 again" in drive.world.slack.messages[-1].text
    assert drive.run("/platform-rollback") == "Restored"
    assert "v1.0.0 again" in drive.world.slack.messages[-1].text
    assert drive.run("/platform-rollback") == "Refused"
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_failed_rollout_returns_to_what_was_live_and_not_to_the_one_before(build: Build) -> None:
    drive = build()
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    live = drive.world.ecs.running_image()
    drive.world.ecs.next_rollout = Rollout(seconds=200, outcome="stuck")
    drive.world.ecs.configure({"deploymentCircuitBreaker": {"enable": False, "rollback": False}})
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Check Rollout")
    drive.slash("/platform-deploy", f"cancel {drive.deployment_id}")
    assert drive.end() == "Restored"
    assert drive.world.ecs.running_image() == live


@pytest.mark.slow
def test_a_target_outside_ecs_is_deployed_and_rolled_back_by_the_pipeline(build: Build) -> None:
    drive = build(scenario(ecs=False))
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert drive.run("/platform-rollback", "it smells") == "Restored"
    entered = states_entered(drive.world.history(drive.arn))
    assert "Dispatch Rollback" in entered
    drive.world.github.script["deploy"] = Script(outcome="failure", seconds=1)
    assert drive.run("/platform-deploy", "v1.3.0") == "Rolled Back"
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_github_asking_for_a_pause_is_obeyed(build: Build) -> None:
    drive = build()
    drive.world.github.faults.append(Fault.secondary_limit("/dispatches$", status=403, retry_after=1))
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_dispatch_whose_reply_is_lost_is_not_repeated(build: Build) -> None:
    drive = build()
    drive.world.github.faults.append(Fault(method="POST", path="/dispatches$", lose_reply=True, times=1))
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    assert sum(1 for r in drive.world.github.runs if r.payload["stage"] == "build") == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_refused_token_is_said_in_words(build: Build) -> None:
    drive = build()
    drive.world.github.tokens.clear()
    assert drive.run("/platform-deploy", "v1.2.3") == "Refused"
    assert "token" in drive.world.slack.messages[-1].text
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_rerun_of_a_stage_deploys_nothing(build: Build) -> None:
    drive = build()
    assert drive.run("/platform-deploy", "v1.2.3") == "Deployed"
    deploy = next(r for r in drive.world.github.runs if r.payload["stage"] == "deploy")
    before = len(drive.world.ecs.calls)
    image = drive.world.ecs.running_image()
    again = drive.world.github.rerun(deploy.id)
    assert drive.world.github.settle(10)
    assert again.claim_status == 403
    assert drive.world.ecs.running_image() == image
    assert len(drive.world.ecs.calls) == before


@pytest.mark.slow
def test_a_channel_that_is_closed_to_the_bot_gets_its_answer_elsewhere(build: Build) -> None:
    drive = build()
    drive.slash("/platform-deploy", "v1.2.3", channel=G_SECRET)
    assert drive.end() == "Deployed"
    assert any(m.channel == C_DEPLOY and "is live" in m.text for m in drive.world.slack.messages)


@pytest.mark.slow
def test_guests_never_deploy(build: Build) -> None:
    drive = build()
    drive.slash("/platform-deploy", "v1.2.3", user=U_GUEST)
    assert drive.end() == "Refused"


@pytest.mark.slow
def test_only_those_who_were_asked_decide_and_everybody_is_answered(build: Build) -> None:
    drive = build(scenario(approval=True))
    drive.slash("/platform-deploy", "v1.2.3")
    card = copy.deepcopy(drive.card("approve"))  # as an approver who has not scrolled up still sees it
    for outsider in (U_OUT, U_DEV):
        drive.world.user.click(card, "approve", outsider)
        refusal = drive.world.slack.wait_for(lambda m, o=outsider: m.ephemeral_to == o and "decide" in m.text, 5)
        assert refusal
    drive.world.user.click(card, "approve", U_LEE)
    assert drive.end() == "Deployed"
    drive.world.user.click(card, "approve", U_KIM)
    assert drive.world.slack.wait_for(lambda m: m.ephemeral_to == U_KIM and "already" in m.text, 5)
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_lost_final_message_arrives_when_slack_is_back(build: Build) -> None:
    drive = build()
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Settle")
    drive.world.slack.faults.append(SlackFault("chat\\.(update|postMessage)", status=503, times=6))
    assert drive.end() == "Deployed"
    assert drive.world.slack.wait_for(lambda m: bool(m.thread_ts) and "is live" in m.text, 20)


@pytest.mark.slow
def test_status_during_a_rollout_names_what_was_live_and_who_is_at_it(build: Build) -> None:
    drive = build()
    drive.world.ecs.next_rollout = Rollout(seconds=200)
    drive.slash("/platform-deploy", "v1.2.3")
    deploying = drive.arn
    drive.until_state("Check Rollout")
    assert drive.run("/platform-status") == "Reported"
    told = drive.world.slack.messages[-1]
    assert told.text.startswith("dev runs v1.0.0")
    assert deploying.rpartition(":")[2] in json.dumps(told.blocks)
    assert drive.end(arn=deploying) == "Deployed"


def test_a_dry_run_does_nothing(build: Build) -> None:
    drive = build(scenario(approval=True))
    drive.slash("/platform-deploy", "v1.2.3 --dry-run")
    assert drive.end() == "Reported"
    assert "would go to" in drive.world.slack.messages[-1].text
    assert drive.world.github.runs == []
    assert [checks.key(r) for r in checks.rows(drive.world)] == []
