"""What a pipeline deploys with: it begins only with a way into AWS, and sets only what its variables say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from scripts import deploy_ready, deploy_stack
from scripts.stack_parameters import Unusable, declared, overrides, typed, variable_of
from tests.unit.resolved_template import ROOT
from tests.unit.stack_session import CloudFormation, outputs


def variables(**values: str) -> dict[str, str]:
    return {"VARIABLES": json.dumps(values)}


@pytest.mark.parametrize(
    ("has", "said"),
    [
        ((), "neither AWS_ROLE_ARN nor"),
        (("REGION",), "neither AWS_ROLE_ARN nor"),
        (("REGION", "KEY_ID"), "one is set and the other is not"),
        (("REGION", "KEY"), "one is set and the other is not"),
        (("ROLE",), "AWS_REGION is not set"),
        (("REGION", "ROLE"), ""),
        (("REGION", "KEY_ID", "KEY"), ""),
        (("REGION", "ROLE", "KEY_ID"), ""),
    ],
)
def test_without_a_way_into_aws_nothing_is_deployed_and_the_run_stays_green(
    has: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    env = {f"HAS_{name}": "true" if name in has else "false" for name in ("REGION", "ROLE", "KEY_ID", "KEY")}
    env |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    assert deploy_ready.ready(env) == 0
    assert output.read_text() == f"ready={'false' if said else 'true'}\n"
    shown = capsys.readouterr().out
    assert shown.startswith("::notice title=Not deployed::") is bool(said)
    assert said in shown
    assert shown.count("\n") <= 1, "a workflow command is one line"
    assert summary.exists() is bool(said)


def test_every_parameter_has_a_variable_that_github_allows() -> None:
    names = {parameter: variable_of(parameter) for parameter in declared()}
    assert len(set(names.values())) == len(names)
    # https://docs.github.com/en/actions/reference/workflows-and-actions/variables#naming-conventions
    assert not any(name.startswith("GITHUB_") for name in names.values())
    assert names["EcsClusterName"] == "ECS_CLUSTER_NAME"
    assert names["GithubAppId"] == "CHATOPS_GITHUB_APP_ID"
    assert names["Language"] == "CHATOPS_LANG"


def test_only_what_is_given_is_set_so_that_the_rest_stays() -> None:
    given = variables(ECS_CLUSTER_NAME="shop", CHATOPS_LANG="ko", SOMETHING="else", GIF_BASE_URL="")
    assert overrides(given, new=False) == {"EcsClusterName": "shop", "Language": "ko"}
    # channel and approvers may be secrets, and are written without blanks
    given = {**variables(SLACK_APPROVERS="U0OLD", SLACK_CHANNEL_ID="C0VAR"), "SLACK_APPROVERS": "U0LEE , S0PLAT"}
    assert overrides(given, new=False) == {"SlackApprovers": "U0LEE,S0PLAT", "SlackChannelId": "C0VAR"}
    # a new stack is for the pipeline's own repository unless told otherwise; an existing one keeps its own
    env = {"GITHUB_REPOSITORY": "acme/platform"}
    assert overrides(env, new=True) == {"GithubId": "acme", "GithubRepo": "platform"}
    told = {**env, **variables(CHATOPS_GITHUB_REPO="shop")}
    assert overrides(told, new=True) == {"GithubId": "acme", "GithubRepo": "shop"}
    assert overrides(env, new=False) == overrides({}, new=False) == {}
    with pytest.raises(Unusable, match="CHATOPS_GITHUB_ID is not set; a new stack needs it: Owner"):
        overrides({}, new=True)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SLACK_CHANNEL_ID", "#deploys", "should hold a Slack channel id"),
        ("SLACK_APPROVERS", "@lee", "should hold Slack ids"),
        ("DEPLOY_APPROVAL_REQUIRED", "yes", r"should hold one of \(empty\), true, false"),
        ("ECS_CLUSTER_NAME", "arn:aws:ecs:eu-west-1:1:cluster/shop", "should hold an ECS cluster name"),
        ("CHATOPS_API_RATE_LIMIT", "0", "should hold a number from 1 to 10000"),
        ("CHATOPS_API_RATE_LIMIT", "many", "should hold a number"),
        ("CHATOPS_LOG_RETENTION_DAYS", "9999", "should hold one of 1, 3"),
        ("CHATOPS_ALARM_EMAIL", "ops", "should hold one mail address"),
        ("GIF_BASE_URL", "http://x.example/a b", "should hold an https address"),
    ],
)
def test_what_the_stack_would_refuse_is_told_by_the_variables_name_without_its_value(
    name: str, value: str, complaint: str
) -> None:
    with pytest.raises(Unusable, match=f"{name} {complaint}") as refused:
        overrides(variables(**{name: value}), new=False)
    assert value not in str(refused.value).replace(complaint, "")


def test_variables_that_are_no_object_are_refused() -> None:
    for text in ("[]", "nonsense", '"x"'):
        with pytest.raises(Unusable, match="VARIABLES should hold a JSON object"):
            overrides({"VARIABLES": text}, new=False)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("", {}),
        ("kj2 --jobserver-auth=3,4 --output-sync=target", {}),
        (" -- STACK=x ASK=1 AWS_REGION=eu-west-1 VARIABLES={} PYTHON=python3", {}),
        (" -- Language=ko STACK=x", {"Language": "ko"}),
        ("Language=ko", {"Language": "ko"}),  # make 3.81
        (r" -- SlackApprovers=U0LEE0001,\ S0PLATF01", {"SlackApprovers": "U0LEE0001, S0PLATF01"}),
        (" -- GifBaseUrl=https://x/a$$b?c='d'&e=\"f", {"GifBaseUrl": "https://x/a$b?c='d'&e=\"f"}),
        (" -- AlarmEmail=", {"AlarmEmail": ""}),
        (" -- ECS_CLUSTER_NAME=shop CHATOPS_LANG=ko LOG_LEVEL=DEBUG GITHUB_ID=acme", None),
    ],
)
def test_parameters_behind_make_are_taken_as_they_were_typed(flags: str, found: dict[str, str] | None) -> None:
    by_variable = {"EcsClusterName": "shop", "Language": "ko", "LogLevel": "DEBUG", "GithubId": "acme"}
    assert typed({"MAKEFLAGS": flags}) == (by_variable if found is None else found)


@pytest.mark.parametrize(
    ("name", "said"),
    [("Langauge", "Do you mean Language"), ("SlackApprover", "SlackApprovers?"), ("ECS_CLUSTER", "ECS_CLUSTER_NAME?"),
     ("STACK_NAME", "Do you mean STACK?"), ("CHATOPS_STACK_NAME", "Do you mean STACK?"),
     ("REGION", "Do you mean AWS_REGION?"), ("CHATOPS_ARTIFACTS_BUCKET", "There are: GithubId, "),
     ("Nonsense", "There are: GithubId, ")],
)  # fmt: skip
def test_a_name_that_is_no_parameters_is_not_ignored(name: str, said: str) -> None:
    with pytest.raises(Unusable, match=f"{name} is not a parameter of the stack. .*{said.replace('?', '.')}"):
        typed({"MAKEFLAGS": f" -- {name}=x"})


def test_makes_own_words_are_understood(tmp_path: Path) -> None:
    """By the make of this machine."""
    (tmp_path / "Makefile").write_text('all:\n\t@$(MAKE) --no-print-directory one\none:\n\t@printf %s "$$MAKEFLAGS"\n')
    given = {
        "GifBaseUrl": "https://x.example/a$b?c='d'&e=(f)",
        "SlackApprovers": "U0LEE0001,  S0PLATF01",
        "AlarmEmail": "",
        "EcsClusterName": "a\\b=c",
    }
    asked = ["make", "-k", *(f"{name}={value}" for name, value in given.items()), "STACK=other"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert typed({"MAKEFLAGS": done.stdout}) == given


def test_make_deploy_looks_builds_and_deploys() -> None:
    done = subprocess.run(["make", "-n", "deploy", "STACK=other", "ASK=1"], cwd=ROOT, capture_output=True, text=True)
    deploying = ".venv/bin/python -m scripts.deploy_stack --stack 'other'"
    steps = [f"{deploying} --check\n", "sam build\n", f"exec {deploying} --ask\n"]
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)


class Sam:
    """`sam deploy`, which remembers its arguments and parameters."""

    code = 0
    arguments: Sequence[str] = ("",)
    parameters: Mapping[str, str] = {}

    def run(self, arguments: list[str], **_: Any) -> Any:
        self.arguments = arguments
        if arguments[-1].startswith("file://"):
            self.parameters = yaml.safe_load(Path(arguments[-1].removeprefix("file://")).read_text("utf-8"))
        return SimpleNamespace(returncode=self.code)


@pytest.fixture
def sam(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sam:
    made = Sam()
    monkeypatch.setattr(deploy_stack.subprocess, "run", made.run)
    monkeypatch.setattr(deploy_stack, "BUILT", Path(shutil.copy(ROOT / "template.yaml", tmp_path)))
    return made


def deploy(monkeypatch: pytest.MonkeyPatch, cloudformation: CloudFormation, **env: str) -> int:
    monkeypatch.setattr(deploy_stack.boto3, "client", {"cloudformation": cloudformation}.__getitem__)
    return deploy_stack.deploy(env)


READY = {
    "platform-deploy": outputs(
        SlackRequestUrl="https://x/prod/slack/events", SlackSecretArn="arn:slack", GithubSecretArn="arn:github"
    )
}


def test_the_bootstraps_bucket_and_role_are_used_where_they_are_set(
    monkeypatch: pytest.MonkeyPatch, sam: Sam, tmp_path: Path
) -> None:
    given = variables(
        CHATOPS_ARTIFACTS_BUCKET="chatops-artifacts-1",
        CHATOPS_CLOUDFORMATION_ROLE_ARN="arn:aws:iam::123456789012:role/chatops-cloudformation-platform-deploy",
        ECS_SERVICE_NAME="shop",
    )
    summary = tmp_path / "summary"
    assert deploy(monkeypatch, CloudFormation(READY), GITHUB_STEP_SUMMARY=str(summary), **given) == 0
    text = " ".join(sam.arguments)
    assert "--s3-bucket chatops-artifacts-1" in text
    assert "--role-arn arn:aws:iam::123456789012:role/chatops-cloudformation-platform-deploy" in text
    assert "--resolve-s3" not in text
    assert sam.parameters == {"EcsServiceName": "shop"}
    assert "--stack-name platform-deploy --region eu-west-1 " in text
    assert "--no-confirm-changeset" in sam.arguments
    assert "https://x/prod/slack/events" in summary.read_text()


def test_without_them_sam_finds_its_own_bucket_and_the_callers_rights_count_and_its_failure_is_the_steps_own(
    monkeypatch: pytest.MonkeyPatch, sam: Sam, capsys: pytest.CaptureFixture[str]
) -> None:
    sam.code = 7
    assert deploy(monkeypatch, CloudFormation(READY)) == 7
    assert "--resolve-s3" in sam.arguments
    assert not {"--role-arn", "--s3-bucket", "--parameter-overrides"} & set(sam.arguments)
    assert "::error title=Not deployed::sam deploy failed" in capsys.readouterr().out


def test_a_new_stack_gets_its_repository(monkeypatch: pytest.MonkeyPatch, sam: Sam) -> None:
    never_executed = CloudFormation({"platform-deploy": {"StackStatus": "REVIEW_IN_PROGRESS"}})
    assert deploy(monkeypatch, never_executed, GITHUB_REPOSITORY="acme/platform") == 0
    assert sam.parameters == {"GithubId": "acme", "GithubRepo": "platform"}


def test_in_a_log_stands_first_what_was_said_first() -> None:
    """A runner's log is a pipe, to which Python writes at the end if nobody says otherwise."""
    program = (
        "from scripts import deploy_stack, stack_state\n"
        "deploy_stack.SAM = '/bin/echo'\n"
        "print('Parameters that are set: none')\n"
        "deploy_stack._sam({}, stack_state.Stack('a', 'b'), {}, confirm=False)\n"
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    paths = {"PYTHONPATH": os.pathsep.join((str(ROOT / "lambdas/shared"), str(ROOT)))}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={**kept, **paths}, capture_output=True, text=True, check=True)
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["Parameters", "deploy"]


@pytest.mark.parametrize(
    ("shell", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "us-east-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, "eu-west-1"),
        ({}, ""),
    ],
)
def test_the_region_is_that_of_aws_region(shell: dict[str, str], region: str) -> None:
    """As the README and `make doctor` have it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))}
    asked = ["make", "--silent", "--eval", "region: ; @echo $${AWS_DEFAULT_REGION}", "region"]
    done = subprocess.run(asked, cwd=ROOT, env={**kept, **shell}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == region
