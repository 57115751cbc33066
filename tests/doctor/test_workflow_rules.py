"""Workflows as people write them: which are accepted, and what is said of the others, with the line."""

from __future__ import annotations

import pytest

from doctor import pipeline_rules
from doctor.pipeline_rules import RUN_NAME, without_record
from doctor.result import Result, State
from doctor.workflow_file import MOST, Unreadable, read
from fakes.github import Repository
from fakes.github.files import SCRIPTS, pipeline
from local.session import Session
from pipeline.caller import FOLDER
from tests.doctor.conftest import Look

pytestmark = pytest.mark.slow

HEAD = f'name: Deploy\nrun-name: "{RUN_NAME}"\non:\n  repository_dispatch:\n    types: [dev_deploy]\n'
OTHER = "acme/pipelines/.github/workflows/dev_deploy.yml@v1"
RIGHTS = "permissions: {contents: read, id-token: write, packages: write}\n"


def caller(uses: str, rights: str = "{contents: read, id-token: write, packages: write}") -> str:
    return (
        f"{HEAD}permissions: {{}}\njobs:\n  stage:\n    permissions: {rights}\n    uses: {uses}\n    secrets: inherit\n"
    )


def told(text: str, *, rollback: bool = False, claims: bool = True) -> list[str]:
    """What the rules say of a file, with lines."""
    found = read("x.yml", text)
    faults = [*pipeline_rules.run_name(found), *pipeline_rules.jobs(found, needs_rollback=rollback, claims=claims)]
    return [f"{fault.line}: {fault.what}" for fault in faults]


def of(made: Session, look: Look, text: str) -> list[Result]:
    """What the check says of dev, when its workflow is this."""
    made.github.default_repository.files["main"][f"{FOLDER}/dev_deploy.yml"] = text
    return [one.result for one in look() if (one.check, one.subject) == ("workflow", "dev")]


def test_this_projects_own_workflow_keeps_every_rule() -> None:
    assert told(pipeline(), rollback=True) == []


@pytest.mark.parametrize(
    "uses",
    [
        "acme/platform-deploy/.github/workflows/dev_deploy.yml@0123456789abcdef0123456789abcdef01234567",
        "acme/platform-deploy/.github/workflows/dev_deploy.yml@v1",
        "./.github/workflows/pipeline.yaml",
        "$/.github/workflows/dev_deploy.yml",
    ],
)
def test_a_caller_is_accepted(uses: str) -> None:
    assert told(caller(uses), rollback=True) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (caller("actions/checkout@v4"), "10: job stage calls 'actions/checkout@v4', which is no reusable workflow"),
        (
            caller("a/b/.github/workflows/c.yml@v1", "read-all"),
            "9: job stage grants the pipeline no id-token: write, packages: write",
        ),
        (
            caller("a/b/.github/workflows/c.yml@v1", "{contents: read, packages: write}"),
            "9: job stage grants the pipeline no id-token: write",
        ),
        (HEAD, "1: it has no jobs"),
        (pipeline().replace("run-name: ", "name2: "), "1: it has no run-name"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, says: str) -> None:
    assert says in told(text)


def test_a_pipeline_without_claims_is_asked_for_none() -> None:
    own = f"{HEAD}{RIGHTS}jobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ./deploy\n"
    assert told(own) == ["8: job all claims no stage"]
    assert told(own, claims=False) == []


def test_a_stage_without_a_job_is_missed_only_where_it_is_needed() -> None:
    text = pipeline().replace(" || github.event.client_payload.stage == 'rollback'", "")
    assert told(text) == []
    assert [one.partition(": ")[2] for one in told(text, rollback=True)] == ["no job of it runs for the stage rollback"]


@pytest.mark.parametrize(
    "spelling",
    ["${{github.event.client_payload.deployment_id}} ${{ github.event.client_payload.stage }}", f"  {RUN_NAME}  "],
)
def test_a_run_name_may_be_spaced_otherwise(spelling: str) -> None:
    assert told(pipeline().replace(RUN_NAME, spelling)) == []


@pytest.mark.parametrize(
    ("events", "listens"),
    [
        ("on: repository_dispatch\n", True),
        ("on: [push, repository_dispatch]\n", True),
        ("on:\n  repository_dispatch:\n", True),
        ("on: {repository_dispatch: {types: dev_deploy}}\n", True),
        ("on: {repository_dispatch: {types: [other, dev_deploy]}}\n", True),
        ("on: {repository_dispatch: {types: [dev_deploy_2]}}\n", False),
        ("on: {workflow_dispatch: {}}\n", False),
        ("'on': {repository_dispatch: {types: [dev_deploy]}}\n", True),
        ("jobs: {}\n", False),
    ],
)
def test_events_are_read_as_github_reads_them(events: str, listens: bool) -> None:
    assert read("x.yml", events).listens("dev_deploy") is listens


