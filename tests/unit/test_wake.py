"""Events of ECS and CodeDeploy: which ones reach the bot, whom they wake, and that nothing else comes of them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.events.models import EventPattern

from chatops import aws
from chatops.settings import targets
from chatops.steps import wake
from chatops.store import locks, wakeups
from chatops.store.table import Table
from fakes.clock import Clock
from fakes.codedeploy import CodeDeploy, Course
from fakes.ecs import Ecs, Rollout
from local.events import ServiceEvents
from tests.unit.resolved_template import Resolved
from tests.unit.test_store_waits import States

Event = dict[str, Any]
ID = "d-abcdefghijkl"
ECS: Event = {
    # as published: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
    "version": "0",
    "id": "ddca6449-b258-46c0-8653-e0e3aEXAMPLE",
    "detail-type": "ECS Deployment State Change",
    "source": "aws.ecs",
    "account": "111122223333",
    "time": "2020-05-23T12:31:14Z",
    "region": "us-west-2",
    "resources": ["arn:aws:ecs:us-west-2:111122223333:service/default/servicetest"],
    "detail": {
        "eventType": "INFO",
        "eventName": "SERVICE_DEPLOYMENT_COMPLETED",
        "deploymentId": "ecs-svc/123",
        "updatedAt": "2020-05-23T11:11:11Z",
        "reason": "ECS deployment deploymentID completed.",
    },
}
CODEDEPLOY: Event = {
    # as AWS's own library for Lambda in Go has it, events/testdata/codedeploy-deployment-event.json:
    # https://github.com/aws/aws-lambda-go (the user guide's page is of the same form)
    "account": "123456789012",
    "region": "us-east-1",
    "detail-type": "CodeDeploy Deployment State-change Notification",
    "source": "aws.codedeploy",
    "version": "0",
    "time": "2016-06-30T22:06:31Z",
    "id": "c071bfbf-83c4-49ca-a6ff-3df053957145",
    "resources": [
        "arn:aws:codedeploy:us-east-1:123456789012:application:myApplication",
        "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:myApplication/myDeploymentGroup",
    ],
    "detail": {
        "instanceGroupId": "9fd2fbef-2157-40d8-91e7-6845af69e2d2",
        "region": "us-east-1",
        "application": "myApplication",
        "deploymentId": "d-123456789",
        "state": "SUCCESS",
        "deploymentGroup": "myDeploymentGroup",
    },
}
TARGETS = """
targets:
  far: {ecs: {cluster: default, service: servicetest}, region: us-west-2, role_arn: "arn:aws:iam::111122223333:role/x"}
  free: {ecs: {cluster: default, service: servicetest}, region: us-west-2, role_arn: "arn:aws:iam::111122223333:role/y"}
  near: {ecs: {cluster: default, service: servicetest}}
  batch: {codedeploy: {application: myApplication, group: myDeploymentGroup}}
  vm: {}
"""
HOME = {"AWS::Region": "us-west-2", "AWS::AccountId": "111122223333"}
ROLE = {"TrustedRoleArns": "arn:aws:iam::999999999999:role/x"}
BUS = "arn:aws:events:eu-west-1:999999999999:event-bus/default"


def patterns(parameters: dict[str, str], facts: dict[str, str]) -> dict[str, Event]:
    """Of the stack's rules, by name."""
    events = Resolved(parameters, facts=facts).resources("AWS::Serverless::Function")["WakeFunction"]["Events"]
    return {name: each["Properties"]["Pattern"] for name, each in events.items() if each["Type"] == "EventBridgeRule"}


RULES = patterns({}, HOME)


def matching(event: Event, rules: dict[str, Event] = RULES) -> list[str]:
    """The rules that would send this event, by an interpreter that nobody here wrote."""
    return [name for name, each in rules.items() if EventPattern.load(json.dumps(each)).matches_event(event)]


def changed(event: Event, **detail: object) -> Event:
    return {**event, "detail": {**event["detail"], **detail}}


# -- the rules -------------------------------------------------------------------------------------------------------


def in_oregon(event: Event) -> Event:
    text = json.dumps(event).replace("us-east-1", "us-west-2").replace("123456789012", "111122223333")
    return dict(json.loads(text))


def test_the_rules_send_an_end_and_not_a_beginning() -> None:
    assert matching(ECS) == matching(changed(ECS, eventName="SERVICE_DEPLOYMENT_FAILED")) == ["EcsRollout"]
    assert matching(changed(ECS, eventName="SERVICE_DEPLOYMENT_IN_PROGRESS")) == []
    ours = in_oregon(CODEDEPLOY)
    assert {tuple(matching(changed(ours, state=state))) for state in ("SUCCESS", "FAILURE", "STOP", "READY")} == {
        ("CodeDeployRollout",)
    }
    assert matching(changed(ours, state="START")) == []


