"""The endpoints of workflow runs. https://docs.github.com/rest/actions/workflow-runs"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from fakes.github import run_views
from fakes.github.errors import ApiError
from fakes.github.filters import MOST_RESULTS, SEARCHED, filter_runs
from fakes.github.grants import need
from fakes.github.model import Run
from fakes.github.paging import page_of
from fakes.github.reply import listed, reply, urls

if TYPE_CHECKING:
    from fakes.github.github import GitHub

DOCS = {
    "runs": "actions/workflow-runs#list-workflow-runs-for-a-repository",
    "run": "actions/workflow-runs#get-a-workflow-run",
    "attempt": "actions/workflow-runs#get-a-workflow-run-attempt",
    "attempt_jobs": "actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt",
    "pending_deployments": "actions/workflow-runs#get-pending-deployments-for-a-workflow-run",
    "jobs": "actions/workflow-jobs#list-jobs-for-a-workflow-run",
    "cancel": "actions/workflow-runs#cancel-a-workflow-run",
    "force_cancel": "actions/workflow-runs#force-cancel-a-workflow-run",
    "rerun": "actions/workflow-runs#re-run-a-workflow",
}


def register(app: Flask, github: GitHub) -> None:
    """Add the endpoints to the app."""

    def find(owner: str, repo: str, run_id: int) -> Run:
        return _find(github, owner, repo, run_id)

    _register_attempts(app, github)

    @app.get("/repos/<owner>/<repo>/actions/runs")
    def runs(owner: str, repo: str) -> Response:
        found = github.repository(owner, repo)
        with github.lock:
            mine = [run for run in github.runs if run.repository == found.full_name]
            matching = filter_runs(mine, request.args)
            shown = matching[:MOST_RESULTS] if SEARCHED & set(request.args) else matching
            page = page_of(shown, request.args, listed(found))
            items = [run_views.workflow_run(found, run, urls()) for run in page.items]
        return reply({"total_count": len(matching), "workflow_runs": items}, link=page.link)

    @app.get("/repos/<owner>/<repo>/actions/runs/<int:run_id>")
    def run(owner: str, repo: str, run_id: int) -> Response:
        with github.lock:
            found = find(owner, repo, run_id)
            return reply(run_views.workflow_run(github.repository(owner, repo), found, urls()))

    @app.get("/repos/<owner>/<repo>/actions/runs/<int:run_id>/jobs")
    def jobs(owner: str, repo: str, run_id: int) -> Response:
        repository = github.repository(owner, repo)
        with github.lock:
            found = find(owner, repo, run_id)
            every = request.args.get("filter") == "all"
            wanted = found.jobs if every else found.attempt_jobs()
            page = page_of(wanted, request.args, listed(repository))
            items = [run_views.job(repository, found, job, urls()) for job in page.items]
        return reply({"total_count": len(wanted), "jobs": items}, link=page.link)

    @app.get("/repos/<owner>/<repo>/actions/runs/<int:run_id>/pending_deployments")
    def pending_deployments(owner: str, repo: str, run_id: int) -> Response:
        with github.lock:
            found = find(owner, repo, run_id)
            return reply(run_views.pending_deployments(github.repository(owner, repo), found, urls()))

    def change(path: str, done: Callable[[int], object], status: int) -> None:
        def view(owner: str, repo: str, run_id: int) -> Response:
            found = find(owner, repo, run_id)
            need("actions")
            done(found.id)
            return reply({}, status)

        rule = f"/repos/<owner>/<repo>/actions/runs/<int:run_id>/{path}"
        app.add_url_rule(rule, path.replace("-", "_"), view, methods=["POST"])

    change("cancel", github.cancel, 202)
    change("force-cancel", github.force_cancel, 202)
    change("rerun", github.rerun, 201)


def _find(github: GitHub, owner: str, repo: str, run_id: int) -> Run:
    found = github.find_run(github.repository(owner, repo), run_id)
    if found is None:
        raise ApiError(404)
    return found


def _register_attempts(app: Flask, github: GitHub) -> None:
    def find_attempt(owner: str, repo: str, run_id: int, number: int) -> Run:
        found = _find(github, owner, repo, run_id)
        attempt = found if found.attempt == number else found.past.get(number)
        if attempt is None:
            raise ApiError(404)
        return attempt

    @app.get("/repos/<owner>/<repo>/actions/runs/<int:run_id>/attempts/<int:number>")
    def attempt(owner: str, repo: str, run_id: int, number: int) -> Response:
        with github.lock:
            found = find_attempt(owner, repo, run_id, number)
            return reply(run_views.workflow_run(github.repository(owner, repo), found, urls()))

    @app.get("/repos/<owner>/<repo>/actions/runs/<int:run_id>/attempts/<int:number>/jobs")
    def attempt_jobs(owner: str, repo: str, run_id: int, number: int) -> Response:
        repository = github.repository(owner, repo)
        with github.lock:
            wanted = find_attempt(owner, repo, run_id, number).attempt_jobs(number)
            page = page_of(wanted, request.args, listed(repository))
            items = [run_views.job(repository, _find(github, owner, repo, run_id), job, urls()) for job in page.items]
        return reply({"total_count": len(wanted), "jobs": items}, link=page.link)
