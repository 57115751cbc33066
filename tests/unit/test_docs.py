"""What the documents name exists: files, folders, commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if p.name != "CHANGELOG.md")
FOLDERS = (
    "tests/",
    "lambdas/",
    "local/",
    "fakes/",
    "docs/",
    "scripts/",
    "doctor/",
    "pipeline/",
    "bench/",
    "templates/",
)
MADE_BY_USERS = {"lambdas/shared/targets.yaml"}
SHARED = ROOT / "lambdas" / "shared" / "chatops"
ROOMS = tuple(f"{path.name}/" for path in SHARED.iterdir() if path.is_dir())
GOALS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)) | {"help"}


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_what_a_document_names_exists(document: Path) -> None:
    text, folder = document.read_text("utf-8"), ""
    missing = []
    for name in quoted(text):
        if name.startswith(FOLDERS) and re.fullmatch(r"[\w./*-]+", name) and name not in MADE_BY_USERS:
            folder = name.rpartition("/")[0]
            if not list(ROOT.glob(name.rstrip("/"))):
                missing.append(name)
        elif name.startswith(ROOMS) and re.fullmatch(r"[\w./*]+", name) and not list(SHARED.glob(name)):
            missing.append(name)
        elif re.fullmatch(r"test_\w+\*?\.py", name) and not list(ROOT.glob(f"tests/*/**/{name}")):
            missing.append(f"{folder}/{name}")
    links = re.findall(r"\]\(((?!https?:|#)[^)#]+)", text)
    missing += [link for link in links if not (document.parent / link).exists()]
    missing += [f"make {goal}" for goal in re.findall(r"`make ([a-z]+)", text) if goal not in GOALS]
    assert missing == []


def test_the_modules_and_tests_of_mutation_testing_exist() -> None:
    """mutmut itself says nothing of a module that it does not find."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    modules = [name.replace("src/", "lambdas/shared/") for name in settings["only_mutate"]]
    names = [*modules, *settings["pytest_add_cli_args_test_selection"], *settings["also_copy"]]
    assert [name for name in names if not list(ROOT.glob(name))] == []
