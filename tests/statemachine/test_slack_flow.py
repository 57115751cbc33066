"""What people do in Slack, on the real engine with the real handlers: buttons, commands, operators."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from chatops.aws import made as _made
from fakes.identity import ARN
from fakes.slack.directory import C_DEPLOY, TEAM_ID, U_DEV, U_KIM, U_LEE
from fakes.slack.store import Message
from local import socket_mode
from local.session import STACK, Session
from scripts import operator
from tests.statemachine import checks
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def actions(message: Message) -> list[str]:
    return [button.action_id for button in message.buttons]


def test_the_roll_back_button_is_the_command_once_however_often_it_is_pressed(build: Build) -> None:
    driver = build()
    assert driver.run("/platform-deploy", "v1.0.0") == "Deployed"
    first = driver.card("roll_back")
    assert driver.run("/platform-deploy", "v1.1.0") == "Deployed"
    assert driver.session.slack.wait_for(lambda m: m is first and not actions(m), 5), "what is not live has no button"
    before = len(driver.session.executions())
    card = driver.card("roll_back")
    old = copy.deepcopy(card)  # as it stands on the screens of those who have not looked since
    for _ in range(3):  # a busy machine is too late for Slack: nothing was started, and they are asked to press again
        presses = [
            threading.Thread(target=driver.session.user.click, args=(old, "roll_back", user))
            for user in (U_KIM, U_KIM, U_LEE, U_DEV)
        ]
        for press in presses:
            press.start()
        for press in presses:
            press.join()
        started = driver.session.executions()
        if len(started) > before:
            break
    assert len(started) - before == 1
    driver.arn = started[0]["executionArn"]
    assert driver.end() == "Restored"
    assert driver.session.slack.wait_for(
        lambda m: m is card and not actions(m) and "is rolling this back" in str(m.blocks), 5
    )
    assert any(m.channel == card.channel and "is back on v1.0.0" in m.text for m in driver.session.slack.messages)
    driver.session.user.click(old, "roll_back", U_LEE)
    assert driver.session.slack.wait_for(lambda m: m.ephemeral_to == U_LEE and "any more" in m.text, 5)
    assert len(driver.session.executions()) - before == 1
    checks.all_hold(driver.session)


# -- an operator, while Slack is down ------------------------------------------------------------------------


@pytest.fixture
def as_operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """`as_operator(session, "approve", id, …)`: the command as somebody with IAM rights runs it."""
    _made.cache_clear()

    def run(session: Session, *words: str) -> int:
        table_url = session.dynamodb.meta.endpoint_url
        for name, value in {
            "AWS_ENDPOINT_URL": table_url,
            "AWS_ENDPOINT_URL_SFN": session.engine_url,
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
    driver = build(scenario(approval=True))
    driver.slash("/platform-deploy", "v1.2.3")
    driver.until_state("Poll Build")
    driver.session.slack.down = True
    driver.until_state("Request Approval")
    assert as_operator(driver.session, "approve", driver.deployment_id, "--by", "Lee") == 0
    assert driver.end() == "Deployed"
    assert as_operator(driver.session, "reject", driver.deployment_id, "--reason", "too late") == 1
    driver.session.slack.down = False
    told = driver.session.slack.wait_for(lambda m: "is live" in m.text and not m.thread_ts, 20)
    assert f"Approved by an operator (Lee, `{ARN}`)" in str(told.blocks)
    driver.session.slack.wait_for(lambda m: "is live" in m.text and bool(m.thread_ts), 20)
    for _ in range(100):  # the message is there a moment before its row is gone
        if not any(checks.key(row)[0] == "OUTBOX" for row in checks.rows(driver.session)):
            break
        threading.Event().wait(0.05)
    checks.all_hold(driver.session)


# -- Socket Mode ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_command_through_socket_mode_is_the_same_command(build: Build) -> None:
    """Unsigned as Slack delivers it there; the same envelope again is the same deployment."""
    driver = build(environment={"SLACK_APPROVERS": ""})
    fields = {
        "command": "/platform-deploy",
        "text": "v1.2.3",
        "team_id": TEAM_ID,
        "user_id": U_DEV,
        "user_name": "dana",
        "channel_id": C_DEPLOY,
        "trigger_id": "1.2.socket",
        "response_url": driver.session.slack.response_url(C_DEPLOY, U_DEV),
    }
    envelope = {"type": "slash_commands", "envelope_id": "e-1", "payload": fields, "accepts_response_payload": True}
    request = SocketModeRequest.from_dict(envelope)
    assert request
    acknowledged: list[dict[str, Any]] = []

    class Client:
        def send_socket_mode_response(self, response: SocketModeResponse) -> None:
            acknowledged.append(response.to_dict())

    hear = socket_mode.listener(driver.session.user.send)
    before = len(driver.session.executions())
    for _ in range(2):
        hear(Client(), request)
    started = driver.session.executions()
    assert len(started) - before == 1
    assert [a["payload"]["text"][:8] for a in acknowledged] == ["Got it. ", "Got it. "]
    driver.arn = started[0]["executionArn"]
    assert driver.end() == "Deployed"
    assert driver.session.template.functions["slack"].environment["SLACK_APPROVERS"] == "", "empty is meant, too"
    checks.all_hold(driver.session)
