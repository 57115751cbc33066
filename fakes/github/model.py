"""What the GitHub fake remembers: commits, tags, releases, runs, jobs and steps, as plain objects.

Times are epoch seconds; `iso` writes them as GitHub does. Statuses and conclusions are GitHub's own words.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fakes.github.workflow import WORKFLOW_NAME, WORKFLOW_PATH

if TYPE_CHECKING:
    from fakes.github.script import Script

#: What GitHub may conclude of a run. https://docs.github.com/rest/actions/workflow-runs
CONCLUSIONS = frozenset(
    {
        "success",
        "failure",
        "cancelled",
        "timed_out",
        "neutral",
        "skipped",
        "stale",
        "action_required",
        "startup_failure",
    }
)


def iso(seconds: float) -> str:
    """Epoch seconds as GitHub writes them: UTC, whole seconds, `Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha1(*parts: str) -> str:
    """A stable 40 hex digit object id, so that a demo shows the same commits every time."""
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Commit:
    """One commit; `pull` is the number of the pull request that brought it, if one did."""

    sha: str
    message: str
    parents: tuple[str, ...]
    date: float
    login: str = "dana"
    files: tuple[str, ...] = ("src/app.py",)
    pull: int | None = None


@dataclass
class Tag:
    """A tag; an annotated one has an object (and a sha) of its own between the ref and the commit."""

    name: str
    sha: str
    date: float
    annotated: bool = False

    @property
    def object_sha(self) -> str:
        """What `refs/tags/<name>` points at: the tag object when annotated, the commit otherwise."""
        return sha1("tag", self.name, self.sha) if self.annotated else self.sha


@dataclass
class Release:
    """A release. `created` is the date of its commit, as on GitHub; `published` is None for a draft."""

    id: int
    tag: str
    created: float
    published: float | None
    target: str
    body: str = ""
    draft: bool = False
    prerelease: bool = False
    login: str = "lee"


STATES = frozenset({"error", "failure", "inactive", "in_progress", "queued", "pending", "success"})
"""Of a deployment's status. https://docs.github.com/rest/deployments/statuses#create-a-deployment-status"""


@dataclass
class DeploymentStatus:
    """One status of a deployment."""

    state: str
    description: str
    log_url: str
    created: float


@dataclass
class Deployment:
    """A record of what was deployed where; `asked`: the request that made it. `statuses`: oldest first."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: object
    description: str
    created: float
    transient: bool = False
    production: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)
    asked: Mapping[str, object] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """As GitHub shows it: pending before its first status."""
        return self.statuses[-1].state if self.statuses else "pending"


@dataclass
class Step:
    """One step of a job."""

    name: str
    number: int
    status: str = "queued"
    conclusion: str | None = None
    started: float | None = None
    completed: float | None = None


@dataclass
class Job:
    """One job of one attempt of a run. A skipped job has no steps and no runner."""

    id: int
    name: str
    attempt: int
    created: float
    status: str = "queued"
    conclusion: str | None = None
    started: float | None = None
    completed: float | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass
class Run:
    """One workflow run with all its attempts' jobs.

    `calls` is the `uses` of the workflow that does the work, empty where it is the run's own.
    `payload` is the event's client_payload, `claim_status` and `finish_status` the HTTP statuses that the bot
    answered to this attempt's first and last step (None: never asked).
    """

    id: int
    number: int
    repository: str
    title: str
    event: str
    head_sha: str
    head_branch: str
    created: float
    updated: float
    started: float
    event_type: str = ""
    payload: Mapping[str, object] = field(default_factory=dict)
    script: Script | None = None
    actor: str = "chatops-bot"
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    jobs: list[Job] = field(default_factory=list)
    claim_status: int | None = None
    finish_status: int | None = None
    path: str = WORKFLOW_PATH
    workflow: str = WORKFLOW_NAME
    calls: str = ""
    past: dict[int, Run] = field(default_factory=dict, repr=False)
    """Earlier attempts as they ended, by their number."""
    wake: threading.Event = field(default_factory=threading.Event, repr=False)
    cancel_requested: bool = False
    forced: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set by a forced cancel: the run ends where it is, its `always()` steps too."""

    @property
    def stage(self) -> str:
        """`build`, `deploy`, `rollback`, or an empty string for an event that names none."""
        return str(self.payload.get("stage") or "")

    def attempt_jobs(self, attempt: int | None = None) -> list[Job]:
        """The jobs of one attempt, by default of the latest."""
        return [job for job in self.jobs if job.attempt == (attempt or self.attempt)]
