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
    "id-token": "who the run is, for the bot, and the roles on AWS, without keys",
    "packages": "GitHub's image registry, where there is no AWS",
}
URL = re.compile(r"https://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~-]+)*")
AUDIENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,199}")
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


@dataclass(frozen=True)
class Bot:
    """Where the bot is, and the audience of the tokens that it takes (the outputs ChatOpsUrl and ChatOpsAudience)."""

    url: str
    audience: str

    def __post_init__(self) -> None:
        if not URL.fullmatch(self.url):
            raise ValueError(f"CHATOPS_URL is {self.url!r}; it should hold an https address without a slash at its end")
        if not AUDIENCE.fullmatch(self.audience):
            raise ValueError(
                f"CHATOPS_AUDIENCE is {self.audience!r}; it should hold the stack's output ChatOpsAudience"
            )


HERE = f"$/{PIPELINE}"
"""The pipeline of the caller's own repository, at the caller's own commit."""


def path_of(target: str) -> str:
    """Where the caller stands in its repository."""
    return f"{FOLDER}/{target}_deploy.yml"


def caller(target: str, event_type: str, uses: str, pipeline: str = "", bot: Bot | None = None) -> str:
    """The caller's text. `uses`: HERE or a Source's. `pipeline`: the text of dev_deploy.yml (default: this one's).
    `bot`: written into it; None leaves the address to the variables of the target's environments.
    """
    called = yaml.safe_load(pipeline or OWN.read_text("utf-8"))
    plain = _PLAIN.fullmatch(event_type) and yaml.safe_load(event_type) == event_type  # `true` would be no word
    event = event_type if plain else json.dumps(event_type)
    lines = [
        f"# Deploys {target} from Slack: each event is one stage of one deployment, and dev_deploy.yml does it.",
        f"# Settings: variables and secrets of the environments {target}-build (build) and {target} (release).",
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
        *(_address(bot) if bot else ()),
        "    secrets:",
        *(f"      {name}: ${{{{ secrets.{name} }}}}" for name in secrets(called)),
    ]
    return "\n".join(lines) + "\n"


def _address(bot: Bot) -> list[str]:
    return [
        "    with:",
        "      # Where the bot is. Only this file says so: an event or a variable could be somebody else's.",
        f"      chatops_url: {bot.url}",
        f"      chatops_audience: {json.dumps(bot.audience)}",
    ]


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
