"""Each kind of change reaches the functions that it concerns, and the state machine, with the next `make deploy`.

What publishes a version is decided by aws-sam-translator, AWS's own program; the templates are those that `make deploy`
hands over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.runtime.intrinsics import load_yaml
from scripts import stack_release
from tests.unit.deploy_clone import NEW, Clone, typed
from tests.unit.resolved_template import ROOT
from tests.unit.translated import Translated, steps

TEMPLATE = load_yaml((ROOT / "template.yaml").read_text("utf-8"))
FUNCTIONS = {name for name, each in TEMPLATE["Resources"].items() if each["Type"] == "AWS::Serverless::Function"}
WITH_THE_LAYER = FUNCTIONS - {"GifsFunction"}
STEPS = steps((ROOT / "statemachine/deploy.asl.json").read_text("utf-8"))
OTHER = {
    "GithubId": "acme-2",
    "GithubRepo": "shop.2",
    "GithubAppId": "Iv1.8a61f9b3a7aba766",
    "GithubDeployments": "true",
    "GithubOidcIssuer": "https://token.acme.example/actions",
    "EcsClusterName": "checkout",
    "EcsServiceName": "api",
    "EcsTaskExecutionRoleName": "a/b",
    "EcsTaskRoleName": "c",
    "CodeDeployAppName": "app",
    "CodeDeployGroupName": "group",
    "TargetAccountIds": "210987654321",
    "SlackChannelId": "C0123ABCD",
    "SlackApprovers": "U0LEE0001,S0PLATF01",
    "DeployApprovalRequired": "true",
    "RollbackApprovalRequired": "false",
    "Language": "ko",
    "DeploymentPages": "false",
    "GifBaseUrl": "https://x.example/$a?b=1,2&c='d'",
    "GifDeploying": "https://x.example/1.gif",
    "GifDeploySuccess": "https://x.example/2.gif",
    "GifDeployFail": "https://x.example/3.gif",
    "LogLevel": "DEBUG",
    "LogRetentionDays": "30",
    "AlarmEmail": "ops@acme.example",
    "ApiRateLimit": "26",
    "ApiBurstLimit": "51",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/chatops-boundary",
}
"""Another value for each parameter than its default (and than NEW's)."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone that was built and deployed once. Nobody changes its files."""
    with pytest.MonkeyPatch.context() as patch:
        made = Clone.of_this_project(tmp_path_factory.mktemp("clone"), patch)
        made.build()
        assert made.deploy(NEW) == 0
        assert made.translated.versions.keys() == FUNCTIONS
        yield made


@pytest.fixture
def clone(deployed: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The same in a folder and an account of its own."""
    return deployed.copy(tmp_path, monkeypatch)


def published(clone: Clone, **given: str) -> set[str]:
    """The functions that a deployment gives new versions; everything that calls them calls those."""
    before = clone.translated
    assert clone.deploy(typed(**given)) == 0
    after = clone.translated
    assert after.behind_aliases == after.versions
    assert after.in_the_state_machine == {name: after.versions[name] for name in STEPS}
    return after.published_since(before)


def test_nothing_is_published_when_nothing_changed(clone: Clone) -> None:
    assert published(clone) == set()
    clone.build()
    assert published(clone) == set(), "built anew"
    assert published(clone, **clone.parameters()) == set(), "given what the stack holds"
    defaults = {name: str(each["Default"]) for name, each in TEMPLATE["Parameters"].items() if "Default" in each}
    assert published(clone, **defaults) == set()


def test_a_changed_parameter_is_another_release() -> None:
    assert OTHER.keys() == TEMPLATE["Parameters"].keys()
    kept = {name: str(each.get("Default", "")) for name, each in TEMPLATE["Parameters"].items()}
    releases = [kept, *({**kept, name: value} for name, value in OTHER.items())]
    made = [stack_release.release(stack_release.effective(TEMPLATE["Parameters"], {}, each)) for each in releases]
    given = [stack_release.release(stack_release.effective(TEMPLATE["Parameters"], each, kept)) for each in releases]
    assert len(set(made)) == len(OTHER) + 1
    assert made == given


def test_a_changed_parameter_reaches_every_function(clone: Clone) -> None:
    """Also one that is emptied, and one that gets its earlier value back."""
    for value in ("ops@acme.example", ""):
        assert published(clone, AlarmEmail=value) == FUNCTIONS
        assert published(clone) == set(), "it stays"
        assert clone.parameters()["AlarmEmail"] == value
    assert published(clone, **OTHER) == FUNCTIONS
    assert clone.parameters() == OTHER, "CloudFormation was given the very values"


def test_the_default_of_a_new_parameter_counts_and_a_changed_default_of_an_old_one_does_not(clone: Clone) -> None:
    """CloudFormation keeps the value that the stack has."""
    clone.edit("template.yaml", "    Default: 25\n", "    Default: 24\n")
    clone.build()
    assert published(clone) == set()
    clone.edit("template.yaml", "  ApiRateLimit:\n", "  Extra: { Type: String, Default: a }\n  ApiRateLimit:\n")
    clone.build()
    assert published(clone) == FUNCTIONS
    assert published(clone) == set()


SHARED = "lambdas/shared"


def append(file: str, text: str = "\n") -> Callable[[Clone], None]:
    def change(clone: Clone) -> None:
        path = clone.root / file
        path.write_text(f"{path.read_text('utf-8') if path.exists() else ''}{text}", "utf-8")

    return change


def remove(file: str) -> Callable[[Clone], None]:
    return lambda clone: (clone.root / file).unlink()


@pytest.mark.parametrize(
    "change",
    [
        append(f"{SHARED}/chatops/clock.py"),
        append(f"{SHARED}/chatops/new_module.py"),
        append(f"{SHARED}/requirements.txt"),
        append(f"{SHARED}/targets.yaml", "targets: {}\n"),
        remove(f"{SHARED}/chatops/store/locks.py"),
    ],
    ids=["code", "a new file", "requirements", "targets", "a removed file"],
)
def test_a_changed_layer_reaches_every_function(clone: Clone, change: Callable[[Clone], None]) -> None:
    change(clone)
    clone.build()
    assert published(clone) == WITH_THE_LAYER


def of_function(name: str, old: str, new: str) -> Callable[[Clone], None]:
    """An edit of one function in the template."""

    def change(clone: Clone) -> None:
        path = clone.root / "template.yaml"
        head, line, rest = path.read_text("utf-8").partition(f"\n  {name}:\n")
        assert old in rest
        path.write_text(f"{head}{line}{rest.replace(old, new, 1)}", "utf-8")

    return change


def test_what_concerns_one_function_reaches_that_one(clone: Clone) -> None:
    append("lambdas/poll/app.py")(clone)
    append("lambdas/gifs/another.txt")(clone)
    of_function("SlackFunction", "MemorySize: 512", "MemorySize: 513")(clone)
    of_function("PlanFunction", "CodeUri:", "Timeout: 31\n      CodeUri:")(clone)
    of_function("SweepFunction", "Variables:\n", "Variables:\n          EXTRA: a\n")(clone)
    append("statemachine/deploy.asl.json")(clone)  # no function of it, and its own definition
    clone.build()
    assert published(clone) == {f"{name}Function" for name in ("Poll", "Gifs", "Slack", "Plan", "Sweep")}
    clone.edit("template.yaml", "    Tracing: Active\n", "    Tracing: PassThrough\n")
    clone.build()
    assert published(clone) == FUNCTIONS, "what concerns all reaches all"


def test_earlier_versions_are_kept_for_executions_under_way(clone: Clone) -> None:
    kept = [*clone.translated.of_type("AWS::Lambda::Version").values()]
    kept += clone.translated.of_type("AWS::Lambda::LayerVersion").values()
    assert len(kept) == len(FUNCTIONS) + 1
    assert {each["DeletionPolicy"] for each in kept} == {"Retain"}
    (role,) = [name for name in clone.translated.of_type("AWS::IAM::Role") if name.startswith("DeployStateMachine")]
    statements: list[Any] = clone.translated.resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (invoke,) = [each for each in statements if "lambda:InvokeFunction" in each["Action"]]
    assert {each["Fn::Sub"] for each in invoke["Resource"]} == {f"${{{name}.Arn}}:*" for name in STEPS}


def test_a_plain_sam_deploy_publishes_what_it_published(clone: Clone) -> None:
    """Without `make deploy` there is no release, and every other change still counts."""
    clone.build()
    plain = Translated.of(clone.built, clone.parameters())
    append("lambdas/poll/app.py")(clone)
    clone.build()
    assert Translated.of(clone.built, clone.parameters()).published_since(plain) == {"PollFunction"}
    append(f"{SHARED}/targets.yaml")(clone)
    clone.build()
    assert Translated.of(clone.built, clone.parameters()).published_since(plain) == WITH_THE_LAYER


def test_a_hidden_value_is_never_hashed_and_counts_as_new_when_it_is_given() -> None:
    rules = {"Password": {"Type": "String", "NoEcho": True}, "Open": {"Type": "String", "Default": 1}}
    kept = {"Password": "****", "Open": "2", "Removed": "x"}
    assert stack_release.effective(rules, {}, kept) == {"Password": "****", "Open": "2"}
    first, second = (stack_release.effective(rules, {"Password": "hunter2"}, kept) for _ in range(2))
    assert "hunter2" not in first.values()
    assert first != second


def test_the_template_is_the_same_but_for_the_release(clone: Clone) -> None:
    clone.build()
    before = load_yaml(clone.built.read_text("utf-8"))
    assert clone.deploy() == 0
    after = load_yaml(clone.built.read_text("utf-8"))
    release = after["Globals"]["Function"]["Environment"]["Variables"].pop(stack_release.VARIABLE)
    assert after == before
    assert len(release) == 16
    assert list(clone.built.parent.glob("template*")) == [clone.built]


def test_no_release_reads_as_a_number() -> None:
    """PyYAML quotes what it reads as a number itself; CloudFormation reads more.
    https://yaml.org/spec/1.2.2/#1032-tag-resolution
    """
    found = [stack_release.release({"Language": "en", "ApiRateLimit": str(number)}) for number in range(3000)]
    assert len(set(found)) == len(found)
    assert [one for one in found if re.fullmatch(r"[-+]?[0-9]+(e[-+]?[0-9]+)?|0[ox][0-9a-f]+", one)] == []
