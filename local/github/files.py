"""What stands in a repository's branches, as far as anybody asks: its workflow files."""

from __future__ import annotations

from functools import cache

from pipeline.caller import FOLDER, HERE, OWN, PIPELINE, caller, path_of

ROOT = OWN.parents[2]
SCRIPTS = ".github/actions/scripts/action.yml"
OTHER_TARGETS = ("staging", "batch", "vm")
"""The local run's targets beside dev: each is a caller of the pipeline with its own event type."""

CI = """name: Checks
on: push
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
      - run: make test
"""


@cache
def pipeline() -> str:
    """This project's own workflow: the stand-in's repository has a copy of it."""
    return OWN.read_text(encoding="utf-8")


def workflows() -> dict[str, str]:
    """The workflow files of the repository that the stand-in begins with, and what they bring along, by path."""
    return dict(_workflows())


@cache
def _workflows() -> dict[str, str]:
    found = {f"{FOLDER}/ci.yml": CI, PIPELINE: pipeline(), SCRIPTS: (ROOT / SCRIPTS).read_text(encoding="utf-8")}
    return found | {path_of(name): caller(name, f"{name}_deploy", HERE) for name in OTHER_TARGETS}
