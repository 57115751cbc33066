"""deploy-lambda.yml: what starts it, what it is given, and that nothing happens without a way into AWS."""

from __future__ import annotations

import re
from typing import Any

from scripts.stack_parameters import PERHAPS_SECRET
from scripts.stack_secret import SOURCES
from tests.unit.test_workflow_rules import FOLDER, load

PATH = FOLDER / "deploy-lambda.yml"
TEXT = PATH.read_text("utf-8")
WORKFLOW = load(PATH)
LOOK, TEST, JOB = (WORKFLOW["jobs"][name] for name in ("look", "test", "deploy"))
STEPS: dict[str, dict[str, Any]] = {
    step["name"]: step for job in (LOOK, TEST, JOB) for step in job["steps"] if "name" in step
}


def test_it_starts_when_main_changes_what_is_deployed_or_somebody_asks() -> None:
    assert WORKFLOW["on"]["push"] == {
        "branches": ["main"],
        "paths": ["lambdas/**", "statemachine/**", "template.yaml"],
    }
    assert set(WORKFLOW["on"]) == {"push", "workflow_dispatch"}
    assert LOOK["if"] == "github.ref == 'refs/heads/main'", "also when somebody asks from another branch"
    assert LOOK["environment"]["name"] == JOB["environment"]["name"] == "bot"
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is False, "CloudFormation would go on alone"


def test_nothing_after_the_look_happens_without_a_way_into_aws() -> None:
    assert list(STEPS) == ["Look", "Test", "Build", "Sign in to AWS", "Deploy", "Fill the secrets"]
    assert list(WORKFLOW["jobs"]) == ["look", "test", "deploy"]
    assert (TEST["needs"], TEST["if"]) == ("look", "needs.look.outputs.ready == 'true'")
    # without an `if` of its own it is skipped with the tests, and by failed ones
    assert (JOB["needs"], "if" in JOB) == ("test", False)
    assert LOOK["outputs"] == {"ready": "${{ steps.look.outputs.ready }}"}
    assert STEPS["Look"]["id"] == "look"
    given = STEPS["Look"]["env"].values()
    assert all(re.fullmatch(r"\$\{\{ secrets\.[A-Z_]+ != '' \}\}", value) for value in given)
    # GitHub says deployed only when something was
    assert LOOK["environment"]["deployment"] is False
    assert "deployment" not in JOB["environment"], "its success is a deployment"


def test_the_tests_run_where_no_credential_is_and_a_job_has_the_rights_that_it_needs() -> None:
    assert LOOK["permissions"] == TEST["permissions"] == {"contents": "read"}, "looking needs no role"
    assert JOB["permissions"] == {"contents": "read", "id-token": "write"}
    assert "environment" not in TEST
    assert "secrets." not in str(TEST)
    assert "make test" not in str(JOB)


def test_a_step_knows_only_the_secrets_that_it_needs() -> None:
    known = {name: set(re.findall(r"secrets\.(\w+)", str(step))) for name, step in STEPS.items()}
    ways = {"AWS_REGION", "AWS_ROLE_ARN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert known["Look"] == known["Sign in to AWS"] == ways
    assert known["Test"] == known["Build"] == set()
    assert known["Deploy"] == set(PERHAPS_SECRET)
    # each secret of the stack, by the first name that GitHub allows
    carried = {next(name for name in names if not name.startswith("GITHUB_")) for names in SOURCES.values()}
    assert known["Fill the secrets"] == carried
    assert "env" not in WORKFLOW
    assert "env" not in JOB


def test_the_steps_are_the_commands_that_people_use() -> None:
    makefile = (FOLDER.parents[1] / "Makefile").read_text("utf-8")
    for name in ("Test", "Build", "Deploy", "Fill the secrets"):
        goal = STEPS[name]["run"].split()[1]
        assert re.search(rf"^{goal}:", makefile, re.MULTILINE), name
