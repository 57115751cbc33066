"""What people do in Slack, on the real engine with the real handlers: buttons, commands, operators."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from chatops import operator
from chatops.aws import made as _made
from fakes.identity import ARN
from fakes.slack.directory import C_DEPLOY, TEAM_ID, U_DEV, U_GUEST, U_KIM, U_LEE
from fakes.slack.store import Message
from local import socket_mode
from local.world import STACK, World, states_entered
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def actions(message: Message) -> list[str]:
    return [button.action_id for button in message.buttons]


def test_the_roll_back_button_is_the_command_once_however_often_it_is_pressed(build: Build) -> None:
    drive = build()
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    first = drive.card("roll_back")
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert drive.world.slack.wait_for(lambda m: m is first and not actions(m), 5), "what is not live has no button"
    before = len(drive.world.executions())
    card = drive.card("roll_back")
    old = copy.deepcopy(card)  # as it stands on the screens of those who have not looked since
    presses = [
        threading.Thread(target=drive.world.user.click, args=(old, "roll_back", user))
        for user in (U_KIM, U_KIM, U_LEE, U_DEV)
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    started = drive.world.executions()
    assert len(started) - before == 1
    drive.arn = started[0]["executionArn"]
    assert drive.end() == "Restored"
    assert drive.world.slack.wait_for(lambda m: m is card and not actions(m) and "rolls this back" in str(m.blocks), 5)
    assert any(m.channel == card.channel and "v1.0.0 again" in m.text for m in drive.world.slack.messages)
    drive.world.user.click(old, "roll_back", U_LEE)
    assert drive.world.slack.wait_for(lambda m: m.ephemeral_to == U_LEE and "any more" in m.text, 5)
    assert len(drive.world.executions()) - before == 1
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_guest_cannot_roll_back_and_does_not_use_the_button_up(build: Build) -> None:
    drive = build()
    for version in ("v1.0.0", "v1.1.0"):
        assert drive.run("/platform-deploy", version) == "Deployed"
    card = drive.card("roll_back")
    drive.world.user.click(card, "roll_back", U_GUEST)
    drive.arn = drive.world.executions()[0]["executionArn"]
    assert drive.end() == "Refused"
    assert drive.world.slack.wait_for(lambda m: m.ephemeral_to == U_GUEST and "Guests" in m.text, 5)
    assert actions(card) == ["roll_back"]
    drive.world.user.click(card, "roll_back", U_LEE)
    drive.arn = drive.world.executions()[0]["executionArn"]
    assert drive.end() == "Restored"
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_a_stale_card_is_refused_by_plan_too(build: Build) -> None:
    """Between the click and the plan another deployment may have gone live."""
    drive = build()
    assert drive.run("/platform-deploy", "v1.0.0") == "Deployed"
    stale = drive.deployment_id
    assert drive.run("/platform-deploy", "v1.1.0") == "Deployed"
    drive.console({"command": "rollback", "card": stale}, "console-stale-card")
    assert drive.end() == "Refused"
    assert "not what runs" in drive.world.describe(drive.arn)["output"]
    assert "Restore Service" not in states_entered(drive.world.history(drive.arn))
    checks.all_hold(drive.world)


@pytest.mark.slow
def test_history_is_a_report_of_its_own(build: Build) -> None:
    drive = build()
    for version in ("v1.0.0", "v1.1.0"):
        assert drive.run("/platform-deploy", version) == "Deployed"
    assert drive.run("/platform-deploy", "history") == "Reported"
    told = drive.world.slack.messages[-1]
    assert told.ephemeral_to == U_DEV
    text = str(told.blocks)
    assert "`v1.0.0` → `v1.1.0` · *Deployed* · <@U0DANA001>" in text
    assert "in flight" not in text
    assert "running" not in text, "the service is what /platform-status is for"
    checks.all_hold(drive.world)


# -- an operator, while Slack is down ------------------------------------------------------------------------


@pytest.fixture
def as_operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """`as_operator(world, "approve", id, …)`: the command as somebody with IAM rights runs it against this world."""
    _made.cache_clear()

    def run(world: World, *words: str) -> int:
        table_url = world.dynamodb.meta.endpoint_url
        for name, value in {
            "AWS_ENDPOINT_URL": table_url,
            "AWS_ENDPOINT_URL_SFN": world.engine_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "CHATOPS_TABLE": f"{STACK}-table",
        }.items():
            monkeypatch.setenv(name, value)
        return operator.main(list(words))

    yield run
    _made.cache_clear()


@pytest.mark.slow
def test_an_operator_approves_while_slack_is_down_and_slack_hears_who_it_was(
    build: Build, as_operator: Callable[..., int]
) -> None:
    drive = build(scenario(approval=True))
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Poll Build")
    drive.world.slack.down = True
    drive.until_state("Request Approval")
    assert as_operator(drive.world, "approve", drive.deployment_id, "--by", "Lee") == 0
    assert drive.end() == "Deployed"
    assert as_operator(drive.world, "reject", drive.deployment_id, "--reason", "too late") == 1
    drive.world.slack.down = False
    told = drive.world.slack.wait_for(lambda m: "is live" in m.text and not m.thread_ts, 20)
    assert f"Approved by an operator (Lee, `{ARN}`)" in str(told.blocks)
    drive.world.slack.wait_for(lambda m: "is live" in m.text and bool(m.thread_ts), 20)
    for _ in range(100):  # the message is there a moment before its row is gone
        if not any(checks.key(row)[0] == "OUTBOX" for row in checks.rows(drive.world)):
            break
        threading.Event().wait(0.05)
    checks.all_hold(drive.world)


@pytest.mark.parametrize(
    ("words", "end"), [(("reject", "--reason", "not on a Friday"), "Rejected"), (("cancel",), "Cancelled")]
)
@pytest.mark.slow
def test_an_operator_says_no(build: Build, as_operator: Callable[..., int], words: tuple[str, ...], end: str) -> None:
    drive = build(scenario(approval=True))
    drive.slash("/platform-deploy", "v1.2.3")
    drive.until_state("Request Approval")
    assert as_operator(drive.world, words[0], drive.deployment_id, *words[1:]) == 0
    assert drive.end() == end
    assert drive.world.slack.wait_for(lambda m: f"an operator (`{ARN}`)" in m.text, 10)
    checks.all_hold(drive.world)


# -- Socket Mode ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_command_through_socket_mode_is_the_same_command(build: Build) -> None:
    """Unsigned as Slack delivers it there; the same envelope again is the same deployment."""
    drive = build(environment={"SLACK_APPROVERS": ""})
    fields = {
        "command": "/platform-deploy",
        "text": "v1.2.3",
        "team_id": TEAM_ID,
        "user_id": U_DEV,
        "user_name": "dana",
        "channel_id": C_DEPLOY,
        "trigger_id": "1.2.socket",
        "response_url": drive.world.slack.response_url(C_DEPLOY, U_DEV),
    }
    envelope = {"type": "slash_commands", "envelope_id": "e-1", "payload": fields, "accepts_response_payload": True}
    request = SocketModeRequest.from_dict(envelope)
    assert request
    acknowledged: list[dict[str, Any]] = []

    class Client:
        def send_socket_mode_response(self, response: SocketModeResponse) -> None:
            acknowledged.append(response.to_dict())

    hear = socket_mode.listener(drive.world.user.send)
    before = len(drive.world.executions())
    for _ in range(2):
        hear(Client(), request)
    started = drive.world.executions()
    assert len(started) - before == 1
    assert [a["payload"]["text"][:8] for a in acknowledged] == ["Got it. ", "Got it. "]
    drive.arn = started[0]["executionArn"]
    assert drive.end() == "Deployed"
    assert drive.world.template.functions["slack"].environment["SLACK_APPROVERS"] == "", "empty is meant, too"
    checks.all_hold(drive.world)
