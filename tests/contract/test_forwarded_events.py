"""Who may send events to the bot's bus, which ones, and that the role which sends them may do nothing else: by IAM's
rules as a simulator has them that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.unit.iam import SIMULATOR
from tests.unit.resolved_template import ROOT, Resolved

pytestmark = pytest.mark.skipif(not SIMULATOR.exists(), reason="make check installs the simulator")

BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
ECS = {"events:source": ["aws.ecs"], "events:detail-type": ["ECS Deployment State Change"]}
CODEDEPLOY = {
    "events:source": ["aws.codedeploy"],
    "events:detail-type": ["CodeDeploy Deployment State-change Notification"],
}
OTHERS: list[dict[str, list[str]]] = [
    {**ECS, "events:source": ["aws.ec2"]},
    {**ECS, "events:source": ["aws.ecs", "aws.states"]},
    {**ECS, "events:detail-type": ["ECS Task State Change"]},
    {"events:detail-type": ECS["events:detail-type"]},
    {},
]
TARGET = {"TrustedRoleArns": "arn:aws:iam::123456789012:role/x", "EventBusArn": BUS}
ECS_TARGET = {**TARGET, "EcsClusterName": "shop", "EcsServiceName": "api"}


def accepted(accounts: str) -> list[dict[str, Any]]:
    """The statements of the bus."""
    made = Resolved({"TargetAccountIds": accounts}).resources("AWS::Events::EventBusPolicy")
    return [{"Sid": each["StatementId"], **each["Statement"]} for each in made.values()]


def forwarder() -> dict[str, Any]:
    made = Resolved(ECS_TARGET, "templates/target-role.yaml", {"AWS::AccountId": "210987654321"})
    role: dict[str, Any] = made.resources("AWS::IAM::Role")["ForwardingRole"]
    return role


def judged(cases: list[tuple[str, str, str, dict[str, list[str]]]], accounts: str) -> list[bool]:
    """Of each account that does this to that, with these condition keys."""
    (policy,) = forwarder()["Policies"]
    own = policy["PolicyDocument"]["Statement"]
    given = [
        [f"arn:aws:iam::{account}:role/forwards", own, accepted(accounts), action, resource, context]
        for account, action, resource, context in cases
    ]
    program = ROOT / "tests/contract/cross_account.mjs"
    done = subprocess.run(
        ["node", str(program)], input=json.dumps(given), capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_the_bus_takes_rollouts_of_the_named_accounts_and_nothing_else() -> None:
    put, accounts = "events:PutEvents", "210987654321,111122223333"
    named = [(account, put, BUS, sent) for account in accounts.split(",") for sent in (ECS, CODEDEPLOY)]
    assert judged(named, accounts) == [True] * 4
    assert not any(judged([("210987654321", put, BUS, sent) for sent in OTHERS], accounts))
    assert not any(judged([("999999999999", put, BUS, sent) for sent in (ECS, CODEDEPLOY)], accounts))
    assert accepted("") == [], "none by default"


def test_the_role_that_forwards_may_do_no_more_and_is_for_the_rules_of_its_stack() -> None:
    role = forwarder()
    other = BUS.replace("default", "other")
    cases: list[tuple[str, str, str, dict[str, list[str]]]] = [
        ("123456789012", "events:PutEvents", BUS, ECS),  # of the stack's own account, in another region: no bus policy
        ("123456789012", "events:PutEvents", other, ECS),
        ("123456789012", "ecs:UpdateService", "arn:aws:ecs:eu-west-1:123456789012:service/shop/api", {}),
    ]
    assert judged(cases, "") == [True, False, False]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "210987654321"},
        "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:210987654321:rule/platform-deploy-*"},
    }
