"""The workflow that a target's repository has: it listens to the target's event and calls dev_deploy.yml.

What it must grant and hand on is read from dev_deploy.yml itself, so that the two cannot differ.
https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = ".github/workflows"
PIPELINE = f"{FOLDER}/dev_deploy.yml"
OWN = Path(__file__).resolve().parents[1] / PIPELINE
RUN_NAME = "${{ github.event.client_payload.deployment_id }} ${{ github.event.client_payload.stage }}"
"""By this the bot finds a run that has not claimed yet (chatops.github.runs.run_name)."""
REASONS = {
    "contents": "the commit",
    "id-token": "the role on AWS, without keys",
    "packages": "GitHub's image registry, where there is no AWS",
}
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """The pipeline that is called: of `repository` (owner/name) at `commit` (40 hex digits); `label` is for people."""

    repository: str
    commit: str
    label: str = ""

    def __post_init__(self) -> None:
        if not _COMMIT.fullmatch(self.commit):
            raise ValueError(f"{self.commit!r} is no commit; it should hold 40 hex digits: a branch or tag may move")

    @property
    def uses(self) -> str:
        """The commit is what is called; the label says to people which that is."""
        comment = f" # {self.label}" if self.label else ""
        return f"{self.repository}/{PIPELINE}@{self.commit}{comment}"


HERE = f"$/{PIPELINE}"
"""The pipeline of the caller's own repository, at the caller's own commit."""


def path_of(target: str) -> str:
    """Where the caller stands in its repository."""
    return f"{FOLDER}/{target}_deploy.yml"


def caller(target: str, event_type: str, uses: str, pipeline: str = "") -> str:
    """The caller's text. `uses`: HERE or a Source's. `pipeline`: the text of dev_deploy.yml (default: this one's)."""
    called = yaml.safe_load(pipeline or OWN.read_text("utf-8"))
    plain = _PLAIN.fullmatch(event_type) and yaml.safe_load(event_type) == event_type  # `true` would be no word
    event = event_type if plain else json.dumps(event_type)
    lines = [
        f"# Deploys {target} from Slack: each event is one stage of one deployment, and dev_deploy.yml does it.",
        "# Settings: the variables and secrets of this repository, or of its environment named after the target; where",
        "# both have one, the environment's counts.",
        f"name: ChatOps Deploy ({target})",
        f'run-name: "{RUN_NAME}"',
        "",
        "on:",
        "  repository_dispatch:",
        f"    types: [{event}]",
        "",
        "permissions: {}",
        "",
        "jobs:",
        "  stage:",
        "    name: Stage",
        "    permissions:",
        *(f"      {name}: {level} # {REASONS[name]}" for name, level in permissions(called).items()),
        f"    uses: {uses}",
        "    secrets:",
        *(f"      {name}: ${{{{ secrets.{name} }}}}" for name in secrets(called)),
    ]
    return "\n".join(lines) + "\n"


def permissions(pipeline: dict[Any, Any]) -> dict[str, str]:
    """What its jobs ask for: a caller that grants less ends in startup_failure."""
    asked: dict[str, str] = {}
    for job in pipeline["jobs"].values():
        for name, level in job["permissions"].items():
            asked[name] = level if asked.get(name) != "write" else "write"
    return asked


def secrets(pipeline: dict[Any, Any]) -> list[str]:
    """The secrets that it takes. One that only the environment has is named, too: GitHub fills it in there."""
    on = pipeline.get("on") or pipeline[True]  # YAML 1.1 reads the key `on` as true
    return list(on["workflow_call"]["secrets"])
