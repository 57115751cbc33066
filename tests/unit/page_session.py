"""A session for the page: Slack's fake as it is, a bot that answers what it is told to, executions in memory."""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from chatops.domain.target import Policy, Target
from fakes.clock import Clock
from fakes.slack import Slack, SlackUser
from fakes.slack.client import Sent
from fakes.slack.directory import C_DEPLOY, U_KIM, U_LEE
from fakes.slack.methods import views_open

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:platform-deploy"
START = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
BUTTONS = [
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "value": "d-1",
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    }
]
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "reason"},
        }
    ],
}


class Bot:
    """The request URL's other side: keeps what came, answers what it is told to."""

    def __init__(self) -> None:
        self.came: list[Sent] = []
        self.answer: tuple[int, Mapping[str, str], bytes] = (200, {}, b"")

    def post(self, sent: Sent, timeout: float) -> tuple[int, Mapping[str, str], bytes]:
        self.came.append(sent)
        return self.answer

    @property
    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.came[-1].body.decode()))

    @property
    def payload(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.form["payload"])
        return found


class StepFunctions:
    """Executions by name with their events, answered like boto3's client."""

    def __init__(self) -> None:
        self.executions: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        self.page_size = 1000
        self.definition = '{"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}}'

    def add(self, name: str, status: str, events: list[dict[str, Any]], **more: Any) -> None:
        arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
        described = {"executionArn": arn, "name": name, "status": status, "startDate": START, **more}
        self.executions[name] = (described, events)

    def describe_state_machine(self, **asked: Any) -> dict[str, Any]:
        assert asked["stateMachineArn"] == MACHINE
        return {"definition": self.definition}

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        assert asked["stateMachineArn"] == MACHINE
        return {"executions": [one for one, _ in self.executions.values()][: asked["maxResults"]]}

    def describe_execution(self, **asked: Any) -> dict[str, Any]:
        return self._found(asked["executionArn"])[0]

    def get_execution_history(self, **asked: Any) -> dict[str, Any]:
        events = self._found(asked["executionArn"])[1]
        events = events[::-1] if asked.get("reverseOrder") else events
        begin, size = int(asked.get("nextToken", 0)), min(asked["maxResults"], self.page_size)
        more = {"nextToken": str(begin + size)} if begin + size < len(events) else {}
        return {"events": events[begin : begin + size], **more}

    def _found(self, arn: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        name = arn.rpartition(":")[2]
        if name not in self.executions:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": arn}}, "DescribeExecution")
        return self.executions[name]


class Session:
    def __init__(self) -> None:
        self.bot = Bot()
        self.slack = Slack(Clock())
        self.user = SlackUser(self.slack, "http://bot.invalid/prod/slack/events", "secret", post=self.bot.post)
        self.sfn = StepFunctions()
        self.machine_arn = MACHINE
        self.url = "http://127.0.0.1:8765"
        self.channel = C_DEPLOY
        policy = Policy(approvers=(U_LEE, U_KIM), deploy_approval=True)
        self.targets = {"dev": Target("dev", "acme/checkout-api", "dev_deploy", policy=policy)}

    def say(self, text: str, **more: Any) -> Any:
        space = self.slack.space
        channel = more.pop("channel", C_DEPLOY)
        text, blocks = space.content(text, more.pop("blocks", None))
        return space.post(channel, text, blocks, **more)


def event(number: int, kind: str, seconds: float = 0, **details: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "timestamp": START + dt.timedelta(seconds=seconds), **details}


def entered(number: int, name: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return event(number, "TaskStateEntered", seconds, stateEnteredEventDetails={"name": name, **more})


def exited(number: int, name: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
    return event(number, "TaskStateExited", seconds, stateExitedEventDetails={"name": name, **more})


def open_modal(session: Session) -> str:
    space = session.slack.space
    return str(views_open(space, {"trigger_id": space.tickets.trigger(U_LEE), "view": MODAL})["view"]["id"])
