"""What stands in a repository's branches, as far as anybody asks: its workflow files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from chatops.domain.target import Target
from pipeline.caller import FOLDER, HERE, OWN, PIPELINE, RUN_NAME, Source, caller, path_of

ROOT = OWN.parents[2]
SCRIPTS = ".github/actions/scripts/action.yml"
OWNERS = ".github/CODEOWNERS"
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


UNCLAIMED = """name: Deploy {name}
run-name: "{run_name}"
on:
  repository_dispatch:
    types: [{event_type}]
permissions:
  contents: read
jobs:
  stage:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
      - run: make "$STAGE"
        env:
          STAGE: ${{{{ github.event.client_payload.stage }}}}
"""
"""A pipeline of somebody's own, which a target with `claim: false` has."""


@cache
def pipeline() -> str:
    """This project's own workflow: the fake's repository has a copy of it."""
    return OWN.read_text(encoding="utf-8")


def workflows() -> dict[str, str]:
    """The workflow files of the repository that the fake begins with, and what they bring along, by path."""
    return dict(_workflows())


@cache
def _workflows() -> dict[str, str]:
    return _common() | {path_of(name): caller(name, f"{name}_deploy", HERE) for name in OTHER_TARGETS}


def workflows_of(targets: Iterable[Target]) -> dict[str, str]:
    """The files of a repository from which these targets are deployed: one workflow listens to each event type."""
    found, heard = _common(), {"dev_deploy"}
    for target in targets:
        path = target.workflow_file
        if not target.claim:
            if target.event_type == "dev_deploy":  # then the pipeline of its own takes this one's place
                found[PIPELINE] = unclaimed(target)
            elif target.event_type not in heard:
                found[path if path not in found else f"{FOLDER}/{target.name}_of_slack.yml"] = unclaimed(target)
        elif path == PIPELINE and target.event_type not in heard:
            found[PIPELINE] = found[PIPELINE].replace("types: [", f"types: [{json.dumps(target.event_type)}, ", 1)
        elif path != PIPELINE and path not in found:
            uses = Source(target.pipeline, "0" * 40).uses if target.pipeline else HERE
            found[path] = caller(target.name, target.event_type, uses)
            if target.event_type == "dev_deploy":  # one workflow listens, not two
                found[PIPELINE] = found[PIPELINE].replace("types: [dev_deploy", "types: [nobody", 1)
        heard.add(target.event_type)
    return found


def unclaimed(target: Target) -> str:
    """The workflow of a target whose pipeline has no claim and finish steps."""
    return UNCLAIMED.format(name=target.name, run_name=RUN_NAME, event_type=json.dumps(target.event_type))


def _common() -> dict[str, str]:
    return {
        f"{FOLDER}/ci.yml": CI,
        PIPELINE: pipeline(),
        OWNERS: "/.github/ @acme/platform\n",
        SCRIPTS: (ROOT / SCRIPTS).read_text(encoding="utf-8"),
    }
