"""The deployed stack: where its settings and secrets are read, and what is said when they cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doctor import __main__ as command
from doctor import deployed
from doctor.checks import CHECKS, configuration, events
from doctor.deployed import NoStack
from doctor.result import NotLooked, Result, State
from doctor.runner import Check, examine
from tests.doctor.stubs import Answers, Stubbed

ACCOUNT = "arn:aws:{}:us-east-1:123456789012:{}"
API = "https://abc123.execute-api.us-east-1.amazonaws.com/prod"
MACHINE = ACCOUNT.format("states", "stateMachine:platform-deploy-deploy")
SLACK, GITHUB, WEBHOOK = (
    ACCOUNT.format("secretsmanager", f"secret:platform-deploy-{name}-1") for name in ("slack", "github", "webhook")
)
OUTPUTS = {
    "SlackRequestUrl": f"{API}/slack/events",
    "StateMachineArn": MACHINE,
    "TableName": "platform-deploy-Table",
    "SlackSecretArn": SLACK,
    "GithubSecretArn": GITHUB,
    "WebhookSecretArn": WEBHOOK,
}
PARAMETERS = {
    "GithubId": "acme",
    "GithubRepo": "checkout-api",
    "EcsClusterName": "checkout",
    "EcsServiceName": "checkout-api",
    "EcsTaskExecutionRoleName": "ecsTaskExecutionRole",
    "EcsTaskRoleName": "ecsTaskExecutionRole",
}
VARIABLES = {
    "CHATOPS_TABLE": "platform-deploy-Table",
    "CHATOPS_STATE_MACHINE_ARN": MACHINE,
    "CHATOPS_SLACK_SECRET_ARN": SLACK,
    "CHATOPS_GITHUB_SECRET_ARN": GITHUB,
    "CHATOPS_API_URL": API,
    "GITHUB_ID": "acme",
    "GITHUB_REPO": "checkout-api",
    "ECS_CLUSTER_NAME": "checkout",
    "ECS_SERVICE_NAME": "checkout-api",
    "SLACK_CHANNEL_ID": "C0DEPLOY1",
    "GIF_BASE_URL": "",
}
STORED = {
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "SLACK_BOT_TOKEN": "xoxb-1234-abcd",
    "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_abcdefgh",
    "GITHUB_WEBHOOK_SECRET": "made-with-the-stack",
}


def answers(status: str = "CREATE_COMPLETE", **changes: Answers) -> dict[str, Answers]:
    stack = {
        "StackName": "platform-deploy",
        "CreationTime": 1_760_000_000,
        "StackStatus": status,
        "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()],
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
    }
    detail = {
        "LogicalResourceId": "PlanFunction",
        "PhysicalResourceId": "platform-deploy-PlanFunction-x",
        "ResourceType": "AWS::Lambda::Function",
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": 1_760_000_000,
    }
    usual: dict[str, Answers] = {
        "cloudformation": {
            "describe_stacks": {"Stacks": [stack]},
            "describe_stack_resource": {"StackResourceDetail": detail},
        },
        "lambda": {"get_function_configuration": {"Environment": {"Variables": VARIABLES}}},
        "secretsmanager": {
            "get_secret_value": {"SecretString": json.dumps(STORED)},
            "describe_secret": {"Name": "Secret"},
        },
        "stepfunctions": {
            "describe_state_machine": {
                "stateMachineArn": MACHINE,
                "name": "platform-deploy-deploy",
                "status": "ACTIVE",
                "definition": "{}",
                "roleArn": ACCOUNT.format("iam", "role/machine"),
                "type": "STANDARD",
                "creationDate": 1_760_000_000,
            }
        },
        "dynamodb": {"describe_table": {"Table": {"TableStatus": "ACTIVE"}}},
        "events": {"describe_rule": {"State": "ENABLED"}},
    }
    return usual | {name: usual.get(name, {}) | change for name, change in changes.items()}


def variables(**changes: str) -> dict[str, Answers]:
    """The functions' variables, with these changes."""
    found = {"get_function_configuration": {"Environment": {"Variables": {**VARIABLES, **changes}}}}
    return answers(**{"lambda": found})


def asked(aws: Stubbed, *names: str) -> list[Result]:
    """What these checks say of the stack."""
    chosen = [Check(one.name, one.scope, one.look) for one in CHECKS if one.name in names]
    return [finding.result for finding in examine(deployed.installation("platform-deploy", aws=aws), chosen)]