@pytest.mark.parametrize(
    "text", ["", "- a\n", "a: [\n", "x" * (MOST + 1), "a: !!python/object:os.system x\nb: [", "\x00"]
)
def test_what_is_no_workflow_is_refused_and_nothing_of_it_is_made(text: str) -> None:
    with pytest.raises(Unreadable):
        read("x.yml", text)


def test_a_caller_of_another_repository_is_followed(made: Session, look: Look) -> None:
    """What it calls is read where the token sees it, and left alone where it does not."""
    text = caller("acme/pipelines/.github/workflows/dev_deploy.yml@main")
    assert [one.state for one in of(made, look, text)] == [State.OK]
    other = Repository("acme", "pipelines", id=7)
    other.add_commit("Pipeline", made.clock.now())
    other.files["main"] = {f"{FOLDER}/dev_deploy.yml": pipeline(), SCRIPTS: "name: Scripts\n"}
    assert [one.state for one in of(made, look, text)] == [State.OK]
    other.files["main"][f"{FOLDER}/dev_deploy.yml"] = pipeline().replace('chatops_stage.py" claim', 'nothing.py"')
    made.github.repositories["acme/pipelines"] = other
    wrong = of(made, look, text)
    assert {one.state for one in wrong} == {State.FAILED}
    assert "line 10: in acme/pipelines/.github/workflows/dev_deploy.yml@main, line" in wrong[0].found
    assert "job claim claims no stage" in wrong[0].found
    other.files["main"] = {f"{FOLDER}/dev_deploy.yml": pipeline()}
    (left,) = of(made, look, text)
    assert "it uses $/.github/actions/scripts, which is not in acme/pipelines at main" in left.found


def test_a_caller_that_hands_on_no_secrets_is_warned_of() -> None:
    uses = "$/.github/workflows/dev_deploy.yml"
    assert told(caller(uses)) == []
    for without in (caller(uses).replace("    secrets: inherit\n", ""), caller(uses).replace("inherit", "{}")):
        assert [one.partition(": ")[2] for one in told(without)] == ["job stage hands on no secrets"]
    mapped = caller(uses).replace("inherit", "{AWS_REGION: '${{ secrets.AWS_REGION }}'}")
    assert told(mapped) == []


@pytest.mark.parametrize(
    ("uses", "allowed"),
    [
        ("$/.github/actions/scripts", True),
        ("acme/platform-deploy/.github/actions/scripts@v1", True),
        ("$/.github/actions/deploy", False),
        ("./.github/actions/scripts/../deploy", False),
        ("acme/x/.github/actions/scriptsx@v1", False),
    ],
)
def test_before_its_claim_a_job_may_only_bring_files(uses: str, allowed: bool) -> None:
    text = pipeline().replace("uses: $/.github/actions/scripts", f"uses: {uses}")
    assert (told(text) == []) is allowed


@pytest.mark.parametrize(
    "uses",
    [
        "$/.github/workflows/dev_deploy.yml@v1",
        "./.github/workflows/dev_deploy.yml@v1",
        "acme/pipelines/.github/workflows/dev_deploy.yml",
        "$/dev_deploy.yml",
    ],
)
def test_what_github_would_not_call_is_no_reusable_workflow(uses: str) -> None:
    """A call of its own repository has no ref, one of another's must have one."""
    assert any("which is no reusable workflow" in one for one in told(caller(uses)))


@pytest.mark.parametrize(
    ("environment", "recorded", "asked"),
    [
        ("dev", True, False),
        ("{name: dev}", True, False),
        ("{name: dev, deployment: true}", True, False),
        ("{name: dev, deployment: false}", False, True),
        ("{name: dev, deployment: False}", False, True),
        ("{name: dev, deployment: '${{ inputs.recorded }}'}", False, False),
    ],
)
def test_a_build_that_github_records_as_a_deployment_is_told(environment: str, recorded: bool, asked: bool) -> None:
    job = f"    if: github.event.client_payload.stage == 'build'\n    environment: {environment}\n"
    text = f"{HEAD}{RIGHTS}jobs:\n  make:\n    runs-on: ubuntu-latest\n{job}    steps: [{{run: make}}]\n"
    assert any("records that as a deployment" in what for what in told(text, claims=False)) is recorded
    assert (without_record(read("w.yml", text)) is not None) is asked
