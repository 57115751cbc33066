"""Which tests of a repository the pipeline runs, with fakes of the package managers on PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.git_folder import put

SCRIPT = Path(__file__).parents[2] / ".github" / "scripts" / "run_tests.py"
MANAGERS = ("npm", "npx", "pip")
NPMS_OWN = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'
TESTED = '{"scripts": {"test": "vitest run"}}'
PYTHON_TEST = "def test_it():\n    assert True\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A package manager only says how it was called; Python's environment is this one, which has pytest."""
    made = tmp_path / "bin"
    made.mkdir()
    for name in MANAGERS:
        (made / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/asked"\n')
        (made / name).chmod(0o755)
    (tmp_path / "source").mkdir()
    return {
        "PATH": f"{made}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "SOURCE": str(tmp_path / "source"),
    }


def run(env: dict[str, str], files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    put(Path(env["SOURCE"]), files)
    command = [sys.executable, "-I", str(SCRIPT)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd=env["HOME"])


def asked(env: dict[str, str]) -> list[str]:
    found = Path(env["HOME"]) / "asked"
    return found.read_text().splitlines() if found.is_file() else []


def outputs(env: dict[str, str]) -> str:
    found = Path(env["GITHUB_OUTPUT"])
    return found.read_text() if found.is_file() else ""


MAKE = "@echo from make"


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": f"test:\n\t{MAKE}\n"},
        {"GNUmakefile": f"test:\n\t{MAKE}\n"},
        {"makefile": f"lint test: deps\n\t{MAKE}\ndeps:\n"},
        {"Makefile": f"test :: ; {MAKE}\n"},
        {"Makefile": "include mk/*.mk\n", "mk/test.mk": f"test:\n\t{MAKE}\n"},
        {"Makefile": f"CHECKS := test\n$(CHECKS):\n\t{MAKE}\n"},
        {"Makefile": f".PHONY: test\ntest:\n\t{MAKE}\n", "test/x": ""},
    ],
)
def test_a_make_rule_is_one_that_make_itself_knows(env: dict[str, str], files: dict[str, str]) -> None:
    done = run(env, files)
    assert (done.returncode, "from make" in done.stdout, outputs(env)) == (0, True, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        ({"package.json": TESTED}, ["npm install", "npm test"]),
        ({"package.json": "\ufeff" + TESTED, "package-lock.json": "{}"}, ["npm ci", "npm test"]),
        (
            {"package.json": TESTED, "pnpm-lock.yaml": "lockfileVersion: '9.0'"},
            ["npx --yes corepack pnpm install --frozen-lockfile", "npx --yes corepack pnpm test"],
        ),
        (
            {"package.json": TESTED, "yarn.lock": "# yarn lockfile v1\n"},
            ["npx --yes corepack yarn install --frozen-lockfile", "npx --yes corepack yarn test"],
        ),
        (
            {"package.json": TESTED, "yarn.lock": "__metadata:\n  version: 8\n"},
            ["npx --yes corepack yarn install --immutable", "npx --yes corepack yarn test"],
        ),
        (
            {"package.json": TESTED, "bun.lock": "{}"},
            ["npx --yes bun install --frozen-lockfile", "npx --yes bun run test"],
        ),
        ({"Makefile": "tests:\n\t@echo no\n", "package.json": TESTED}, ["npm install", "npm test"]),
    ],
)
def test_each_package_manager_installs_what_its_lock_file_has(
    env: dict[str, str], files: dict[str, str], commands: list[str]
) -> None:
    done = run(env, files)
    assert (done.returncode, asked(env), outputs(env)) == (0, commands, ""), done.stdout + done.stderr


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "requests", "tests/test_x.py": PYTHON_TEST},
        {"src/shop/test_price.py": PYTHON_TEST},
        {"price_test.py": PYTHON_TEST},
        {"pytest.ini": "[pytest]\n"},
        {"tox.ini": "[pytest]\n"},
        {"setup.cfg": "[tool:pytest]\n"},
        {"pyproject.toml": "[tool.pytest.ini_options]\n"},
    ],
)
def test_pytest_runs_where_it_would_find_something(env: dict[str, str], files: dict[str, str]) -> None:
    (Path(env["HOME"]) / "tests").write_text("no folder: the environment cannot be made, and nothing is downloaded")
    done = run(env, files)
    assert "Tests: " in done.stdout
    assert "-m venv" in done.stdout
    assert done.returncode != 0, "an environment that cannot be made fails the step"
    assert outputs(env) == ""


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "x"},
        {"package.json": '{"name": "no-tests"}', "json.py": "raise SystemExit"},
        {"package.json": NPMS_OWN},
        {"package.json": '{"scripts": []}'},
        {"Makefile": ".PHONY: test\nbuild:\n\t@true\n"},
        {"Makefile": "build:\n\t@true\n", "test": "a file, no rule"},
        {"Makefile": "test = 1\nTEST: x\n"},
        {"pyproject.toml": "[build-system]\n", "latest.py": ""},
    ],
)
def test_no_tests_are_reported_as_none(env: dict[str, str], files: dict[str, str]) -> None:
    done = run(env, files)
    assert (done.returncode, outputs(env), asked(env)) == (0, "tests=none\n", []), done.stdout + done.stderr
    assert "::warning title=No tests::" in done.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"scripts": {"test": '),
        ("package.json", '{"scripts": {"test": "x"}}\x00\x80'),
        ("pyproject.toml", "[tool.pytest"),
        ("tox.ini", "pytest]\n"),
        ("Makefile", "test\n\t  @x\nif\n"),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_no_tests(env: dict[str, str], name: str, text: str) -> None:
    done = run(env, {name: text})
    assert (done.returncode, outputs(env), asked(env)) == (1, "", [])
    assert "::error title=Tests::" in done.stdout
    assert name in done.stdout


def test_a_failing_test_fails_the_step(env: dict[str, str]) -> None:
    assert run(env, {"Makefile": "test:\n\t@false\n"}).returncode != 0


def test_what_the_repository_runs_cannot_ask_github_who_it_is(env: dict[str, str]) -> None:
    """Where somebody runs this script in a job that may have a token made."""
    given = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x.example", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "an-id-token"}
    done = run(env | given | {"GITHUB_SHA": "still-there"}, {"Makefile": "test:\n\t@env\n"})
    assert "still-there" in done.stdout
    assert "ACTIONS_ID_TOKEN" not in done.stdout
    assert "an-id-token" not in done.stdout
