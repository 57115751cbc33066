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


def test_every_stage_has_one_job(deploy: dict[str, Any]) -> None:
    conditions = " ".join(job["if"] for job in deploy["jobs"].values())
    assert sorted(re.findall(r"stage == '(\w+)'", conditions)) == ["build", "deploy", "rollback"]


def test_a_build_is_no_deployment_on_githubs_page(deploy: dict[str, Any]) -> None:
    """By default a job that names an environment is one when it succeeds."""
    target = "${{ github.event.client_payload.target }}"
    assert {name: job["environment"] for name, job in deploy["jobs"].items()} == {
        "build": {"name": target, "deployment": False},
        "release": {"name": target},
    }


def test_a_run_that_waits_is_not_cancelled_by_the_next(deploy: dict[str, Any]) -> None:
    """GitHub cancels what waits in a group when something else arrives there, and an event can be sent by hand."""
    assert deploy["concurrency"]["queue"] == "max"
    assert deploy["concurrency"]["cancel-in-progress"] is False, "GitHub takes no queue beside it"
    for path in FILES:
        concurrency = load(path)["concurrency"]
        reason = re.search(r"# .*No `queue: max`: ", path.read_text(), re.S)
        assert concurrency["cancel-in-progress"] is True or concurrency.get("queue") == "max" or reason, path.name


def test_a_stage_is_claimed_before_it_does_anything_and_reported_whatever_happens(
    deploy: dict[str, Any],
) -> None:
    for name, job in deploy["jobs"].items():
        scripts, claim, *_, report = job["steps"]
        # of the file's own repository and commit, also when another repository's workflow calls it
        assert scripts["uses"] == "$/.github/actions/scripts", name
        assert claim["run"].endswith('/chatops_stage.py" claim'), name
        assert "if" not in claim, name
        assert report["run"].endswith('/chatops_stage.py" finish'), name
        assert report["if"] == f"always() && steps.{claim['id']}.outcome == 'success'", name


def test_what_a_step_runs_comes_from_the_pipelines_scripts_alone(deploy: dict[str, Any]) -> None:
    """Never from the workspace: that is the repository which is deployed."""
    for step in steps(deploy):
        if "run" in step:
            name = re.fullmatch(r'(?:python3|bash) "\$SCRIPTS/(\w+\.\w+)"(?: \w+)?', step["run"])
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
    for name, job in deploy["jobs"].items():
        (checkout,) = [step for step in job["steps"] if step.get("with", {}).get("path") == "source"]
        assert checkout["with"]["ref"] == "${{ github.event.client_payload.sha }}", name
        assert checkout["with"]["persist-credentials"] is False, name


def test_a_steps_id_is_its_name_so_that_reports_can_be_read(deploy: dict[str, Any]) -> None:
    for step in steps(deploy):
        if "id" in step:
            assert step["id"].replace("-", " ").capitalize() == step["name"].replace("'s", "").replace("AWS", "aws")


def test_every_setting_is_a_callers_input_or_a_variable_and_every_secret_can_be_handed_on(
    deploy: dict[str, Any],
) -> None:
    call, text = deploy["on"]["workflow_call"], (FOLDER / "dev_deploy.yml").read_text()
    for name in call["inputs"]:
        assert f"{name.upper()}: ${{{{ inputs.{name} || vars.{name.upper()} }}}}" in text, name
    assert set(re.findall(r"secrets\.(\w+)", text)) == set(call["secrets"])
    assert not any(secret["required"] for secret in call["secrets"].values())
