"""What no validator says of template.yaml: no cycles, no permission too many, logs that end, numbered versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import policies
from scripts.target_access import PARAMETERS

ROOT = Path(__file__).parents[2]
STEPS = {
    *("slack", "plan", "notify", "dispatch", "poll", "park", "approval"),
    *("ecs", "promote", "reconcile", "restore", "settle", "stage", "sweep", "wake", "gifs", "page"),
}

WITHOUT_RESOURCES = {
    "states:SendTaskSuccess",
    "ecs:DescribeTaskDefinition",
    "ecs:ListTasks",
    "codedeploy:ContinueDeployment",
    "codedeploy:ListDeploymentTargets",
    "codedeploy:BatchGetDeploymentTargets",
    "codedeploy:StopDeployment",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
"""Actions that IAM knows no resources for, so that `*` is all that can be said of them.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as their long ones: `!Ref A` is {"Ref": "A"}."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name: value.split(".", 1) if suffix == "GetAtt" and isinstance(value, str) else value}


_Loader.add_multi_constructor("!", _long_form)
# As it is without a targets.yaml: whose repository has one, and policies for its targets, tests the same stack.
TEXT = policies.filled(ROOT, PARAMETERS)[policies.TEMPLATE]
TEMPLATE: dict[str, Any] = yaml.load(TEXT, _Loader)  # noqa: S506 - a SafeLoader
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
MACHINES = of_type("AWS::Serverless::StateMachine")
by_function = pytest.mark.parametrize("name", sorted(FUNCTIONS))


def names(value: Any) -> Iterator[str]:
    """The names of resources that a part of the template refers to."""
    if isinstance(value, list):
        for each in value:
            yield from names(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner.split(".")[0]
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                text, *given = inner if isinstance(inner, list) else [inner]
                yield from (each.split(".")[0] for each in re.findall(r"\$\{([\w.]+)\}", text))
                yield from names(given)
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            else:
                yield from names(inner)


def graph(resources: dict[str, Any]) -> dict[str, set[str]]:
    """What needs what, as SAM lays it out: the API names the functions behind it, and an event of another kind is a
    resource of its own that names its function. (Roles are counted as their functions: each is made before it.)"""
    edges: dict[str, set[str]] = {}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        own = {key: value for key, value in properties.items() if key != "Events"}
        needs = set(names(own)) | set(names({"DependsOn": resource.get("DependsOn", [])}))
        if resource["Type"] == "AWS::Serverless::Function":
            needs |= set(names(TEMPLATE["Globals"]["Function"]))
        edges.setdefault(name, set()).update(needs)
        for event, made in properties.get("Events", {}).items():
            if made["Type"] == "HttpApi":
                edges.setdefault(made["Properties"]["ApiId"]["Ref"], set()).add(name)
            else:
                edges[name + event] = {name, *names(made["Properties"])}
    return {name: needs & edges.keys() for name, needs in edges.items()}


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """The resources left over when all that needs nothing unmade is made, again and again; none when all can be."""
    left = dict(edges)
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]
    return sorted(left)


