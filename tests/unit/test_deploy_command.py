"""`make deploy` at a terminal: what it asks, what it takes from the stack, and what it says where it cannot deploy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from botocore.session import get_session

from scripts import deploy_stack, stack_questions, stack_state
from scripts.stack_parameters import declared
from tests.unit.deploy_clone import NEW, STACK, Clone
from tests.unit.deploy_clone import typed as at_make
from tests.unit.resolved_template import OURS


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    with pytest.MonkeyPatch.context() as patch:
        made = Clone.of_this_project(tmp_path_factory.mktemp("clone"), patch)
        made.build()
        yield made


@pytest.fixture
def clone(built: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """Built, and not deployed yet."""
    monkeypatch.setattr(stack_questions, "TARGETS", tmp_path / "targets.yaml")
    return built.copy(tmp_path, monkeypatch)


class Person:
    """Answers questions by the words that they begin with; Enter for all others."""

    def __init__(self, **answers: str | list[str]) -> None:
        self.answers = {name: [given] if isinstance(given, str) else list(given) for name, given in answers.items()}
        self.asked: dict[str, str] = {}

    def __call__(self, question: str) -> str:
        name, _, rest = question.partition(" ")
        self.asked[name.rstrip(":")] = rest
        waiting = self.answers.get(name.rstrip(":"), [])
        return waiting.pop(0) if waiting else ""


def test_a_first_deployment_asks_what_it_cannot_know(
    clone: Clone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person(**OURS, SlackApprovers="U0LEE0001, S0PLATF01", Language="ko")
    assert clone.deploy(ask=person) == 0
    assert list(person.asked) == ["Name", *(name for name in declared() if name in {*OURS, *stack_questions.FIRST})]
    assert person.asked["Language"] == "[en]: "
    assert clone.parameters() == {
        **{name: str(rules.get("Default")) for name, rules in declared().items()},
        **OURS,
        "SlackApprovers": "U0LEE0001,S0PLATF01",
        "Language": "ko",
    }
    assert "--confirm-changeset" in clone.arguments, "SAM shows what will change, and asks"
    said = capsys.readouterr().out
    for text in (
        "There is no stack platform-deploy in eu-west-1",
        declared()["SlackApprovers"]["Description"],
        "Language of the bot's messages. One of en, ko.\n",
        "  Language: ko\n",
        "Next: make install STACK=platform-deploy",
    ):
        assert text in said
    # where a file names the targets, the one target's service is not asked for
    (tmp_path / "targets.yaml").touch()
    clone.cloudformation.stacks.clear()
    person = Person(**OURS)
    assert clone.deploy(ask=person) == 0
    assert not {"EcsClusterName", "EcsServiceName"} & person.asked.keys()


def test_a_wrong_answer_is_asked_again_and_none_ends_it(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    person = Person(GithubId=["", "acme/shop", "acme"], GithubRepo="-", SlackChannelId=["#deploys", "C0123ABCD"])
    person.answers["GithubRepo"] = ["-", "shop"]
    assert clone.deploy(ask=person) == 0
    assert clone.parameters()["GithubId"] == "acme"
    assert clone.parameters()["SlackChannelId"] == "C0123ABCD"
    said = capsys.readouterr().out
    assert said.count("GithubId should hold a GitHub user or organisation name.") == 2
    assert "SlackChannelId should hold a Slack channel id" in said

    def nobody(_: str) -> str:
        raise EOFError

    assert clone.deploy(ask=nobody, name="another") == 1
    assert "An answer is missing. Nothing was changed." in capsys.readouterr().err


def test_later_deployments_ask_nothing_that_the_stack_knows(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    assert clone.deploy(NEW, name="other") == 0
    person = Person(Name="other")
    assert clone.deploy(ask=person) == 0
    assert list(person.asked) == ["Name"]
    assert clone.cloudformation.stacks.keys() == {"other"}
    assert "--parameter-overrides" not in clone.arguments
    assert "other in eu-west-1 keeps what is not given" in capsys.readouterr().out
    clone.deploy(NEW)
    person = Person()
    assert clone.deploy(ask=person) == 0
    assert person.asked == {}, "the usual name is not asked for where that stack exists"


def test_a_parameter_that_is_new_and_has_no_default_is_asked_for(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clone.deploy(NEW) == 0
    clone.edit("template.yaml", "  LogLevel:\n", "  Extra: { Type: String, Description: An extra. }\n  LogLevel:\n")
    clone.build()
    more = {**declared(), "Extra": {"Type": "String", "Description": "An extra."}}
    monkeypatch.setattr("scripts.stack_parameters.declared", lambda: more)
    monkeypatch.setattr(stack_questions, "declared", lambda: more)
    assert clone.deploy({"VARIABLES": "{}"}) == 1
    assert "CHATOPS_EXTRA is not set; the stack needs it: An extra." in capsys.readouterr().out
    person = Person(Extra="x")
    assert clone.deploy(ask=person) == 0
    assert list(person.asked) == ["Extra"]


def test_all_are_asked_where_somebody_wants_that(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    assert clone.deploy(at_make(**OURS, AlarmEmail="a@b.example")) == 0
    person = Person(AlarmEmail="-", LogLevel="DEBUG")
    assert clone.deploy(at_make(Language="ko"), ask=person, everything=True) == 0
    assert list(person.asked) == [name for name in declared() if name != "Language"], "what is given is not asked"
    assert person.asked["GithubRepo"] == "[checkout-api]: "
    assert person.asked["AlarmEmail"] == "[a@b.example]: "
    said = capsys.readouterr().out
    for line in ("AlarmEmail: a@b.example -> (empty)", "LogLevel: INFO -> DEBUG", "Language: en -> ko"):
        assert f"  {line}\n" in said
    assert clone.parameters()["AlarmEmail"] == ""


def test_a_change_set_that_nobody_confirms_is_no_deployment(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clone.deploy(NEW) == 0
    capsys.readouterr()
    monkeypatch.setattr(deploy_stack.subprocess, "run", lambda *_, **__: type("Done", (), {"returncode": 0}))
    assert clone.deploy(ask=Person()) == 0
    assert "Nothing was deployed: platform-deploy is as it was before." in capsys.readouterr().out


def test_an_installation_goes_on_with_the_stack_whether_it_is_new_or_as_it_was(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    went: list[str] = []

    def then(name: str) -> int:
        went.append(name)
        return 3

    assert clone.deploy(NEW, ask=Person(), then=then) == 3
    assert clone.deploy(ask=Person(), then=then) == 3
    clone.exit_code = 7
    assert clone.deploy(ask=Person(), then=then) == 7, "a deployment that failed is not gone on with"
    clone.exit_code = 0
    clone.cloudformation.stacks.clear()
    before = clone.deploy(ask=Person(), check=True, then=then)
    assert (before, went) == (0, [STACK, STACK])
    monkeypatch.setattr(deploy_stack, "deploy", lambda *_, **__: pytest.fail("it began"))
    assert deploy_stack.main(["--install"], {"VARIABLES": "{}"}) == 2, "nobody can be asked"
    assert "run it at a terminal" in capsys.readouterr().err


def test_local_runs_variables_are_not_the_stacks(clone: Clone) -> None:
    assert clone.deploy({**NEW, "SLACK_CHANNEL_ID": "C0LOCAL01", "SLACK_APPROVERS": "U0LOCAL01"}) == 0
    assert clone.parameters()["SlackChannelId"] == clone.parameters()["SlackApprovers"] == ""


# --------------------------------------------------------------------------------------------- where it cannot deploy
NEVER_DEPLOYED = {"REVIEW_IN_PROGRESS"}
DEPLOYABLE = {
    *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"),
    *("IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
}
STATUSES = set(get_session().get_service_model("cloudformation").shape_for("StackStatus").enum) - {"DELETE_COMPLETE"}
"""All that a stack with a name can have; a deleted one is found by its id alone."""


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_a_stack_in_any_status_is_deployed_to_or_its_way_out_is_named(
    clone: Clone, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in OURS.items()]}
    clone.cloudformation.stacks[STACK] = {"StackStatus": status, **kept}
    code = clone.deploy({**NEW, "VARIABLES": "{}"})
    said = capsys.readouterr().out
    if status in DEPLOYABLE | NEVER_DEPLOYED:
        assert code == 0
        return
    assert (code, clone.arguments) == (1, []), "SAM was not started"
    assert f"({status})" in said
    (line,) = [line for line in said.splitlines() if line.startswith("::error")]
    way = "continue-update-rollback" if "ROLLBACK_FAILED" in status and status != "ROLLBACK_FAILED" else "delete-stack"
    assert ("Wait until" if status.endswith("_IN_PROGRESS") else way) in line
    assert line.endswith("then run make deploy again.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("network", "made from another template"),
        *((name, "is no name for a stack") for name in ("my stack", "1st", "a_b", "arn:aws:x", "x" * 74)),
    ],
)
def test_a_stack_that_is_another_templates_and_a_name_that_none_can_have_are_left_alone(
    clone: Clone, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = {"Parameters": [{"ParameterKey": "LogLevel", "ParameterValue": "INFO"}]}
    clone.cloudformation.stacks["network"] = foreign
    assert clone.deploy(NEW, name=name) == 1
    assert said in capsys.readouterr().out
    assert clone.arguments == []


def answered(code: str, text: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoRegionError(), "No AWS region is set. AWS_REGION=eu-west-1"),
        (NoCredentialsError(), "There are no AWS credentials here. Sign in (aws sso login"),
        (answered("ExpiredToken"), "AWS does not take these credentials (ExpiredToken). Sign in"),
        (answered("AccessDenied"), "AWS does not show the stack (AccessDenied)."),
        (answered("ValidationError", "1 validation error"), "AWS does not show the stack (ValidationError)."),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_who_is_not_signed_in_is_told_so_before_anything_is_built_or_asked(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str, check: bool, capfd: Any
) -> None:
    def raises(*_: Any, **__: Any) -> Any:
        raise error

    if isinstance(error, NoRegionError):
        monkeypatch.setattr(deploy_stack.boto3, "client", raises)
    else:
        monkeypatch.setattr(clone.cloudformation, "describe_stacks", raises)
    person = Person()
    assert clone.deploy(NEW, ask=person, check=check) == 1
    assert f"Not deployed. {said}" in (shown := capfd.readouterr().err)
    assert shown.endswith("Nothing was changed.\n")
    assert person.asked == {}


def test_the_check_before_the_build_asks_and_writes_nothing(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    before, person = clone.built.read_text("utf-8"), Person()
    assert clone.deploy(ask=person, check=True) == 0
    assert clone.deploy({"VARIABLES": "{}"}, check=True) == 1
    assert "CHATOPS_GITHUB_ID is not set; a new stack needs it" in capsys.readouterr().out
    assert clone.deploy({**NEW, "VARIABLES": '{"CHATOPS_LANG": "de"}'}, check=True) == 1
    assert (person.asked, clone.arguments, clone.built.read_text("utf-8")) == ({}, [], before)


def test_without_a_build_it_says_what_is_missing(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone.built.unlink()
    assert clone.deploy(NEW) == 1
    assert "Run make build first." in capsys.readouterr().out
    clone.built.write_text("{")
    assert clone.deploy(NEW) == 1


@pytest.mark.parametrize(("code", "said"), [(0, "sam deploy has ended well"), (7, "what it left of platform-deploy")])
def test_the_outcome_stands_even_where_the_stack_cannot_be_read_afterwards(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, said: str
) -> None:
    def expires(*_: Any, **__: Any) -> Any:
        clone.cloudformation.refuses = "ExpiredToken"
        return type("Done", (), {"returncode": code})

    monkeypatch.setattr(deploy_stack.subprocess, "run", expires)
    assert clone.deploy(NEW) == code
    shown = capsys.readouterr().out
    assert said in shown
    assert "ExpiredToken" in shown


def test_a_pipeline_is_told_in_one_line(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clone.deploy(NEW) == 0

    def fails(*_: Any, **__: Any) -> Any:
        changed = {"StackStatus": "UPDATE_ROLLBACK_COMPLETE", "LastUpdatedTime": "later"}
        clone.cloudformation.stacks[STACK] |= changed
        return type("Done", (), {"returncode": 1})

    monkeypatch.setattr(deploy_stack.subprocess, "run", fails)
    monkeypatch.setattr(stack_state, "cause", lambda *_: "PlanFunction: 100% full\nof code")
    assert clone.deploy({"VARIABLES": "{}"}) == 1
    (line,) = [each for each in capsys.readouterr().out.splitlines() if each.startswith("::error")]
    assert "PlanFunction: 100%25 full%0Aof code CloudFormation has put the stack" in line


def test_interrupting_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy_stack, "deploy", interrupted)
    assert deploy_stack.main([], {}) == 130
    assert "look at the stack" in capsys.readouterr().out
