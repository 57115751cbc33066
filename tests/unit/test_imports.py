"""The direction of the product's packages: nothing imports what stands above it, and there are no circles."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.unit.conftest import ENVIRONMENT

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "lambdas" / "shared" / "chatops"


def imported(tree: ast.AST) -> Iterator[str]:
    """What is imported when a module is: not inside functions, not for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from imported(node)


def modules(root: Path, package: str) -> dict[str, set[str]]:
    """Each module with those of the same package that it imports."""
    files = {
        ".".join((package, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in root.rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for name, path in files.items():
        wanted = imported(ast.parse(path.read_text("utf-8")))
        nearest = {one if one in files else one.rpartition(".")[0] for one in wanted if one.startswith(package)}
        found[name] = {one for one in nearest if one in files and one not in (name, package)}
    return found


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_the_products_modules_and_rooms_have_no_circles() -> None:
    found = modules(SHARED, "chatops")
    TopologicalSorter(found).prepare()
    rooms: dict[str, set[str]] = {}
    for name, wanted in found.items():
        rooms.setdefault(room(name), set()).update(room(one) for one in wanted if room(one) != room(name))
    TopologicalSorter(rooms).prepare()


def test_the_fakes_know_neither_the_engine_nor_the_page() -> None:
    for path in (ROOT / "fakes").rglob("*.py"):
        assert not [one for one in imported(ast.parse(path.read_text("utf-8"))) if one.split(".")[0] == "local"], path


HEAVY = ("boto3", "botocore", "slack_sdk", "requests", "jwt", "cryptography", "yaml", "aws_lambda_powertools", "uuid")
"""Each takes as long to import as all else that a function starts with, or is not in the layer."""
NEEDS = {
    **{key: set[str]() for key in ("slack", "park", "settle", "gifs", "wake", "page", "promote", "restore")},
    **{key: {"slack_sdk"} for key in ("approval", "notify")},
    **{key: {"requests"} for key in ("dispatch", "poll", "ecs", "reconcile")},
    **{key: {"requests", "slack_sdk"} for key in ("plan", "sweep")},
    "stage": {"cryptography"},
}
"""Of them, what a function imports while it starts, with a target on ECS."""
STARTED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
importlib.import_module("app")
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


def started(function: str, *names: str, **more: str) -> set[str]:
    """Which of these modules are there once the function has started, with a target on ECS."""
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SHARED.parent), "AWS_LAMBDA_FUNCTION_NAME": function}
    service = {"ECS_CLUSTER_NAME": "checkout", "ECS_SERVICE_NAME": "checkout"}
    command = [sys.executable, "-c", STARTED, str(ROOT / "lambdas" / function), *names]
    variables = {**ENVIRONMENT, **service, **here, **more}
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("function", sorted(NEEDS))
def test_a_function_starts_with_what_it_needs_and_nothing_else(function: str) -> None:
    # requests, boto3 and slack_sdk bring uuid along
    assert started(function, *HEAVY) - ({"uuid"} if NEEDS[function] else set()) == NEEDS[function]


def test_what_signs_for_an_app_is_there_before_the_first_call() -> None:
    signing = ("chatops.github.app", "cryptography.hazmat.primitives.serialization")
    assert started("dispatch", *signing, GITHUB_APP_ID="12345") == set(signing)


def test_the_functions_that_start_with_what_they_need_are_all() -> None:
    assert sorted(NEEDS) == sorted(path.parent.name for path in (ROOT / "lambdas").glob("*/app.py"))
