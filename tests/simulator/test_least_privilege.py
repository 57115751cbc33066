"""Each function may do what its code does, and nothing else: its policy in template.yaml against the calls it makes.

The calls are those of the real handlers in every scenario and tour of the simulator, with the resource of each. A call
that no policy allows, and a permission that no call needs, fails with the function's name. The second judge, which
nobody here wrote, also knows from AWS's service authorization reference which resources an action takes, so that the
recorder's own reading of a request is held to it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from chatops.domain.news import SOURCE
from chatops.settings import secrets
from local.pages import card_page, page_request
from tests.simulator.engine import MACHINE_ARN
from tests.simulator.play import HoursDriver
from tests.simulator.points import Plan
from tests.simulator.recorded import ACCOUNT, SECRETS, TABLE, Call, Recorder
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import opened, target_of
from tests.simulator.tours import TOURS
from tests.unit.iam import SIMULATOR, Context, Judge, Question, listed, matches, ours, simulated
from tests.unit.resolved_template import Resolved

Policies = Mapping[str, list[dict[str, Any]]]
"""The statements of each function, by its local name."""
FACTS = {
    "AWS::Region": ACCOUNT.partition(":")[0],
    "Table.Arn": TABLE,
    "SlackSecret": SECRETS[secrets.SLACK],
    "GithubSecret": SECRETS[secrets.GITHUB],
    "WebhookSecret": SECRETS[secrets.WEBHOOK],
}
ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
CONTEXT: Mapping[str, Context] = {
    "iam:PassRole": {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
    "events:PutEvents": {"events:source": [SOURCE]},
}


@cache
def policies(target: str) -> Policies:
    """As deployed for a service and a group of this name."""
    given = {"EcsClusterName": "checkout", "EcsServiceName": target}
    resolved = Resolved({**given, "CodeDeployAppName": target, "CodeDeployGroupName": "live"}, facts=FACTS)
    return {
        each["CodeUri"].split("/")[1]: [one for policy in each.get("Policies", []) for one in policy["Statement"]]
        for each in resolved.resources("AWS::Serverless::Function").values()
    }


def made(*names: str) -> dict[str, set[Call]]:
    """What these plays call (none named: all of them), by their target."""
    found: dict[str, set[Call]] = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, tour in TOURS.items():
            patch.setitem(SCENARIOS, name, tour.scenario)
        with opened() as session:
            recorder = Recorder(session, patch)
            for name in names or tuple(SCENARIOS):
                play = HoursDriver(Plan(name, TOURS[name].points if name in TOURS else ()), session)
                play.run()
                assert not play.failures, (name, play.failures)
                with suppress(LookupError):  # some of them have no message
                    session.lambdas.invoke("page", page_request(card_page(session.slack.messages)))
                target = target_of(name)
                found[target] = {one for call in recorder.calls for one in (call, *behind(call, target))}
                recorder.calls.clear()
    return found


def behind(call: Call, target: str) -> Iterator[Call]:
    """What AWS itself asks its caller's policy for, beside the operation.
    https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security_iam_roles.html (a role in the task definition)
    """
    function, action, _ = call
    codedeploy = f"arn:aws:codedeploy:{ACCOUNT}"
    if action == "codedeploy:CreateDeployment":
        for name in ("GetApplicationRevision", "RegisterApplicationRevision"):
            yield function, f"codedeploy:{name}", f"{codedeploy}:application:{target}"
        yield function, "codedeploy:GetDeploymentConfig", f"{codedeploy}:deploymentconfig:CodeDeployDefault.OneAtATime"
    elif (function, action) == ("sweep", "states:DescribeExecution"):
        # instead of it where more are open than a play has: tests/faults/races/test_sweep_measured.py
        yield function, "states:ListExecutions", MACHINE_ARN
    elif action == "ecs:UpdateService":
        yield function, "iam:PassRole", ROLE


def denied(judge: Judge, known: Callable[[str], Policies], calls: Mapping[str, set[Call]]) -> set[Call]:
    """The calls that the function's policy does not allow."""
    asked = [(target, call) for target, each in calls.items() for call in sorted(each)]
    questions: list[Question] = [
        (known(target)[function], action, where, CONTEXT.get(action, {})) for target, (function, action, where) in asked
    ]
    return {call for (_, call), answer in zip(asked, judge(questions), strict=True) if not answer}


