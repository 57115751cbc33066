"""A rollout that ECS pauses: the steps as the state machine takes them, against the ECS fake and a real table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from chatops import aws
from chatops.domain.question import Question
from chatops.edge import interactions
from chatops.settings import targets
from chatops.slack import client as slack
from chatops.steps import approval, ecs, promotion
from chatops.store import cancels, locks, questions
from chatops.store.table import Table
from fakes.clock import Clock
from fakes.ecs import Ecs
from tests.contract.conftest import served
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.steps import call
from tests.unit.views import PLAN

ID, CHANNEL = "d-abc234def567", "C0DEPLOY1"
DANA, LEE, KIM, OUT = "U0DANA001", "U0LEE0001", "U0KIM0001", "U0OUT0001"
BEFORE_EACH_STEP = "PRE_PRODUCTION_TRAFFIC_SHIFT"
Fact = dict[str, Any]


class Shared(Clock):
    """The fake's clock is the package's."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def now(self) -> float:
        return self._time.at


class Wakes:
    """Step Functions as far as tokens go."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = Exception

    def __init__(self) -> None:
        self.answered: list[str] = []

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - botocore's name
        assert output == "{}"
        self.answered.append(taskToken)


class Posts:
    """Slack: what was posted and edited, and what came back to people through their response URLs."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Fact]] = []
        self.told: list[tuple[str, str]] = []

    def call(self, method: str, **arguments: Any) -> Fact:
        self.calls.append((method, arguments))
        return {"ok": True, "channel": CHANNEL, "ts": f"1.{len(self.calls)}"}

    def respond(self, url: str, **message: Any) -> bool:
        self.told.append((url.rpartition("/")[2], str(message["text"])))
        return True

    @property
    def thread(self) -> list[str]:
        return [a["text"] for _, a in self.calls if a.get("thread_ts")]

    @property
    def card(self) -> Fact:
        """The living message as it stands."""
        return [a for _, a in self.calls if a.get("blocks")][-1]

    @property
    def buttons(self) -> dict[str, str]:
        rows = [b["elements"] for b in self.card["blocks"] if b["type"] == "actions"]
        return {e["action_id"]: e["value"] for row in rows for e in row}