@pytest.mark.parametrize("name", ["source", "detail-type", "account"])
def test_the_rules_send_nothing_of_anybody_elses(name: str) -> None:
    for event in (ECS, in_oregon(CODEDEPLOY)):
        assert matching({**event, name: "999999999999"}) == []


def test_a_targets_own_account_forwards_what_the_stack_takes_from_it_and_no_more() -> None:
    """`account` and `region` of a forwarded event are those that it comes from:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html"""
    bot = {"AWS::Region": "eu-west-1", "AWS::AccountId": "999999999999"}
    takes = patterns({"TargetAccountIds": "111122223333,123456789012"}, bot)
    ecs = {"EcsClusterName": "default", "EcsServiceName": "servicetest"}
    group = {"CodeDeployAppName": "myApplication", "CodeDeployGroupName": "myDeploymentGroup"}
    for event, target in ((ECS, ecs), (CODEDEPLOY, group)):
        facts = {"AWS::Region": event["region"], "AWS::AccountId": event["account"]}
        sends = forwarded(target, facts)
        (name,) = sends
        for moved in (event, *(changed(event, **{key: each}) for key, each in MOVES)):
            assert len(matching(moved, sends)) == len(matching(moved, takes)), moved["detail"]
        assert matching(event, sends) == [name]
        assert matching(event, patterns({}, bot)) == [], "an account that the stack does not name"
        other = json.loads(json.dumps(event).replace("servicetest", "x").replace("myDeploymentGroup", "x"))
        assert matching(other, sends) == []
        assert not forwarded(target, bot), "the stack's own bus does not send to itself"
        assert not Resolved({**ROLE, **target}, "templates/target-role.yaml").resources("AWS::Events::Rule")


MOVES = [
    *(("eventName", f"SERVICE_DEPLOYMENT_{name}") for name in ("IN_PROGRESS", "FAILED")),
    *(("state", name) for name in ("START", "FAILURE", "STOP", "READY")),
]


def forwarded(target: dict[str, str], facts: dict[str, str]) -> dict[str, Event]:
    """Patterns of the rules that templates/target-role.yaml makes in the target's account."""
    made = Resolved({**ROLE, **target, "EventBusArn": BUS}, "templates/target-role.yaml", facts)
    rules = made.resources("AWS::Events::Rule")
    assert [each["Targets"][0]["Arn"] for each in rules.values()] == [BUS] * len(rules)
    return {name: each["EventPattern"] for name, each in rules.items()}


# -- the fakes send what AWS does ------------------------------------------------------------------------------------


def form(event: Any) -> Any:
    """Names and kinds of what is in it."""
    if isinstance(event, dict):
        return {name: form(each) for name, each in event.items()}
    return [form(event[0])] if isinstance(event, list) else type(event)


class Runtime:
    """Functions that are told, and fail as often as they should."""

    def __init__(self, failures: int = 0) -> None:
        self.told: list[Event] = []
        self.failures = failures

    def invoke(self, name: str, event: Event, /) -> Any:
        self.told.append(event)
        self.failures -= 1

        class Answer:
            error = "Broken" if self.failures >= 0 else None

        return Answer


class Moment(Clock):
    """A clock that is moved."""

    at = 1_760_000_000.0

    def now(self) -> float:
        return self.at


def names(events: list[Event]) -> list[str]:
    return [str(each["detail"].get("eventName") or each["detail"]["state"]) for each in events]


EVERYTHING = [("wake", {"source": ["aws.ecs"]}), ("wake", {"source": ["aws.codedeploy"]})]


def test_the_fake_of_ecs_sends_events_of_the_published_form() -> None:
    time = Moment()
    ecs, runtime = Ecs(time), Runtime()
    events = ServiceEvents([ecs], runtime, EVERYTHING)
    for outcome in ("healthy", "circuit_breaker"):
        ecs.next_rollout = Rollout(outcome=outcome)  # type: ignore[arg-type]  # two of its words
        ecs.update_service(ecs.register_task_definition("registry/app:v2"))
        time.at += 60
        events.beat()
    begun, done, failed = (f"SERVICE_DEPLOYMENT_{each}" for each in ("IN_PROGRESS", "COMPLETED", "FAILED"))
    assert names(runtime.told) == [begun, done, begun, failed, begun, done]
    assert {json.dumps(form(each), default=str) for each in runtime.told} == {json.dumps(form(ECS), default=str)}


