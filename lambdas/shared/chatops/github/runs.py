"""Workflow runs: GitHub's status and conclusion as one enum, and how to find a stage's run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from chatops import clock
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.github.client import GitHub, Reply, quoted
from chatops.values import dataclass


class RunState(StrEnum):
    """Everything that a run can be, as far as a deployment cares."""

    QUEUED = "queued"
    """It waits for a runner."""
    IN_REVIEW = "in_review"
    """It waits for the protection rules of an environment: its reviewers, a timer, an App."""
    PENDING = "pending"
    """It waits for another run of its concurrency group."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


COMPLETED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
_UNDER_WAY = {"in_progress": RunState.RUNNING, "waiting": RunState.IN_REVIEW, "pending": RunState.PENDING}


def state(status: str, conclusion: str | None) -> RunState:
    """One word for GitHub's two: only `completed` with `success` is success; an unknown word is never success.

    https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
    """
    if status == "completed":
        if conclusion == "success":
            return RunState.SUCCEEDED
        return RunState.CANCELLED if conclusion == "cancelled" else RunState.FAILED
    return _UNDER_WAY.get(status, RunState.QUEUED)


@dataclass(frozen=True)
class Run:
    """A workflow run."""

    id: int
    number: int
    url: str
    state: RunState
    conclusion: str
    attempt: int
    etag: str = ""
    updated_at: float = 0.0
    """Epoch seconds; of a run that has ended: when."""

    @property
    def completed(self) -> bool:
        return self.state in COMPLETED


def read(body: Mapping[str, Any], etag: str = "") -> Run:
    """A run of GitHub's reply, with the reply's ETag for the next look."""
    return Run(
        id=int(body["id"]),
        number=int(body["run_number"]),
        url=str(body["html_url"]),
        state=state(str(body["status"]), body.get("conclusion")),
        conclusion=str(body.get("conclusion") or ""),
        attempt=int(body.get("run_attempt") or 1),
        etag=etag,
        updated_at=clock.seconds(str(body.get("updated_at") or "")),
    )


def job_and_step(jobs: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """The job and step to show, at most 100 characters of each: what failed, else what runs now."""
    listed = list(jobs)
    for wanted, key in (("failure", "conclusion"), ("in_progress", "status")):
        for job in listed:
            if job.get(key) == wanted:
                steps = [s for s in job.get("steps") or [] if s.get(key) == wanted]
                return str(job["name"])[:100], str(steps[0]["name"])[:100] if steps else ""
    return "", ""


def at_work(jobs: Iterable[Mapping[str, Any]]) -> bool:
    """True while a runner carries out one of them: so long the run has not ended."""
    return any(job.get("status") == "in_progress" for job in jobs)


def log_url(jobs: Iterable[Mapping[str, Any]]) -> str:
    """The page of the job that failed, where its log is; empty where none did."""
    return next((str(job.get("html_url") or "") for job in jobs if job.get("conclusion") == "failure"), "")


def run_name(deployment_id: str, stage: str) -> str:
    """What the workflow's `run-name` makes of our payload."""
    return f"{deployment_id} {stage}"


def get(github: GitHub, run_id: int, etag: str = "") -> Reply:
    """The run as its first attempt goes or went; 304 without a body if the run is what `etag` saw (that costs nothing
    of the rate limit).

    Only a first attempt can claim: what somebody runs again afterwards says nothing about what the stage did.
    https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt
    """
    reply = github.request("GET", f"/actions/runs/{run_id}", etag=etag)
    if reply.body is None or int(reply.body.get("run_attempt") or 1) == 1:
        return reply
    return replace(reply, body=github.get(f"/actions/runs/{run_id}/attempts/1"))


def deleted(github: GitHub) -> bool:
    """After a 404 for a run: is it the run that is gone, or does the token not reach the repository any more? GitHub
    answers the same to both; whoever cannot tell takes the run for alive."""
    try:
        return github.find("") is not None
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused):
        return False


def jobs(github: GitHub, run_id: int, etag: str = "") -> tuple[list[Mapping[str, Any]] | None, str]:
    """The jobs of the run's first attempt, and their ETag; None for jobs that are as `etag` saw them."""
    reply = github.request("GET", f"/actions/runs/{run_id}/attempts/1/jobs", params={"per_page": 100}, etag=etag)
    return None if reply.body is None else list(reply.body["jobs"]), reply.etag or etag


def review(github: GitHub, run_id: int) -> tuple[str, str]:
    """The environment whose rules the run waits for, and who may review there (logins and team names, separated by
    commas); empty where GitHub doesn't say.

    https://docs.github.com/en/rest/actions/workflow-runs#get-pending-deployments-for-a-workflow-run
    """
    try:
        pending = github.get(f"/actions/runs/{run_id}/pending_deployments")
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused):
        return "", ""
    first: Mapping[str, Any] = next(iter(pending), {})
    asked = [each.get("reviewer") or {} for each in first.get("reviewers", [])]
    names = [str(each.get("login") or each.get("name") or "") for each in asked]
    return str((first.get("environment") or {}).get("name", ""))[:100], ", ".join(filter(None, names))[:300]


def disabled(github: GitHub, file: str) -> str:
    """`disabled_inactivity`, `disabled_manually` or `disabled_fork` where GitHub starts no run of this workflow file;
    empty where it does, and where GitHub doesn't say.

    https://docs.github.com/en/rest/actions/workflows#get-a-workflow
    """
    try:
        found = github.get(f"/actions/workflows/{quoted(file.rpartition('/')[2])}")
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused):
        return ""
    state = str(found.get("state", ""))
    return state if state.startswith("disabled_") else ""


def named(github: GitHub, name: str, since: float) -> Run | None:
    """The run of that exact name among those created since (epoch seconds, minus clock skew); of two the lower id."""
    created = f">={clock.iso(since - 120)[:19]}Z"
    listed = github.pages("/actions/runs", "workflow_runs", event="repository_dispatch", created=created)
    found = [read(body) for body in listed if body.get("display_title") == name]
    if not found:
        return None
    first = min(found, key=lambda run: run.id)
    return first if first.attempt == 1 else read(get(github, first.id).body)


def cancel(github: GitHub, run_id: int) -> None:
    """Ask for the run's cancel; one that has completed (409) needs none."""
    github.find_post(f"/actions/runs/{run_id}/cancel")


def force_cancel(github: GitHub, run_id: int) -> None:
    """End the run whatever its `always()` steps still do; one that has completed (409) needs none.

    https://docs.github.com/en/rest/actions/workflow-runs#force-cancel-a-workflow-run
    """
    github.find_post(f"/actions/runs/{run_id}/force-cancel")


def origin(github: GitHub, etag: str = "") -> tuple[tuple[str, str] | None, str]:
    """Where a dispatched run comes from: the repository's number, as text, and its default branch; and the ETag of that
    reply. None in place of both where the repository is as `etag` saw it. Names change hands, numbers don't.

    https://docs.github.com/en/rest/repos/repos#get-a-repository
    """
    reply = github.request("GET", "", etag=etag)
    if reply.body is None:
        return None, etag
    return (str(int(reply.body["id"])), str(reply.body["default_branch"])), reply.etag


def dispatch(github: GitHub, event_type: str, payload: Mapping[str, Any]) -> None:
    """`repository_dispatch`. https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event"""
    github.request("POST", "/dispatches", json={"event_type": event_type, "client_payload": dict(payload)})