def test_settings_are_the_functions_and_secrets_the_stacks() -> None:
    found = deployed.installation("platform-deploy", aws=Stubbed(answers()))
    assert found.read.problems == ()
    assert (found.settings.api_url, found.settings.channel, found.settings.region) == (API, "C0DEPLOY1", "us-east-1")
    assert list(found.targets) == ["dev"]
    assert found.secret("SLACK_BOT_TOKEN") == "xoxb-1234-abcd"
    assert "functions of the stack" in found.source
    assert not any(secret in repr(found.env) for secret in STORED.values())
    # where functions cannot be read the parameters stand in
    refused = answers(**{"lambda": {"get_function_configuration": {"code": "AccessDeniedException"}}})
    found = deployed.installation("platform-deploy", aws=Stubbed(refused))
    assert "could not be read" in found.source
    assert (found.settings.api_url, found.targets["dev"].service) == (API, "checkout-api")
    assert found.read.problems == ()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"code": "AccessDeniedException"}, "you may not call secretsmanager:GetSecretValue"),
        ({"code": "ResourceNotFoundException"}, "cannot be read (ResourceNotFoundException)"),
        ({"SecretString": "SLACK_BOT_TOKEN=x"}, "holds no JSON object"),
        ({"SecretString": "[]"}, "holds no JSON object"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_failure_and_what_needs_it_is_left_out(
    answer: dict[str, Any], says: str
) -> None:
    aws = Stubbed(answers(secretsmanager={"get_secret_value": answer}))
    (wrong, *others) = asked(aws, "configuration", "Slack app", "GitHub token", "signing secret")
    assert wrong.state is State.FAILED
    assert says in wrong.found
    assert {other.state for other in others} == {State.SKIPPED}


def test_what_is_missing_or_wrong_is_named_as_the_stack_names_it() -> None:
    empty = {"get_secret_value": {"SecretString": json.dumps({**STORED, "SLACK_BOT_TOKEN": ""})}}
    (wrong,) = asked(Stubbed(answers(secretsmanager=empty)), "configuration")
    assert wrong.found.startswith("SLACK_BOT_TOKEN is not set")
    assert f"make secret STACK=platform-deploy asks for it, and puts it into {SLACK}" in wrong.todo
    (wrong,) = asked(Stubbed(variables(CHATOPS_LANG="fr")), "configuration")
    assert "parameter Language" in wrong.todo


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_COMPLETE", State.OK),
        ("UPDATE_ROLLBACK_COMPLETE", State.WARNING),
        ("UPDATE_IN_PROGRESS", State.WARNING),
        ("ROLLBACK_COMPLETE", State.FAILED),
        ("UPDATE_ROLLBACK_FAILED", State.FAILED),
    ],
)
def test_a_stacks_status_is_judged(status: str, state: State) -> None:
    assert asked(Stubbed(answers(status)), "stack")[0].state is state


def test_another_stack_than_the_bots_is_told_by_its_outputs_and_no_right_to_look_is_no_failure() -> None:
    found = answers()
    found["cloudformation"]["describe_stacks"]["Stacks"][0]["Outputs"] = []
    (wrong,) = asked(Stubbed(found), "stack")
    assert "lacks the outputs SlackRequestUrl, StateMachineArn" in wrong.found
    (told,) = asked(Stubbed(answers(dynamodb={"describe_table": {"code": "AccessDeniedException"}})), "stack")
    assert told.state is State.SKIPPED
    assert "you may not call dynamodb:DescribeTable" in told.found


OTHERS = """
targets:
  dev: {}
  prod: {ecs: {cluster: c, service: s}, role_arn: "arn:aws:iam::210987654321:role/chatops-target-prod"}
"""


def test_whether_events_arrive_is_told_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    (result,) = asked(Stubbed(answers()), "events")
    assert result.state is State.OK
    path = tmp_path / "targets.yaml"
    path.write_text(OTHERS)
    stack = variables(CHATOPS_TARGETS_FILE=str(path))
    refused, unseen = asked(Stubbed(stack), "events")
    assert (refused.state, unseen.state) == (State.WARNING, State.SKIPPED)
    assert "no events from the account 210987654321 of prod" in refused.found
    assert refused.todo == "make deploy TargetAccountIds=210987654321"
    given = {"ParameterKey": "TargetAccountIds", "ParameterValue": "111122223333,210987654321"}
    stack["cloudformation"]["describe_stacks"]["Stacks"][0]["Parameters"].append(given)
    fine, unseen = asked(Stubbed(stack), "events")
    assert (fine.state, unseen.state) == (State.OK, State.SKIPPED)
    assert "events of prod" in unseen.found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"events": {"describe_rule": {"State": "DISABLED"}}},
            "rule for ECS's events (WakeFunctionEcsRollout) is DISABLED",
        ),
        (
            {"events": {"describe_rule": {"code": "ResourceNotFoundException"}}},
            "CodeDeploy's events (WakeFunctionCodeDeployRollout) is not there",
        ),
        ({"secretsmanager": {"get_secret_value": {"SecretString": "made-by-hand"}}}, "holds no GITHUB_WEBHOOK_SECRET"),
    ],
)
def test_a_rule_or_secret_that_is_gone_costs_time_and_is_said(changes: dict[str, Answers], says: str) -> None:
    wrong = asked(Stubbed(answers(**changes)), "events")
    assert {one.state for one in wrong} == {State.WARNING}
    assert any(says in one.found for one in wrong), wrong


def test_no_such_stack_ends_with_two_and_nothing_is_looked_at_without_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    none = Stubbed(answers(cloudformation={"describe_stacks": {"code": "ValidationError"}}))
    with pytest.raises(NoStack):
        deployed.installation("platform-deploy", aws=none)
    monkeypatch.setattr(deployed, "Aws", lambda *_: none)
    assert command.main(["--stack", "platform-deploy"]) == 2
    assert "no stack platform-deploy in us-east-1" in capsys.readouterr().err
    expired = Stubbed(answers(cloudformation={"describe_stacks": {"code": "ExpiredToken"}}))
    with pytest.raises(NotLooked, match="does not take your credentials"):
        deployed.installation("platform-deploy", aws=expired)


def test_every_parameter_of_a_variable_exists_in_the_template() -> None:
    from local.runtime.intrinsics import load_yaml

    document = load_yaml((Path(__file__).parents[2] / "template.yaml").read_text())
    variables = document["Globals"]["Function"]["Environment"]["Variables"]
    for variable, parameter in configuration.PARAMETERS.items():
        assert parameter in document["Parameters"], variable
        assert variable in variables, variable
    assert deployed.FUNCTION in document["Resources"]
    rules = {f"WakeFunction{name}" for name in document["Resources"]["WakeFunction"]["Properties"]["Events"]}
    assert set(events.RULES.values()) <= rules
    assert set(OUTPUTS) <= set(document["Outputs"])
