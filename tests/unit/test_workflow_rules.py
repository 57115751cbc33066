"""What no validator says of the workflows: pins, tickets, and nothing of an event in a shell."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PIN = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def load(path: Path) -> dict[str, Any]:
    """A workflow. YAML reads the key `on` as true."""
    found = yaml.safe_load(path.read_text())
    found["on"] = found.pop(True)
    return dict(found)


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: $/" not in line:
            assert PIN.search(line), line


NODE24 = {
    "actions/checkout": 5,
    "actions/setup-node": 5,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "aws-actions/configure-aws-credentials": 6,
}
"""The first major version whose action.yml says `using: node24`: runners have no Node 20 any more."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_run_on_the_node_that_runners_have(path: Path) -> None:
    for name, version in re.findall(r"uses: ([\w-]+/[\w-]+)(?:/[\w./-]+)?@[0-9a-f]{40} # v(\d+)", path.read_text()):
        assert int(version) >= NODE24[name], f"{name} v{version}"


def test_an_action_is_the_same_release_everywhere() -> None:
    pins = {line.partition("uses: ")[2] for path in FILES for line in path.read_text().splitlines() if "uses: " in line}
    names = [pin.partition("@")[0] for pin in pins]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_expression_stands_in_a_shell_command(path: Path) -> None:
    for step in steps(load(path)):
        assert "${{" not in step.get("run", ""), step


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_permissions_begin_at_none_and_jobs_end_by_themselves(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "permissions" in job, name
        assert "timeout-minutes" in job, name


@pytest.fixture(scope="module")
def deploy() -> dict[str, Any]:
    return load(FOLDER / "dev_deploy.yml")


def test_the_bots_event_starts_a_run_that_names_its_deployment_and_stage(deploy: dict[str, Any]) -> None:
    assert deploy["name"] == "ChatOps Deploy"
    assert deploy["on"]["repository_dispatch"] == {"types": ["dev_deploy"]}
    assert set(deploy["on"]) == {"repository_dispatch", "workflow_call"}
    event = "github.event.client_payload"
    assert deploy["run-name"] == f"${{{{ {event}.deployment_id }}}} ${{{{ {event}.stage }}}}"
    assert deploy["concurrency"]["cancel-in-progress"] is False


BUILDING = "github.event.client_payload.stage == 'build'"
TARGET = "${{ github.event.client_payload.target }}"
FOR_BASE_IMAGES = {"AWS_REGION", "AWS_BASE_IMAGES_ROLE_ARN", "BASE_IMAGES_USER", "BASE_IMAGES_PASSWORD"}


def secrets_of(part: Any) -> set[str]:
    """The secrets that a part of the workflow names, GitHub's own token among them."""
    text = yaml.safe_dump(part, width=10_000)
    return set(re.findall(r"secrets\.(\w+)", text)) | set(re.findall(r"github\.token", text))


def test_each_stage_has_its_jobs(deploy: dict[str, Any]) -> None:
    jobs = deploy["jobs"]
    assert set(jobs) == {"claim", "test", "build", "release"}
    assert (jobs["claim"]["if"], jobs["test"]["if"]) == (BUILDING, BUILDING)
    # also after failed tests: somebody must report them
    assert jobs["build"]["if"] == "always() && needs.claim.result == 'success'"
    assert jobs["build"]["needs"] == ["claim", "test"]
    assert sorted(re.findall(r"stage == '(\w+)'", jobs["release"]["if"])) == ["deploy", "rollback"]


def test_a_build_is_no_deployment_on_githubs_page_and_has_an_environment_of_its_own(deploy: dict[str, Any]) -> None:
    """By default a job that names an environment is a deployment when it succeeds. A release is none where the bot
    writes one itself: an absent field is null, and not null is true."""
    build = {"name": f"{TARGET}-build", "deployment": False}
    assert {name: job.get("environment") for name, job in deploy["jobs"].items()} == {
        "claim": build,
        "test": None,
        "build": build,
        "release": {"name": TARGET, "deployment": "${{ !github.event.client_payload.github_deployment }}"},
    }


def test_the_repositorys_tests_run_where_nothing_can_be_taken_and_nothing_can_be_left(deploy: dict[str, Any]) -> None:
    """They may change everything on their runner, and ask GitHub for whatever the job may have."""
    job = deploy["jobs"]["test"]
    running = {name for name, each in deploy["jobs"].items() if "run_tests.py" in yaml.safe_dump(each)}
    assert running == {"test"}
    assert job["permissions"] == {"contents": "read"}
    assert "environment" not in job
    assert secrets_of(job) == set()
    assert "vars." not in yaml.safe_dump(job)
    # what another job reads of it: the outcome that GitHub gives it, and two texts that nothing is decided by
    assert set(job["outputs"]) == {"tests", "failed_step"}
    assert set(re.findall(r"needs\.\w+\.[\w.]+", yaml.safe_dump(deploy["jobs"]["build"]))) == {
        "needs.claim.result",
        "needs.test.result",
        "needs.test.outputs.failed_step",
        "needs.test.outputs.tests",
    }


def test_the_image_is_built_before_anything_that_pushes_or_deploys_is_signed_in_to(deploy: dict[str, Any]) -> None:
    job = deploy["jobs"]["build"]
    ids = [step.get("id") for step in job["steps"]]
    build = ids.index("build-the-image")
    assert ids.index("look-at-the-tests") < ids.index("check-out-the-commit") < build < ids.index("sign-in-to-aws")
    before = {**job, "steps": job["steps"][: build + 1]}
    assert secrets_of(before) == FOR_BASE_IMAGES, "all that is within the Dockerfile's reach"
    after = job["steps"][build + 1 :]
    assert "build_image.sh" not in yaml.safe_dump(after)
    sign_in = job["steps"][ids.index("sign-in-to-aws")]["with"]
    assert sign_in["role-to-assume"] == "${{ secrets.AWS_BUILD_ROLE_ARN }}"
    assert sign_in["unset-current-credentials"] is True


def test_each_environment_has_a_role_of_its_own(deploy: dict[str, Any]) -> None:
    found = {name: secrets_of(job) for name, job in deploy["jobs"].items()}
    assert found["claim"] == set()
    assert {name for name in found if "AWS_ROLE_ARN" in found[name]} == {"release"}
    assert {name for name in found if "AWS_BUILD_ROLE_ARN" in found[name]} == {"build"}
    assert {name for name in found if "SSH_PRIVATE_KEY" in found[name]} == {"release"}
    assert {name for name in found if "github.token" in found[name]} == {"build"}
    writes = {
        name: {r for r, level in j["permissions"].items() if level == "write"} for name, j in deploy["jobs"].items()
    }
    assert writes == {
        "claim": {"id-token"},
        "test": set(),
        "build": {"id-token", "packages"},
        "release": {"id-token"},
    }


def test_the_bots_address_is_a_callers_or_the_environments_and_never_the_events(deploy: dict[str, Any]) -> None:
    talking = [s for s in steps(deploy) if re.search(r'chatops_stage\.py" (claim|finish)$', s.get("run", ""))]
    assert len(talking) == 5
    for step in talking:
        assert step["env"]["CHATOPS_URL"] == "${{ inputs.chatops_url || vars.CHATOPS_URL }}"
        assert step["env"]["CHATOPS_AUDIENCE"] == "${{ inputs.chatops_audience || vars.CHATOPS_AUDIENCE }}"
        assert not any("client_payload" in str(value) for name, value in step["env"].items() if name != "JOB"), step
    text = (FOLDER / "dev_deploy.yml").read_text()
    assert "claim_url" not in text
    assert "client_payload.ticket" not in text, "a step's environment is printed in its log"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_kept_between_runs(path: Path) -> None:
    """A test could poison what a later build restores: of `repository_dispatch` runs GitHub's cache is writable."""
    text = path.read_text()
    assert not re.search(r"actions/cache|type=gha|cache-(from|to)|^\s+cache:", text, re.MULTILINE)
    for step in steps(load(path)):
        if "setup-node" in step.get("uses", ""):
            assert step["with"]["package-manager-cache"] is False


def test_a_run_that_waits_is_not_cancelled_by_the_next(deploy: dict[str, Any]) -> None:
    """GitHub cancels what waits in a group when something else arrives there, and an event can be sent by hand."""
    assert deploy["concurrency"]["queue"] == "max"
    assert deploy["concurrency"]["cancel-in-progress"] is False, "GitHub takes no queue beside it"
    for path in FILES:
        concurrency = load(path)["concurrency"]
        reason = re.search(r"# .*No `queue: max`: ", path.read_text(), re.S)
        assert concurrency["cancel-in-progress"] is True or concurrency.get("queue") == "max" or reason, path.name


def test_a_job_with_an_environment_claims_before_it_does_anything(deploy: dict[str, Any]) -> None:
    for name, job in deploy["jobs"].items():
        scripts, claim = job["steps"][:2]
        # of the file's own repository and commit, also when another repository's workflow calls it
        assert scripts["uses"] == "$/.github/actions/scripts", name
        if name != "test":
            assert claim["run"].endswith('/chatops_stage.py" claim'), name
            assert "if" not in claim, name


def test_the_last_job_of_a_stage_reports_whatever_happens(deploy: dict[str, Any]) -> None:
    for name in ("build", "release"):
        *_, report = deploy["jobs"][name]["steps"]
        assert report["run"].endswith('/chatops_stage.py" finish'), name
        assert report["if"] == "always() && steps.claim-the-stage.outcome == 'success'", name
    assert report["env"].keys() >= {"OUTCOME", "STEPS", "JOB", "IMAGE", "TASK_DEFINITION", "CODEDEPLOY_DEPLOYMENT_ID"}


def test_what_a_step_runs_comes_from_the_pipelines_scripts_alone(deploy: dict[str, Any]) -> None:
    """Never from the workspace: that is the repository which is deployed."""
    for step in steps(deploy):
        if "run" in step:
            name = re.fullmatch(r'(?:python3|python3 -I|bash) "\$SCRIPTS/(\w+\.\w+)"(?: \w+)?', step["run"])
            assert name, step
            assert (FOLDER.parent / "scripts" / name[1]).is_file()
            assert step["env"]["SCRIPTS"] == "${{ steps.get-the-pipeline-scripts.outputs.path }}"


def test_the_action_gives_the_folder_of_the_scripts_beside_it(tmp_path: Path) -> None:
    """As the runner runs it: from the folder that it downloaded, somewhere else than the workspace."""
    action = yaml.safe_load((FOLDER.parent / "actions" / "scripts" / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    assert action["outputs"]["path"]["value"] == f"${{{{ steps.{step['id']}.outputs.path }}}}"
    env = {
        "PATH": os.environ["PATH"],
        "GITHUB_ACTION_PATH": str(FOLDER.parent / "actions" / "scripts"),
        "GITHUB_OUTPUT": str(tmp_path / "out"),
    }
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=env, cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "out").read_text() == f"path={FOLDER.parent / 'scripts'}\n"
    gone = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        env=env | {"GITHUB_ACTION_PATH": str(tmp_path)},
        capture_output=True,
    )
    assert gone.returncode != 0, "without its scripts the step fails, and the stage stays unclaimed"


def test_what_is_checked_out_is_the_commit_that_was_pinned(deploy: dict[str, Any]) -> None:
    for name in ("test", "build", "release"):
        (checkout,) = [step for step in deploy["jobs"][name]["steps"] if step.get("with", {}).get("path") == "source"]
        assert checkout["with"]["ref"] == "${{ github.event.client_payload.sha }}", name
        assert checkout["with"]["persist-credentials"] is False, name
        # a release packs the commit itself, and refuses what only a checkout could fetch
        whole = {} if name == "release" else {"lfs": True, "submodules": "recursive"}
        assert {key: checkout["with"][key] for key in ("lfs", "submodules") if key in checkout["with"]} == whole


def test_a_steps_id_is_its_name_so_that_reports_can_be_read(deploy: dict[str, Any]) -> None:
    for step in steps(deploy):
        if "id" in step:
            assert step["id"].replace("-", " ").capitalize() == step["name"].replace("'s", "").replace("AWS", "aws")


def test_every_setting_is_a_callers_input_or_a_variable_and_every_secret_can_be_handed_on(
    deploy: dict[str, Any],
) -> None:
    call, text = deploy["on"]["workflow_call"], (FOLDER / "dev_deploy.yml").read_text()
    assert deploy["jobs"]["build"]["runs-on"] == "${{ inputs.build_runner || 'ubuntu-latest' }}"
    for name in call["inputs"].keys() - {"build_runner"}:
        assert f"{name.upper()}: ${{{{ inputs.{name} || vars.{name.upper()} }}}}" in text, name
    assert set(re.findall(r"secrets\.(\w+)", text)) == set(call["secrets"])
    assert not any(secret["required"] for secret in call["secrets"].values())
