"""Reading template.yaml: what is understood, and how what is not is refused."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from local.runtime.intrinsics import TemplateError
from local.runtime.template import Template, function_arn, load_template

ROOT = Path(__file__).resolve().parents[2]
FACTS = {
    "Table": "chatops",
    "SlackSecret": "arn:slack",
    "GithubSecret": "arn:github",
    "WebhookSecret": "arn:hook",
    "HttpApi": "api",
}
STEPS = "slack plan notify dispatch poll park approval ecs promote reconcile restore settle stage sweep wake gifs page"


def load(folder: Path, text: str, /, facts: dict[str, str] | None = None, **parameters: str) -> Template:
    path = folder / "template.yaml"
    path.write_text(dedent(text))
    return load_template(path, parameters, facts)


BASIC = """
    Parameters:
      Name: {Type: String}
      Speed: {Type: Number, Default: 2}
      Names: {Type: CommaDelimitedList, Default: "a,b"}
    Conditions:
      IsFast: !Not [!Equals [!Ref Speed, 2]]
      Never: !And [!Condition IsFast, !Equals [a, a]]
    Globals:
      Function:
        Handler: app.handler
        Timeout: 7
        Environment:
          Variables: {SHARED: !Ref Table, OVER: "1"}
    Resources:
      OneFunction:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: lambdas/one/
          MemorySize: 256
          Environment:
            Variables:
              OVER: !Sub "${Name}-${AWS::Region}-${!Kept}-${Table.Arn}-${TwoFunction}"
              LISTED: !Sub ["${a}/${Name}", {a: !GetAtt OneFunction.Arn}]
              JOINED: !Join ["-", [x, !Select [1, !Ref Names], !If [IsFast, fast, slow]]]
              FLAG: true
          Events:
            Post: {Type: HttpApi, Properties: {Path: /a/b, Method: post}}
            Get: {Type: HttpApi, Properties: {Path: "/gifs/{name}", Method: GET}}
            Often: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
            Ended:
              Type: EventBridgeRule
              Properties:
                Pattern:
                  source: [aws.states]
                  detail-type: [Step Functions Execution Status Change]
                  detail: {status: [FAILED, ABORTED], stateMachineArn: [!Ref Machine]}
      TwoFunction:
        Type: AWS::Serverless::Function
        Properties: {CodeUri: lambdas/two, Handler: other.main, Timeout: !Ref Speed}
      GoneFunction:
        Type: AWS::Serverless::Function
        Condition: Never
        Properties: {CodeUri: lambdas/gone}
      Shared:
        Type: AWS::Serverless::LayerVersion
        Properties: {ContentUri: lambdas/shared/}
      Machine:
        Type: AWS::Serverless::StateMachine
        Properties:
          DefinitionUri: machine.json
          DefinitionSubstitutions:
            OneFunctionArn: !Ref OneFunction.Version
            TwoFunctionArn: !GetAtt TwoFunction.Arn
