"""What a person has set in the shell, or for other commands of make, does not get into what is deployed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.session import Session

from scripts import bytecode

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
SET = [
    {"PYTHON": "python2.7", "ARCHITECTURE": "vax"},
    {"MAKEFLAGS": " -- PYTHON=python2.7 ARCHITECTURE=vax"},  # make PYTHON=python2.7 deploy
    {"PYTHONOPTIMIZE": "2"},
    {"PYTHONPYCACHEPREFIX": "/tmp/elsewhere"},  # noqa: S108 - nothing is to be written there
    {"PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1"},
]


def make(resource: str, folder: str, artefacts: Path, environment: dict[str, str], *options: str) -> str:
    """As `sam build` runs it: in the resource's folder, with what the shell has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "BUILD_"))}
    return subprocess.run(
        ["make", *options, "--makefile", str(LAMBDAS / "Makefile"), f"build-{resource}"],
        cwd=LAMBDAS / folder,
        env={**kept, **environment, "ARTIFACTS_DIR": str(artefacts)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("environment", SET)
def test_the_layer_is_for_lambdas_python_and_processor(tmp_path: Path, environment: dict[str, str]) -> None:
    commands = make("SharedLayer", "shared", tmp_path, environment, "--dry-run")
    assert commands.startswith("python3.11 -m pip install ")
    assert "--platform manylinux2014_aarch64 " in commands
    assert " python3.11 -m compileall " in commands


@pytest.mark.parametrize("environment", SET)
def test_bytecode_lies_where_lambda_looks_for_it(tmp_path: Path, environment: dict[str, str]) -> None:
    make("PollFunction", "poll", tmp_path, {**environment, "BUILD_PYTHON": sys.executable})
    assert list(tmp_path.rglob("*.py"))
    assert bytecode.problems(tmp_path, bytecode.FUNCTION) == []


def test_the_layer_describes_the_aws_services_that_the_functions_call_and_no_other(tmp_path: Path) -> None:
    """Named where clients are made: `client("sts")`, `prepare("dynamodb")`, `client: ClassVar[str] = "ecs"`."""
    named = re.compile(r'(?:\bclient\(|\bprepare\(|\bclient: ClassVar\[str\] = )((?:"[a-z]+"(?:, )?)+)')
    sources = [path.read_text("utf-8") for path in LAMBDAS.rglob("*.py")]
    called = {name for text in sources for found in named.findall(text) for name in re.findall(r'"([a-z]+)"', found)}
    commands = make("SharedLayer", "shared", tmp_path, {}, "--dry-run")
    assert set(re.findall(r"! -name ([a-z]+)", commands)) == called
    assert called <= set(Session().get_available_services())
