"""Workflows as people write them: which are accepted, and what is said of the others, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from doctor import pipeline_rules
from doctor.checks import CHECKS
from doctor.installation import Stack
from doctor.local_run import described
from doctor.result import Result, State
from doctor.runner import examine
from doctor.workflow_file import MOST, Unreadable, read
from fakes.github import Repository
from fakes.github.files import SCRIPTS, pipeline
from fakes.github.repository import Environment
from local.session import Session
from pipeline.caller import FOLDER, HERE, PIPELINE, RUN_NAME, Bot
from pipeline.caller import caller as written
from tests.doctor.conftest import Look

pytestmark = pytest.mark.slow

HEAD = f'name: Deploy\nrun-name: "{RUN_NAME}"\non:\n  repository_dispatch:\n    types: [dev_deploy]\n'
OURS = read(PIPELINE, pipeline())
EXPECTED = yaml.safe_load(written("dev", "dev_deploy", HERE))["jobs"]["stage"]


def caller(uses: str, rights: str = "{contents: read, id-token: write, packages: write}") -> str:
    return (
        f"{HEAD}permissions: {{}}\njobs:\n  stage:\n    permissions: {rights}\n    uses: {uses}\n    secrets: inherit\n"
    )


def told(text: str, *, claims: bool = True) -> list[str]:
    """What the rules say of a file, with lines."""
    found = read("x.yml", text)
    faults = [*pipeline_rules.run_name(found)]
    calling = pipeline_rules.calls(found)
    faults += [fault for name, job in calling.items() for fault in pipeline_rules.call(found, name, job, EXPECTED)]
    if not calling:
        faults += pipeline_rules.own(found, OURS, claims=claims)
    return [f"{fault.line}: {fault.what}" for fault in faults]


def of(made: Session, look: Look, text: str) -> list[Result]:
    """What the check says of dev, when its workflow is this."""
    made.github.default_repository.files["main"][f"{FOLDER}/dev_deploy.yml"] = text
    return [one.result for one in look(None, "workflow") if one.subject == "dev"]


def test_the_bots_address_may_stand_in_the_pipeline_itself() -> None:
    """As in its own repository, where a person owns it."""
    text = pipeline()
    for name, value in (("chatops_url", "https://x.example/prod"), ("chatops_audience", "an:audience")):
        text = text.replace(f"${{{{ inputs.{name} || vars.{name.upper()} }}}}", value)
    assert pipeline_rules.address(read("x.yml", text)) == {
        "CHATOPS_URL": "https://x.example/prod",
        "CHATOPS_AUDIENCE": "an:audience",
    }
    assert pipeline_rules.address(OURS) == {}
    assert told(text) == []


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "text",
    [
        pipeline(),
        pipeline().replace("\n\n", "\n").replace(" # nothing is deployed yet", " # other words"),
        pipeline().replace(RUN_NAME, RUN_NAME.replace("{{ ", "{{").replace(" }}", "}}")),
        pipeline().replace(RUN_NAME, f"  {RUN_NAME}  "),
        caller(f"acme/platform-deploy/.github/workflows/dev_deploy.yml@{COMMIT}"),
        caller("acme/platform-deploy/.github/workflows/dev_deploy.yml@v1"),
        caller("./.github/workflows/pipeline.yaml"),
        caller("$/.github/workflows/dev_deploy.yml"),
    ],
    ids=[
        *("this project's own", "other comments", "a run name without blanks", "and with more of them"),
        *("a caller by commit", "by tag", "by path", "of its own repository"),
    ],
)
def test_a_workflow_that_keeps_the_rules_is_accepted(text: str) -> None:
    assert told(text) == []


SECRETS = "job stage lacks under secrets what make caller writes (AWS_REGION: ${{ secrets.AWS_REGION }}"
MINE = "$/.github/workflows/dev_deploy.yml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (caller("actions/checkout@v4"), "10: job stage calls 'actions/checkout@v4', which is no reusable workflow"),
        # a call of its own repository has no ref, one of another's must have one
        (caller(f"{MINE}@v1"), "which is no reusable workflow"),
        (caller("./.github/workflows/dev_deploy.yml@v1"), "which is no reusable workflow"),
        (caller("acme/pipelines/.github/workflows/dev_deploy.yml"), "which is no reusable workflow"),
        (caller("$/dev_deploy.yml"), "which is no reusable workflow"),
        (
            caller("a/b/.github/workflows/c.yml@v1", "read-all"),
            "9: job stage lacks under permissions what make caller writes (contents: read, id-token: write, packages",
        ),
        (
            caller("a/b/.github/workflows/c.yml@v1", "{contents: write, packages: write}"),
            "9: job stage lacks under permissions what make caller writes (id-token: write)",
        ),
        (caller(MINE).replace("    secrets: inherit\n", ""), SECRETS),
        (caller(MINE).replace("inherit", "{}"), SECRETS),
        (HEAD, "1: it has no jobs"),
        (pipeline().replace("run-name: ", "name2: "), "1: it has no run-name"),
        (pipeline().replace("      deployment: false", "      deployment: true"), "in job claim, job build"),
        (pipeline().replace("  test:\n", "  tests:\n", 1), "in job tests, job test"),
        (pipeline().replace("needs: [claim, test]", "needs: [claim]"), "in job build"),
        (pipeline().replace("if: always() && steps", "if: steps"), "in job build, job release"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, says: str) -> None:
    assert says in "\n".join(told(text))


def test_a_pipeline_without_claims_is_asked_for_none() -> None:
    own = f"{HEAD}jobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ./deploy\n"
    assert told(own) == ["7: no job of it claims its stage"]
    assert told(own, claims=False) == []
    assert told(f"{own}      - run: ./bot claim\n") == ["7: no job of it reports its stage"]
    assert told(f"{own}      - run: ./bot claim\n      - uses: me/finish@v1\n") == []


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
    assert "no job of it claims its stage" in wrong[0].found
    other.files["main"] = {f"{FOLDER}/dev_deploy.yml": pipeline()}
    (left,) = of(made, look, text)
    assert "it uses $/.github/actions/scripts, which is not in acme/pipelines at main" in left.found
    other.files["main"][f"{FOLDER}/dev_deploy.yml"] = "on: [\n"
    (broken,) = of(made, look, text)
    assert "cannot be read" in broken.found


URL, AUDIENCE = "https://abc.execute-api.eu-west-1.amazonaws.com/prod", "platform-deploy:1:eu-west-1:platform-deploy"
ON_AWS = Stack("platform-deploy", "CREATE_COMPLETE", {"ChatOpsUrl": URL, "ChatOpsAudience": AUDIENCE})
OTHERS = Bot("https://evil.example/prod", AUDIENCE)


@pytest.mark.parametrize(
    ("bot", "variables", "says"),
    [
        (Bot(URL, AUDIENCE), {}, ""),
        (OTHERS, {}, "lacks under with what make caller writes (chatops_url: https://abc."),
        (None, {"CHATOPS_URL": URL, "CHATOPS_AUDIENCE": AUDIENCE}, ""),
        (None, {}, "CHATOPS_URL is not set; CHATOPS_AUDIENCE is not set for the environment dev-build"),
        (None, {"CHATOPS_URL": OTHERS.url, "CHATOPS_AUDIENCE": AUDIENCE}, "CHATOPS_URL is 'https://evil.example/prod'"),
    ],
)
def test_the_pipeline_must_claim_at_this_stacks_bot(
    made: Session, bot: Bot | None, variables: dict[str, str], says: str
) -> None:
    here = made.github.default_repository
    here.files["main"][PIPELINE] = written("dev", "dev_deploy", "acme/x/.github/workflows/dev_deploy.yml@v1", bot=bot)
    here.environments = {name: Environment(variables) for name in ("dev", "dev-build")}
    found = described(made)
    found.stack, found.local, found.only = ON_AWS, False, "dev"
    asked = [check for check in CHECKS if check.name in ("workflow", "environments")]
    wrong = [one.result.found for one in examine(found, asked) if one.result.state is State.FAILED]
    assert (says in " ".join(wrong)) if says else (wrong == [])


def test_a_pipeline_that_the_target_does_not_wait_for_is_told(made: Session, look: Look, tmp_path: Path) -> None:
    file, uses = tmp_path / "targets.yaml", "acme/pipelines/.github/workflows/dev_deploy.yml@v1"
    made.github.default_repository.files["main"][PIPELINE] = caller(uses)
    for pipeline_of, wrong in (("acme/platform-deploy", True), ("Acme/Pipelines", False)):
        policy = "{deploy_approval: false, rollback_approval: false}"
        entry = f"{{repository: acme/checkout-api, pipeline: {pipeline_of}, policy: {policy}}}"
        file.write_text(f"targets:\n  dev: {entry}\n")
        found = [one.result for one in look({"CHATOPS_TARGETS_FILE": str(file)}, "workflow")]
        said = "it calls the pipeline of acme/pipelines, and dev waits for runs of acme/platform-deploy's"
        assert any(said in one.found for one in found) is wrong, found