def statements(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in properties.get("Policies", []):
        assert set(policy) == {"Version", "Statement"}, "policies are written out, not borrowed"
        yield from policy["Statement"]


def test_no_resource_waits_for_itself() -> None:
    assert cycle(graph(RESOURCES)) == []


def test_a_function_that_names_the_machine_which_names_it_would_be_found() -> None:
    """The trap that cfn-lint and `sam validate --lint` let pass."""
    spoiled = json.loads(json.dumps(RESOURCES))
    spoiled["PlanFunction"]["Properties"]["Environment"]["Variables"]["ARN"] = {"Ref": "DeployStateMachine"}
    assert {"PlanFunction", "DeployStateMachine"} <= set(cycle(graph(spoiled)))


def test_a_function_behind_the_api_that_names_the_api_would_be_found() -> None:
    spoiled = json.loads(json.dumps(RESOURCES))
    spoiled["SlackFunction"]["Properties"]["Environment"] = {"Variables": {"URL": {"Fn::Sub": "${HttpApi}"}}}
    assert {"SlackFunction", "HttpApi"} <= set(cycle(graph(spoiled)))


def test_every_step_is_a_function_of_its_own() -> None:
    assert {name: each["CodeUri"] for name, each in FUNCTIONS.items()} == {
        f"{step.title()}Function": f"lambdas/{step}/" for step in STEPS
    }


@by_function
def test_logs_are_kept_as_long_as_the_parameter_says(name: str) -> None:
    logging = FUNCTIONS[name]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    group = RESOURCES[logging["LogGroup"]["Ref"]]["Properties"]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["LogGroupName"]["Fn::Sub"].endswith("-" + FUNCTIONS[name]["CodeUri"].split("/")[1])


@by_function
def test_every_change_publishes_a_version(name: str) -> None:
    everything = TEMPLATE["Globals"]["Function"] | FUNCTIONS[name]
    assert everything["AutoPublishAlias"] == "live"
    assert everything["AutoPublishAliasAllProperties"] is True


@by_function
def test_every_function_has_a_time_limit_that_its_caller_can_wait_for(name: str) -> None:
    everything = TEMPLATE["Globals"]["Function"] | FUNCTIONS[name]
    # API Gateway gives up after 30 s: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    assert everything["Timeout"] == (10 if name == "SlackFunction" else 30)


@pytest.mark.parametrize("name", sorted([*FUNCTIONS, *MACHINES]))
def test_permissions_name_their_actions_and_resources(name: str) -> None:
    for statement in statements(RESOURCES[name]["Properties"]):
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        assert all(re.fullmatch(r"[a-z]+:[A-Za-z]+", action) for action in actions), statement
        for resource in resources if isinstance(resources, list) else [resources]:
            if resource == "*":
                assert set(actions) <= WITHOUT_RESOURCES, statement
            elif "Fn::Sub" in resource:
                where = resource["Fn::Sub"]
                # One wildcard at most, for the ids that AWS makes up; never one in the account or the service.
                assert re.fullmatch(r"[^*]+(:\*|/\*)?", where), statement


def test_roles_are_passed_to_ecs_tasks_only() -> None:
    passing = [
        (name, each) for name in FUNCTIONS for each in statements(FUNCTIONS[name]) if "iam:PassRole" in each["Action"]
    ]
    assert [name for name, _ in passing] == ["RestoreFunction"]
    assert passing[0][1]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def who_may(action: str) -> set[str]:
    return {name for name in FUNCTIONS for each in statements(FUNCTIONS[name]) if action in each["Action"]}


def test_only_those_who_hear_from_outside_wake_executions() -> None:
    """And `plan`, for a rollback that goes ahead of a deployment that waits."""
    hearing = {"SlackFunction", "StageFunction", "SweepFunction", "WakeFunction"}
    assert who_may("states:SendTaskSuccess") == {*hearing, "PlanFunction"}
    assert who_may("states:StartExecution") == {"SlackFunction"}
    assert who_may("ecs:UpdateService") == {"RestoreFunction"}


def test_whom_the_internet_reaches_cannot_read_githubs_secret() -> None:
    """(What else each function may read: tests/simulator/test_least_privilege.py.)"""
    action = "secretsmanager:GetSecretValue"
    facing = {
        name: {secret for one in statements(each) if action in one["Action"] for secret in names(one["Resource"])}
        for name, each in FUNCTIONS.items()
        if any(event["Type"] == "HttpApi" for event in each.get("Events", {}).values())
    }
    own = {"SlackFunction": {"SlackSecret"}, "WakeFunction": {"WebhookSecret"}}
    assert facing == {**own, "StageFunction": set(), "GifsFunction": set(), "PageFunction": set()}


def test_the_machine_calls_published_versions_and_may_call_earlier_ones() -> None:
    (machine,) = MACHINES.values()
    given = machine["DefinitionSubstitutions"]
    assert given == {name: {"Ref": f"{name.removesuffix('Arn')}.Version"} for name in given}
    (invoke,) = [each for each in statements(machine) if each["Sid"] == "Steps"]
    assert {each["Fn::Sub"] for each in invoke["Resource"]} == {
        f"${{{name.removesuffix('Arn')}.Arn}}:*" for name in given
    }


def test_the_definition_uses_exactly_the_substitutions_it_is_given() -> None:
    (machine,) = MACHINES.values()
    definition = (ROOT / machine["DefinitionUri"]).read_text()
    assert set(re.findall(r"\$\{(\w+)\}", definition)) == set(machine["DefinitionSubstitutions"])
    # Inside quoted strings only, so that the file is JSON as it lies.
    json.loads(definition)


def test_the_functions_know_the_machine_by_the_name_it_has() -> None:
    (machine,) = MACHINES.values()
    arn = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["CHATOPS_STATE_MACHINE_ARN"]["Fn::Sub"]
    assert arn.endswith(":stateMachine:" + machine["Name"]["Fn::Sub"])


def test_what_is_remembered_outlives_the_stack() -> None:
    for name in ("Table", "SlackSecret", "GithubSecret", "WebhookSecret"):
        # (a first deployment that fails leaves nothing behind: its next try makes them anew)
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_function_but_the_pictures_has_the_layer_and_nothing_else() -> None:
    assert "Layers" not in TEMPLATE["Globals"]["Function"]  # SAM would add it to each
    assert {name: one.get("Layers") for name, one in FUNCTIONS.items()} == {
        name: None if name == "GifsFunction" else [{"Ref": "SharedLayer"}] for name in FUNCTIONS
    }
