"""What stands in a repository's branches, as far as anybody asks: its workflow files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = ".github/workflows"
PIPELINE = "dev_deploy.yml"
_OWN = Path(__file__).resolve().parents[2] / FOLDER / PIPELINE
OTHER_TARGETS = ("staging", "vm")
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
CALLER = """name: Deploy {target}
run-name: "${{{{ github.event.client_payload.deployment_id }}}} ${{{{ github.event.client_payload.stage }}}}"
on:
  repository_dispatch:
    types: [{event_type}]
permissions: {{}}
jobs:
  stage:
    permissions:
      contents: read
      id-token: write
      packages: write
    uses: ./.github/workflows/dev_deploy.yml
    secrets: inherit
"""


@cache
def pipeline() -> str:
    """This project's own workflow: the stand-in's repository has a copy of it."""
    return _OWN.read_text(encoding="utf-8")


def workflows() -> dict[str, str]:
    """The workflow files of the repository that the stand-in begins with, by path."""
    found = {"ci.yml": CI, PIPELINE: pipeline()}
    found |= {f"{name}_deploy.yml": CALLER.format(target=name, event_type=f"{name}_deploy") for name in OTHER_TARGETS}
    return {f"{FOLDER}/{name}": text for name, text in found.items()}