"""


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path) -> None:
    (tmp_path / "machine.json").write_text('{"a": "${OneFunctionArn}", "b": "${TwoFunctionArn}"}')


FACTS_OF_BASIC = {"Table": "rows", "Table.Arn": "arn:rows", "Machine": "arn:machine"}


def test_functions_have_their_folders_names_and_settings(tmp_path: Path) -> None:
    template = load(tmp_path, BASIC, FACTS_OF_BASIC, Name="x")
    one, two = template.functions["one"], template.functions["two"]
    assert sorted(template.functions) == ["one", "two"]
    assert one.code_dir == tmp_path / "lambdas/one"
    assert (one.handler, one.timeout_seconds, one.memory_mb) == ("app.handler", 7, 256)
    assert (two.handler, two.timeout_seconds, two.memory_mb) == ("other.main", 2, 128)
    assert one.arn == "arn:aws:lambda:us-east-1:123456789012:function:one"
    assert template.layer_dirs == (tmp_path / "lambdas/shared",)


def test_variables_are_resolved(tmp_path: Path) -> None:
    assert load(tmp_path, BASIC, FACTS_OF_BASIC, Name="x").functions["one"].environment == {
        "SHARED": "rows",
        "OVER": "x-us-east-1-${Kept}-arn:rows-two",
        "LISTED": f"{function_arn('one')}/x",
        "JOINED": "x-b-slow",
        "FLAG": "true",
    }
    fast = load(tmp_path, BASIC, FACTS_OF_BASIC, Name="x", Speed="3")
    assert fast.functions["one"].environment["JOINED"] == "x-b-fast"
    assert "gone" in fast.functions


def test_routes_schedules_and_events(tmp_path: Path) -> None:
    template = load(tmp_path, BASIC, FACTS_OF_BASIC, Name="x")
    assert template.routes == {"POST /a/b": "one", "GET /gifs/{name}": "one"}
    assert template.schedules == (("one", 300),)
    assert template.execution_events == (("one", ("FAILED", "ABORTED")),)


def test_the_definition_is_filled_in_with_plain_arns(tmp_path: Path) -> None:
    template = load(tmp_path, BASIC, FACTS_OF_BASIC, Name="x")
    assert template.definition() == f'{{"a": "{function_arn("one")}", "b": "{function_arn("two")}"}}'
    (tmp_path / "machine.json").write_text('{"a": "${Unknown}"}')
    with pytest.raises(TemplateError, match=r"machine\.json: no DefinitionSubstitutions for Unknown"):
        template.definition()


VARIABLE = r"Environment\.Variables\.OVER"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"1"', "!ImportValue other", rf"{VARIABLE}: the local run does not know !ImportValue"),
        ('"1"', "!Ref Nothing", rf"Globals\.Function\.{VARIABLE}: nothing here says what Nothing is"),
        ('"1"', "!GetAtt Table.Stream", rf"{VARIABLE}: nothing here says what Table\.Stream is"),
        ('"1"', "[a, b]", rf"{VARIABLE}: expected a string"),
        ('"1"', "!Ref AWS::NoValue", rf"{VARIABLE}: expected a string"),
        ("rate(5 minutes)", "'cron(0 1 * * ? *)'", r"Events\.Often: .* not 'cron"),
        ("[IsFast, fast, slow]", "[IsSlow, fast, slow]", "there is no condition IsSlow"),
        ("Type: Schedule", "Type: SQS", "knows no event of type 'SQS'"),
        ("Execution Status Change", "Map Run Change", r"Events\.Ended: .* sends only"),
        (
            "CodeUri: lambdas/two",
            "CodeUri: {Bucket: b}",
            r"TwoFunction\.Properties\.CodeUri: expected the folder",
        ),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_place(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in BASIC
    with pytest.raises(TemplateError, match=complaint):
        load(tmp_path, BASIC.replace(old, new), FACTS_OF_BASIC, Name="x")


def test_parameters_are_checked(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="the template has no parameter Nmae"):
        load(tmp_path, BASIC, FACTS_OF_BASIC, Nmae="x")
    with pytest.raises(TemplateError, match="the parameter Name has no default and no value"):
        load(tmp_path, BASIC, FACTS_OF_BASIC)


def test_broken_yaml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"template\.yaml: "):
        load(tmp_path, "Resources: [")


def test_the_projects_own_template() -> None:
    parameters = {"GithubId": "acme", "GithubRepo": "checkout-api"}
    template = load_template(ROOT / "template.yaml", parameters, FACTS)
    assert sorted(template.functions) == sorted(STEPS.split())
    for name, function in template.functions.items():
        assert (function.code_dir / "app.py").is_file(), name
        assert function.environment["CHATOPS_TABLE"] == "chatops"
    assert template.routes["POST /slack/events"] == "slack"
    assert template.routes["GET /gifs/{name}"] == "gifs"
    assert template.routes["POST /github/events"] == "wake"
    assert [name for name, _ in template.service_events] == ["wake", "wake"]
    assert ("sweep", 300) in template.schedules
    assert "${" not in template.definition()
    assert template.layer_dirs == (ROOT / "lambdas/shared",)
