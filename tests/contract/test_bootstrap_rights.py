"""What the bootstrap's roles and its boundary let pass, by IAM's rules as read here and by a simulator that
nobody here wrote."""

from __future__ import annotations

import pytest

from tests.unit.iam import JUDGES, Judge, Question
from tests.unit.resolved_template import STACK, Resolved
from tests.unit.test_bootstrap import BOUNDARY, LIKE_REAL, arn, granted

MOST = BOUNDARY["PolicyDocument"]["Statement"]
ID = "51af3dc0-da77-11e4-872e-1234567db123"
MADE = [
    *(f"{name}Role" for name in Resolved().resources("AWS::Serverless::Function")),
    *(f"{name}Role" for name in Resolved().resources("AWS::Serverless::StateMachine")),
]
"""https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html"""
OTHER_SECRETS = [
    f"{STACK}-prod-slack-{ID}-a1b2c3",
    f"{STACK}-slack-eu-slack-{ID}-a1b2c3",
    f"{STACK}-slack-a1b2c3",
    f"{STACK}-database-{ID}-a1b2c3",
    f"other-github-{ID}-a1b2c3",
    "SlackSecret-1ABC-a1b2c3",
    "payments-a1b2c3",
]


@pytest.fixture(params=JUDGES)
def judge(request: pytest.FixtureRequest) -> Judge:
    found: Judge = request.param
    return found


def role(name: str) -> str:
    return arn("iam", f"role/{name}", "")


def test_secrets_are_the_stacks_own(judge: Judge) -> None:
    read, write = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
    pipeline, maker = granted("PipelineRole"), granted("CloudFormationRole")
    asked = [(MOST, read), (pipeline, read), (pipeline, write), (maker, "secretsmanager:UpdateSecret")]
    for statements, action in asked:
        own: list[Question] = [(statements, action, LIKE_REAL[name], {}) for name in ("SlackSecret", "GithubSecret")]
        assert judge(own) == [True, True], action
        theirs: list[Question] = [
            (statements, action, arn("secretsmanager", f"secret:{name}"), {}) for name in OTHER_SECRETS
        ]
        answers = dict(zip(OTHER_SECRETS, judge(theirs), strict=True))
        assert [name for name, answer in answers.items() if answer] == [], action
    nobody: list[Question] = [(MOST, write, LIKE_REAL["SlackSecret"], {}), (maker, read, LIKE_REAL["SlackSecret"], {})]
    assert judge(nobody) == [False, False]


def passed(name: str, service: str) -> Question:
    to = {"iam:PassedToService": f"{service}.amazonaws.com"}
    return granted("CloudFormationRole"), "iam:PassRole", role(name), to


def test_each_role_is_passed_to_its_own_service_and_no_other_role_to_any(judge: Judge) -> None:
    assert len(MADE) == 18
    services = {name: "states" if "StateMachine" in name else "lambda" for name in MADE}
    own = [passed(f"{STACK}-{name}-1ABCDEF", services[name]) for name in MADE]
    assert judge(own) == [True] * len(MADE)
    elsewhere = [
        passed(f"{STACK}-{name}-1ABCDEF", service)
        for name in MADE
        for service in ("lambda", "states", "ecs-tasks", "ec2", "cloudformation")
        if service != services[name]
    ]
    assert not any(judge(elsewhere))
    others = [
        *(f"{STACK}-prod-{name}-1ABCDEF" for name in MADE),
        *(f"{STACK}-Admin", f"{STACK}-AdminFunctionRole-1", f"{STACK}-PlanFunctionRole", "Admin"),
        *(f"chatops-pipeline-{STACK}", f"chatops-cloudformation-{STACK}"),
    ]
    assert not any(judge([passed(name, service) for name in others for service in ("lambda", "states")]))


def test_nobody_else_comes_to_be_trusted_by_a_role_that_is_there(judge: Judge) -> None:
    maker = granted("CloudFormationRole")
    bounded = {"iam:PermissionsBoundary": arn("iam", f"policy/chatops-boundary-{STACK}", "")}
    own = role(f"{STACK}-PlanFunctionRole-1ABCDEF")
    questions: list[Question] = [
        (maker, "iam:UpdateAssumeRolePolicy", name, context)
        for name in (own, role(f"chatops-pipeline-{STACK}"), role(f"chatops-cloudformation-{STACK}"))
        for context in ({}, bounded)
    ]
    assert not any(judge(questions))


def test_a_role_is_made_and_changed_within_the_boundary_alone(judge: Judge) -> None:
    # the boundary's ARN is a reference in the template
    maker = [
        {**each, "Condition": {**each["Condition"], "StringEquals": {"iam:PermissionsBoundary": limit()}}}
        if each.get("Condition", {}).get("StringEquals", {}).get("iam:PermissionsBoundary") == "<Boundary>"
        else each
        for each in granted("CloudFormationRole")
    ]
    own = role(f"{STACK}-PlanFunctionRole-1ABCDEF")
    changes = ("CreateRole", "PutRolePolicy", "DeleteRolePolicy", "PutRolePermissionsBoundary")
    within = {"iam:PermissionsBoundary": limit()}
    assert judge([(maker, f"iam:{name}", own, within) for name in changes]) == [True] * 4
    for context in ({}, {"iam:PermissionsBoundary": arn("iam", "policy/anything", "")}):
        assert not any(judge([(maker, f"iam:{name}", own, context) for name in changes]))


def limit() -> str:
    return arn("iam", f"policy/chatops-boundary-{STACK}", "")
