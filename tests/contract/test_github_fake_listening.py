"""Which workflows an event starts: those of the default branch that list its type and are active.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#repository_dispatch
"""

from __future__ import annotations

import pytest

from fakes.github import GitHub, Script
from fakes.github.listening import Event
from pipeline.caller import HERE, PIPELINE, RUN_NAME, Source, caller, path_of

PROD, SHA = path_of("prod"), "0123456789abcdef0123456789abcdef01234567"
BUILD = {"deployment_id": "d-abc234def567", "stage": "build"}


@pytest.fixture
def files(github: GitHub) -> dict[str, str]:
    """The default branch's files."""
    github.script["build"] = Script(claims=False, appear_seconds=0, queued_seconds=0, seconds=0)
    return github.default_repository.files["main"]


def started(github: GitHub, event_type: str) -> list[tuple[str, str, str]]:
    """Path, workflow and title of each run that the event starts."""
    before = len(github.runs)
    github.trigger(github.default_repository, Event(event_type, BUILD))
    assert github.settle()
    return [(run.path, run.workflow, run.title) for run in github.runs[before:]]


@pytest.mark.parametrize("uses", [HERE, Source("acme/platform-deploy", SHA, "v1.0.0").uses])
def test_a_caller_listens_to_its_targets_event_alone(github: GitHub, files: dict[str, str], uses: str) -> None:
    assert started(github, "prod_deploy") == []
    files[PROD] = caller("prod", "prod_deploy", uses)
    assert started(github, "prod_deploy") == [(PROD, "ChatOps Deploy (prod)", "d-abc234def567 build")]
    assert started(github, "dev_deploy") == [(PIPELINE, "ChatOps Deploy", "d-abc234def567 build")]


def test_a_pipeline_of_anothers_that_is_only_called_does_not_listen(github: GitHub, files: dict[str, str]) -> None:
    files[PIPELINE] = files[PIPELINE].replace("  repository_dispatch:\n    types: [dev_deploy]\n", "")
    assert started(github, "dev_deploy") == []


@pytest.mark.parametrize("state", ["disabled_manually", "disabled_inactivity"])
def test_a_disabled_workflow_starts_nothing(github: GitHub, files: dict[str, str], state: str) -> None:
    github.default_repository.workflow_states[PIPELINE] = state
    assert started(github, "dev_deploy") == []


def test_each_workflow_that_listens_has_a_run(github: GitHub, files: dict[str, str]) -> None:
    files[PROD] = caller("prod", "dev_deploy", HERE)
    assert sorted(run[0] for run in started(github, "dev_deploy")) == [PIPELINE, PROD]


def test_without_the_run_name_a_run_is_called_by_its_event(github: GitHub, files: dict[str, str]) -> None:
    files[PIPELINE] = files[PIPELINE].replace(RUN_NAME, "Deploy")
    assert [run[2] for run in started(github, "dev_deploy")] == ["dev_deploy"]


@pytest.mark.parametrize(
    "on",
    [
        "on: repository_dispatch\n",
        "on: [push, repository_dispatch]\n",
        "on: {repository_dispatch: }\n",
        "on: {repository_dispatch: {types: x}}\n",
    ],
)
def test_triggers_are_read_as_github_reads_them(github: GitHub, files: dict[str, str], on: str) -> None:
    files.clear()
    files[PROD] = f"name: Any\n{on}jobs: {{}}\n"
    assert [run[1] for run in started(github, "x")] == ["Any"]


@pytest.mark.parametrize("text", ["a: [", "- repository_dispatch\n", "on: push\n", ""])
def test_what_is_no_workflow_for_it_is_passed_over(github: GitHub, files: dict[str, str], text: str) -> None:
    files.clear()
    files[PROD] = text
    files["repository_dispatch.yml"] = "on: repository_dispatch\n"  # not in the folder of workflows
    assert started(github, "x") == []