def test_the_fake_of_codedeploy_sends_events_of_the_published_form() -> None:
    time = Moment()
    fake, runtime = CodeDeploy(time), Runtime(failures=1)
    fake.add_group("batch", "live").courses = [
        Course(),
        Course(waits="READY_WAIT", ready_minutes=1),
        Course(outcome="fails"),
    ]
    events = ServiceEvents([fake], runtime, EVERYTHING)
    for _ in range(3):
        fake.deploy("batch", "live", "v2")
        time.at += 200
        events.beat()
    again, *told = names(runtime.told)
    assert again == "START", "a function that fails is told again"
    assert told == ["START", "SUCCESS", "START", "READY", "STOP", "START", "FAILURE"]
    assert form(runtime.told[0]) == form(CODEDEPLOY)


# -- whom they wake --------------------------------------------------------------------------------------------------


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[States]:
    """`ID` holds the targets of another account and of CodeDeploy, and waits."""
    (tmp_path / "targets.yaml").write_text(TARGETS)
    environment.setenv("CHATOPS_TARGETS_FILE", str(tmp_path / "targets.yaml"))
    targets._cached.cache_clear()
    fake, dynamodb = States(), rows._client
    environment.setattr(aws, "client", lambda service, **_: dynamodb if service == "dynamodb" else fake)
    for name in ("far", "batch"):
        rows.transact(locks.taking(name, locks.Holder(ID, "arn", "deploy", "v1", "U0DANA001", "")))
    waits(rows, fake, "token-1")
    yield fake
    targets._cached.cache_clear()


def waits(rows: Table, fake: States, token: str) -> None:
    assert wakeups.park(rows, ID, token, wakeups.counter(rows, ID))
    fake.waiting.add(token)


@pytest.mark.parametrize("event", [ECS, CODEDEPLOY], ids=["ecs", "codedeploy"])
def test_an_event_wakes_who_holds_its_target_as_often_as_it_comes(rows: Table, states: States, event: Event) -> None:
    assert wake.run(event) == {"woken": [ID]}
    assert states.answered == ["token-1"]
    assert wake.run(event) == {"woken": [ID]}, "nobody waits: the next wait does not begin before a look"
    assert not wakeups.park(rows, ID, "token-2", 1)
    waits(rows, states, "token-3")
    assert wake.run(event) == {"woken": [ID]}
    assert states.answered == ["token-1", "token-3"]


def test_an_event_of_a_service_that_nobody_deploys_to_wakes_nobody(rows: Table, states: States) -> None:
    near = json.loads(json.dumps(ECS).replace("us-west-2", "us-east-1").replace("111122223333", "123456789012"))
    assert wake.run(near) == {"woken": []}
    assert states.answered == []


@pytest.mark.parametrize("other", ["us-east-2", "999999999999", "service/default/other", "service/other/servicetest"])
def test_what_concerns_no_target_asks_the_table_nothing(
    states: States, environment: pytest.MonkeyPatch, other: str
) -> None:
    environment.setattr(wake, "table", lambda: pytest.fail("the table is asked"))
    part = {"us-east-2": "us-west-2", "999999999999": "111122223333"}.get(other, "service/default/servicetest")
    assert wake.run(json.loads(json.dumps(ECS).replace(part, other))) == {"woken": []}


def hostile() -> Iterator[Any]:
    """The samples with every value of theirs replaced by something else, or gone; and what is no event at all."""
    strange: list[Any] = [
        None,
        True,
        1,
        1e300,
        "",
        "\ud800",
        "arn:aws:ecs:*:*:service/*",
        [],
        [[]],
        [None],
        {},
        {"a": []},
    ]
    yield from strange
    for event in (ECS, CODEDEPLOY):
        for name in event:
            yield {key: value for key, value in event.items() if key != name}
            yield from ({**event, name: each} for each in strange)
        for name in event["detail"]:
            yield from (changed(event, **{name: each}) for each in strange)


def test_whatever_arrives_is_answered_and_wakes_at_most_who_waits(states: States) -> None:
    answers = [wake.run(copy.deepcopy(event)) for event in hostile()]
    assert all(answer in ({"woken": []}, {"woken": [ID]}) for answer in answers)
    assert {"woken": []} in answers


def test_a_table_that_does_not_answer_is_an_error_so_that_lambda_tries_again(
    states: States, environment: pytest.MonkeyPatch
) -> None:
    states.down = True
    with pytest.raises(Exception, match="InternalFailure"):
        wake.run(ECS)