class Paused:
    """One deployment to a service that pauses where `hook` says, from its deploy stage on."""

    def __init__(self, rows: Table, time: Time, fake: Ecs) -> None:
        self.rows, self.time, self.ecs = rows, time, fake
        self.posts, self.wakes = Posts(), Wakes()
        self.before = fake.service_deployment().target.revision.task_definition.arn
        self.state: Fact = {}

    def configure(self, strategy: str = "CANARY", stage: str = BEFORE_EACH_STEP, **timeout: Any) -> None:
        hook: Fact = {"targetType": "PAUSE", "lifecycleStages": [stage]}
        if timeout:
            hook["timeoutConfiguration"] = timeout
        parts = {"canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0}, "bakeTimeInMinutes": 0}
        self.ecs.configure({"strategy": strategy, "lifecycleHooks": [hook], **parts})

    def begin(self, requester: str = DANA, approved: bool = True) -> None:
        """The deploy stage has brought a task definition; ECS rolls it out."""
        previous = {**PLAN["previous"], "task_definition": self.before}
        plan = {**PLAN, "target": "dev", "previous": previous, "requester": {"id": requester, "name": "x"}}
        if not approved:
            plan["approval"] = {"required": False}
        new = self.ecs.register_task_definition("registry/app@sha256:" + "2" * 64)
        self.ecs.update_service(new)
        taking = locks.taking("dev", locks.Holder(ID, "arn", "deploy", "v1.2.3", requester, ""))
        stored.begin(self.rows, ID, "arn", plan, taking)
        self.state = {
            "plan": plan,
            "approval": {"decision": "approved" if approved else "", "eligible": [LEE, KIM]},
            "deploy": {"stage": "deploy", "state": "succeeded", "outputs": {"task_definition": new}},
        }

    def event(self, **more: Any) -> Fact:
        return {"deployment_id": ID, "execution_arn": "arn:x", "state": self.state, **more}

    def look(self, seconds: float = 0) -> Fact:
        """Check Rollout, some time later."""
        self.time.pass_by(seconds)
        self.state["rollout"] = call(ecs.run, self.event(mode="rollout"))
        return dict(self.state["rollout"])

    def until_paused(self) -> Fact:
        for _ in range(6):
            if (fact := self.look(4))["state"] == "paused":
                return fact
        raise AssertionError(fact)

    def ask(self) -> None:
        """Request Promotion."""
        call(approval.run, self.event(mode="promotion", token="token", wake=self.state["rollout"]["wake"]))

    def by_hand(self, action: str) -> None:
        """Somebody ends the pause in the console: CONTINUE or ROLLBACK."""
        pause = self.state["rollout"]["pause"]
        aws.client("ecs").continue_service_deployment(
            serviceDeploymentArn=pause["of"], hookId=pause["id"], action=action
        )

    def promote(self) -> bool:
        """Promote, the state."""
        self.state["promotion"] = call(promotion.promote, self.event())
        return bool(self.state["promotion"]["continued"])

    def press(self, action: str, user: str, value: str = "", channel: str = CHANNEL) -> str:
        """A click on the card as it stands (or on another's value); what came back to the person."""
        payload = {
            "type": "block_actions",
            "user": {"id": user},
            "channel": {"id": channel},
            "response_url": f"https://hooks.slack.com/actions/{user}",
            "actions": [{"action_id": action, "value": value or f"{ID}/{self.mark}"}],
        }
        assert interactions.answer(payload) == {"statusCode": 200, "body": ""}
        whom, text = self.posts.told.pop()
        assert whom == user
        return text

    @property
    def mark(self) -> str:
        """Of the pause that it has come to last."""
        return self.question.mark

    @property
    def question(self) -> Question:
        return questions.pauses(self.rows, ID)[0]

    @property
    def decision(self) -> str:
        return self.question.decision or ""

    @property
    def cancelled_by(self) -> str:
        found = cancels.get(self.rows, ID)
        return found.by if found else ""

    def continued(self) -> int:
        """How often ECS was told to go on, and did."""
        return sum(c.operation == "ContinueServiceDeployment" and not c.error for c in self.ecs.calls)


@contextmanager
def paused_world(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Iterator[Paused]:
    """Slack and Step Functions noted, ECS served; two approvers, no approval of one's own request."""
    for name, value in {
        "ECS_CLUSTER_NAME": "checkout",
        "ECS_SERVICE_NAME": "checkout-api",
        "SLACK_APPROVERS": f"{LEE},{KIM}",
    }.items():
        environment.setenv(name, value)
    targets._cached.cache_clear()
    with ExitStack() as stack:
        fake = Ecs(Shared(time))
        url = stack.enter_context(served(fake.app))
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        once = Config(retries={"total_max_attempts": 1})
        client = boto3.client("ecs", endpoint_url=url, config=once, **keys)
        stack.callback(client.close)
        session = Paused(rows, time, fake)
        ours = {"ecs": client, "stepfunctions": session.wakes, "dynamodb": rows._client}
        environment.setattr(aws, "client", lambda service, **_: ours[service])
        environment.setattr(slack, "call", session.posts.call)
        environment.setattr(slack, "respond", session.posts.respond)
        yield session


@pytest.fixture
def session(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> Iterator[Paused]:
    """A canary that pauses before each step of its traffic, and has just begun."""
    with paused_world(rows, environment, time) as made:
        made.configure()
        made.begin()
        yield made


@pytest.fixture
def asked(session: Paused) -> Paused:
    """It is paused, and people are asked."""
    session.until_paused()
    session.ask()
    return session
