"""Which workflows of a repository an event starts, by what stands on its default branch.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#repository_dispatch
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from fakes.github.repository import Repository
from fakes.github.workflow import WORKFLOW_NAME, WORKFLOW_PATH
from pipeline.caller import FOLDER, RUN_NAME

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EVENT = "repository_dispatch"
_CLAIMS = re.compile(r"\bclaim\b|\buses: \S*/workflows/")


@dataclass(frozen=True)
class Workflow:
    """A workflow file. `types`: the events that start it (None: any). `named`: its runs carry deployment and stage.
    `claims`: its jobs claim their stage, or call a pipeline that does: `calls`, that job's `uses`."""

    path: str
    name: str
    types: frozenset[str] | None
    named: bool
    claims: bool = True
    calls: str = ""


@dataclass(frozen=True)
class Event:
    """A repository_dispatch that was accepted."""

    type: str
    payload: Mapping[str, object]
    actor: str = "chatops-bot"


ANY = Workflow(WORKFLOW_PATH, WORKFLOW_NAME, None, True)
"""What a repository is taken to have whose files nobody has described."""


def listening(repository: Repository, event_type: str) -> list[Workflow]:
    """The active workflows that the event starts, each with a run of its own."""
    files = repository.files.get(repository.default_branch)
    if files is None:
        return [ANY]
    paths = [path for path in files if path.startswith(f"{FOLDER}/") and path.endswith((".yml", ".yaml"))]
    found = [_read(path, files[path]) for path in paths if repository.workflow_states.get(path, "active") == "active"]
    return [one for one in found if one is not None and (one.types is None or event_type in one.types)]


@lru_cache(maxsize=64)
def _read(path: str, text: str) -> Workflow | None:
    try:
        root = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the one in C where there is one
    except yaml.YAMLError:
        return None
    if not isinstance(root, dict):
        return None
    on = root.get("on", root.get(True))  # YAML 1.1 reads the key `on` as true
    if on == _EVENT or (isinstance(on, list) and _EVENT in on):
        types: Any = None
    elif isinstance(on, dict) and _EVENT in on:
        types = (on[_EVENT] or {}).get("types")
    else:
        return None
    chosen = None if types is None else frozenset([types] if isinstance(types, str) else types)
    named = str(root.get("run-name", "")).strip() == RUN_NAME
    jobs = root.get("jobs")
    calls = [str(job["uses"]) for job in jobs.values() if "uses" in job] if isinstance(jobs, dict) else []
    claims = bool(_CLAIMS.search(text))
    return Workflow(path, str(root.get("name") or path), chosen, named, claims, calls[0] if calls else "")
