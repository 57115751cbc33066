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


def anchors(document: Path) -> set[str]:
    """What GitHub makes of the headings: https://docs.github.com/get-started/writing-on-github, "Section links"."""
    outside = re.sub(r"^ *```.*?^ *```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\(.*?\)", "", title.lower())).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda p: p.name)
def test_a_link_into_a_document_leads_to_a_heading(document: Path) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]*)#([^)]+)\)", document.read_text("utf-8"))
    found = [(name, part, (document.parent / name) if name else document) for name, part in links]
    lost = [f"{name}#{part}" for name, part, file in found if file.suffix == ".md" and part not in anchors(file)]
    assert lost == []


def test_the_newest_release_of_the_changelog_is_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    released = re.findall(
        r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert released[0] == project["version"]
    assert f"git merge v{project['version']}" in (ROOT / "docs" / "upgrade.md").read_text("utf-8")


def test_the_film_moves_and_is_small() -> None:
    film = (ROOT / "docs" / "demo.gif").read_bytes()
    assert film.startswith(b"GIF89a")
    assert film.count(b"\x21\xf9\x04") > 20, "each picture has a graphic control extension"
    assert len(film) < 1_500_000


def test_the_korean_readme_is_in_step() -> None:
    """The same sections, tables, links, settings and commands, whatever is said around them."""
    english, korean = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ko.md"))
    for pattern in (r"^##+ ", r"^\|", r"^\d\. ", r"^- "):
        assert len(re.findall(pattern, korean, re.MULTILINE)) == len(re.findall(pattern, english, re.MULTILINE)), (
            pattern
        )
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.ko.md"} for text in (english, korean)]
    assert links[0] == links[1]
    named = [{_words(name) for name in quoted(text)} for text in (english, korean)]
    assert named[0] == named[1]


def _words(name: str) -> str:
    """Without what stands in <…>, which is translated."""
    return re.sub(r"<.*?>", "<>", name)


def test_the_modules_and_tests_of_mutation_testing_exist() -> None:
    """mutmut itself says nothing of a module that it does not find."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    modules = [name.replace("src/", "lambdas/shared/") for name in settings["only_mutate"]]
    names = [*modules, *settings["pytest_add_cli_args_test_selection"], *settings["also_copy"]]
    assert [name for name in names if not list(ROOT.glob(name))] == []
