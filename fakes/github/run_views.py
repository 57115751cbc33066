"""GitHub's JSON for workflow runs and their jobs."""

from __future__ import annotations

from fakes.github.git_views import author
from fakes.github.model import Job, Run, Step, iso, sha1
from fakes.github.repository import Repository
from fakes.github.views import Json, Urls, minimal_repository, node_id, user
from fakes.github.workflow import workflow_id


def workflow_run(repository: Repository, run: Run, urls: Urls) -> Json:
    """A `workflow-run`: the latest attempt, under an id that all attempts share."""
    api = urls.repo(repository.full_name)
    me = f"{api}/actions/runs/{run.id}"
    suite = run.id * 2 + 1
    head = repository.commits[run.head_sha]
    where = minimal_repository(repository, urls)
    previous = f"{me}/attempts/{run.attempt - 1}" if run.attempt > 1 else None
    return {
        "id": run.id,
        "name": run.workflow,
        "node_id": node_id("WFR", run.id),
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "path": run.path,
        "display_title": run.title,
        "run_number": run.number,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow_id(run.path),
        "check_suite_id": suite,
        "check_suite_node_id": node_id("CS", suite),
        "url": me,
        "html_url": f"{urls.page(repository.full_name)}/actions/runs/{run.id}",
        "pull_requests": [],
        "created_at": iso(run.created),
        "updated_at": iso(run.updated),
        "actor": user(run.actor, urls),
        "run_attempt": run.attempt,
        "referenced_workflows": [],
        "run_started_at": iso(run.started),
        "triggering_actor": user(run.actor, urls),
        "jobs_url": f"{me}/jobs",
        "logs_url": f"{me}/logs",
        "check_suite_url": f"{api}/check-suites/{suite}",
        "artifacts_url": f"{me}/artifacts",
        "cancel_url": f"{me}/cancel",
        "rerun_url": f"{me}/rerun",
        "previous_attempt_url": previous,
        "workflow_url": f"{api}/actions/workflows/{workflow_id(run.path)}",
        "head_commit": {
            "id": head.sha,
            "tree_id": sha1("tree", head.sha),
            "message": head.message,
            "timestamp": iso(head.date),
            "author": author(head),
            "committer": author(head),
        },
        "repository": where,
        "head_repository": where,
    }


def pending_deployments(repository: Repository, run: Run, urls: Urls) -> list[Json]:
    """The `pending-deployment` of a run that waits for the rules of its stage's environment."""
    if run.status != "waiting":
        return []
    target = str(run.payload.get("target") or "dev")
    name = f"{target}-build" if run.stage == "build" else target
    known = repository.environment(name)
    number = int(sha1("environment", repository.full_name, name)[:8], 16)
    asked = [{"type": "User", "reviewer": user(login, urls)} for login in (known.reviewers if known else ())]
    return [
        {
            "environment": {
                "id": number,
                "node_id": node_id("EN", number),
                "name": name,
                "url": f"{urls.repo(repository.full_name)}/environments/{name}",
                "html_url": f"{urls.page(repository.full_name)}/deployments/activity_log?environments_filter={name}",
            },
            "wait_timer": 0,
            "wait_timer_started_at": None,
            "current_user_can_approve": False,
            "reviewers": asked,
        }
    ]


def _step(step: Step) -> Json:
    return {
        "name": step.name,
        "status": step.status,
        "conclusion": step.conclusion,
        "number": step.number,
        "started_at": iso(step.started) if step.started is not None else None,
        "completed_at": iso(step.completed) if step.completed is not None else None,
    }


def job(repository: Repository, run: Run, it: Job, urls: Urls) -> Json:
    """A `job` with its steps; one that was skipped or waits has no runner."""
    api = urls.repo(repository.full_name)
    ran = bool(it.steps) and it.status not in ("queued", "waiting", "pending")
    started = it.started if it.started is not None else it.created
    return {
        "id": it.id,
        "run_id": run.id,
        "workflow_name": run.workflow,
        "head_branch": run.head_branch,
        "run_url": f"{api}/actions/runs/{run.id}",
        "run_attempt": it.attempt,
        "node_id": node_id("CR", it.id),
        "head_sha": run.head_sha,
        "url": f"{api}/actions/jobs/{it.id}",
        "html_url": f"{urls.page(repository.full_name)}/actions/runs/{run.id}/job/{it.id}",
        "status": it.status,
        "conclusion": it.conclusion,
        "created_at": iso(it.created),
        "started_at": iso(started),
        "completed_at": iso(it.completed) if it.completed is not None else None,
        "name": it.name,
        "steps": [_step(step) for step in it.steps] if ran else [],
        "check_run_url": f"{api}/check-runs/{it.id}",
        "labels": ["ubuntu-24.04"],
        "runner_id": 1_000_417 if ran else None,
        "runner_name": "GitHub Actions 1000417" if ran else None,
        "runner_group_id": 0 if ran else None,
        "runner_group_name": "GitHub Actions" if ran else None,
    }