def unused(known: Callable[[str], Policies], calls: Mapping[str, set[Call]]) -> set[tuple[str, str]]:
    """The actions and the resources of the policies' statements that no call needs: by function."""
    may: dict[tuple[str, int, str | int], str] = {}
    needed: set[tuple[str, int, str | int]] = set()
    for target, each in calls.items():
        for function, statements in known(target).items():
            for number, one in enumerate(statements):
                resources = listed(one["Resource"])
                may |= {(function, number, action): action for action in one["Action"]}
                may |= {(function, number, at): resource for at, resource in enumerate(resources)}
                for caller, action, where in each:
                    hits = [at for at, resource in enumerate(resources) if matches(resource, where)]
                    if caller == function and action in one["Action"] and hits:
                        needed |= {(function, number, action), *((function, number, at) for at in hits)}
    return {(key[0], said) for key, said in may.items() if key not in needed}


@pytest.mark.slow
def test_no_function_has_a_permission_too_few_or_too_many() -> None:
    calls = made()
    assert sorted(denied(ours, policies, calls)) == [], "calls that no policy allows"
    assert sorted(unused(policies, calls)) == [], "permissions that no call needs"


@pytest.mark.slow
@pytest.mark.skipif(not SIMULATOR.exists(), reason="npm install brings the simulator")
def test_somebody_elses_simulator_allows_every_call() -> None:
    assert sorted(denied(simulated, policies, made())) == []


def test_a_permission_too_many_too_few_or_for_something_else_is_found() -> None:
    calls, target = made("approved"), target_of("approved")
    before = unused(policies, calls)
    spoiled = copy.deepcopy(policies(target))
    spoiled["notify"][0]["Action"].append("dynamodb:PutItem")
    spoiled["park"].append({"Action": ["states:SendTaskSuccess"], "Resource": "*"})
    (github,) = [one for one in spoiled["dispatch"] if one["Resource"] == SECRETS[secrets.GITHUB]]
    github["Resource"] = list(SECRETS.values())
    assert unused(lambda _: spoiled, calls) - before == {
        ("notify", "dynamodb:PutItem"),
        ("park", "states:SendTaskSuccess"),
        ("park", "*"),
        ("dispatch", SECRETS[secrets.SLACK]),
        ("dispatch", SECRETS[secrets.WEBHOOK]),
    }
    spoiled["plan"][0]["Action"].remove("dynamodb:Query")
    for one in [*spoiled["notify"], *spoiled["slack"]]:
        if one["Resource"] == SECRETS[secrets.SLACK]:
            one["Resource"] = SECRETS[secrets.GITHUB]
        elif one["Action"] == ["states:StartExecution"]:
            one["Resource"] = MACHINE_ARN.replace("platform-deploy", "another")
        elif one["Action"] == ["events:PutEvents"]:
            one["Condition"]["ForAllValues:StringEquals"]["events:source"] = ["another"]
    assert denied(ours, lambda _: spoiled, calls) == {
        ("plan", "dynamodb:Query", TABLE),
        ("notify", "secretsmanager:GetSecretValue", SECRETS[secrets.SLACK]),
        ("notify", "events:PutEvents", f"arn:aws:events:{ACCOUNT}:event-bus/default"),
        ("slack", "secretsmanager:GetSecretValue", SECRETS[secrets.SLACK]),
        ("slack", "states:StartExecution", MACHINE_ARN),
    }
