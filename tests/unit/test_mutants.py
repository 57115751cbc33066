"""The lists behind `make mutants` name what there is. The mutants themselves are its own business."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "tests" / "mutants"
MODULES: dict[str, dict[str, Any]] = tomllib.loads((LISTS / "modules.toml").read_text("utf-8"))
EXPLAINED: list[dict[str, str]] = tomllib.loads((LISTS / "explained.toml").read_text("utf-8")).get("explained", [])


def source(module: str) -> str:
    return (ROOT / "lambdas" / "shared" / "chatops" / module).read_text("utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_and_its_tests_are_there(name: str) -> None:
    assert source(MODULES[name]["module"])
    assert all((ROOT / "tests" / test).is_file() for test in MODULES[name]["tests"])


def within(module: str, function: str) -> str:
    """The lines of the function (`Class.method`), or of the whole module, without their indentation."""
    tree, text = ast.parse(source(module)), source(module)
    for name in filter(None, function.split(".")):
        tree = next(node for node in tree.body if getattr(node, "name", "") == name)  # type: ignore[assignment]
    found = (ast.get_source_segment(text, tree) or "") if function else text  # type: ignore[arg-type]
    return "\n".join(line.strip() for line in found.splitlines())


@pytest.mark.parametrize("one", EXPLAINED, ids=lambda one: f"{one['module']} {one.get('function', '')}")
def test_what_is_explained_still_stands_there_and_has_a_reason(one: dict[str, str]) -> None:
    assert one["module"] in {line["module"] for line in MODULES.values()}
    assert len(one["why"]) > 10
    text = within(one["module"], one.get("function", ""))
    for block in one["changes"].strip().split("\n\n"):
        before = [line[2:] for line in block.splitlines() if line.startswith("- ")]
        assert "\n".join(before) in text, block
