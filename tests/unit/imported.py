"""Which modules of the shared package a function may come to run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.unit.resolved_template import ROOT


@cache
def imports(module: Path) -> tuple[str, ...]:
    """Names of chatops modules that a file imports, anywhere in it."""
    return tuple(_imports(module))


def _imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chatops"):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


def reached(app: Path) -> set[Path]:
    """Every file of the shared package that a function may come to run."""
    shared = ROOT / "lambdas/shared"
    found: set[Path] = set()
    todo = [app]
    while todo:
        for name in imports(todo.pop()):
            path = shared / f"{name.replace('.', '/')}.py"
            if path.is_file() and path not in found:
                found.add(path)
                todo.append(path)
    return found
