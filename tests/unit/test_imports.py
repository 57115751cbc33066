"""The direction of the product's packages: nothing imports what stands above it, and there are no circles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

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


def test_only_the_function_that_verifies_tokens_starts_with_what_that_takes() -> None:
    """PyJWT and cryptography take a tenth of a second."""
    found = modules(SHARED, "chatops")
    starting: set[str] = set()
    for app in (ROOT / "lambdas").glob("*/app.py"):
        wanted = {one for one in imported(ast.parse(app.read_text("utf-8"))) if one.startswith("chatops")}
        reached, waiting = set[str](), [one if one in found else one.rpartition(".")[0] for one in wanted]
        while waiting:
            if (one := waiting.pop()) not in reached:
                reached.add(one)
                waiting += found.get(one, ())
        if {"chatops.github.oidc", "chatops.github.jwt"} & reached:
            starting.add(app.parent.name)
    assert starting == {"stage"}
