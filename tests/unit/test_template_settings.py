"""template.yaml's parameters: every setting is one, says what it holds, and reaches the functions."""

from __future__ import annotations

import re

import pytest

from chatops.settings.targets import OWNER, REPOSITORY
from doctor.checks.configuration import PARAMETERS
from scripts import stack_release
from tests.unit.test_template_rules import RESOURCES, ROOT, TEMPLATE, names


def test_every_parameter_says_what_it_is_and_refuses_what_it_is_not() -> None:
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter["Description"], name
        assert {"AllowedValues", "AllowedPattern", "MaxValue"} & parameter.keys(), name
        if "AllowedPattern" in parameter and "Default" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"]), name


@pytest.mark.parametrize("value", ["acme", "Acme-1", "dana_acme", "a" * 100])
def test_an_owner_that_the_code_knows_can_be_given_to_the_stack(value: str) -> None:
    """Managed users have an underscore and the enterprise's shortcode at their end.

    https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication
    """
    assert TEMPLATE["Parameters"]["GithubId"]["AllowedPattern"] == OWNER.pattern
    assert TEMPLATE["Parameters"]["GithubRepo"]["AllowedPattern"] == REPOSITORY.pattern
    assert OWNER.fullmatch(value)


def test_every_parameter_is_used_and_stands_in_one_group() -> None:
    grouped = [
        name
        for group in TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        for name in group["Parameters"]
    ]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    used = set(names([TEMPLATE["Globals"], RESOURCES, TEMPLATE["Conditions"]]))
    assert set(TEMPLATE["Parameters"]) <= used


NOT_PARAMETERS = {
    "CHATOPS_TARGETS_FILE": "packed with the layer",
    "CHATOPS_API_URL": "the stack's own, at the functions that need it",
    "CHATOPS_AUDIENCE": "the stack's own, at the function that verifies tokens",
    "CHATOPS_OIDC_ISSUER": "a parameter, at the function that verifies tokens",
    "CHATOPS_GITHUB_API_URL": "a seam for tests and GitHub Enterprise Server",
    "SLACK_API_URL": "a seam for tests",
    "CHATOPS_CONSOLE_URL": "a seam for the local run",
    "AWS_REGION": "Lambda's own",
    "AWS_DEFAULT_REGION": "Lambda's own",
}


def test_every_setting_that_the_code_reads_is_given_to_the_functions() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "lambdas/shared/chatops").rglob("*.py"))
    reads = re.findall(r'\benv,\s*"([A-Z][A-Z0-9_]+)"', source)
    given = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert {"GITHUB_ID", "SLACK_APPROVERS", "CHATOPS_LANG", "GIF_BASE_URL", "DEPLOY_APPROVAL_REQUIRED"} <= set(reads)
    assert set(reads) - NOT_PARAMETERS.keys() <= given.keys()
    # and the doctor, which reads parameters where it may not read variables, knows the same ones
    assert {name: value["Ref"] for name, value in given.items() if name in PARAMETERS} == PARAMETERS


def test_the_environment_fits() -> None:
    """Lambda takes 4 KB of names and values in all; 3 KB here leave a kilobyte for ARNs and long settings."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    longest = {
        **dict.fromkeys(variables, 30),
        "CHATOPS_STATE_MACHINE_ARN": 150,
        "CHATOPS_SLACK_SECRET_ARN": 150,
        "CHATOPS_GITHUB_SECRET_ARN": 150,
        "SLACK_APPROVERS": 500,
        **{name: 200 for name in variables if name.startswith("GIF_")},
        stack_release.VARIABLE: 16,
    }
    assert sum(len(name) + length for name, length in longest.items()) < 3072
