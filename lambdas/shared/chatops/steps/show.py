"""The deployment as GitHub's pages show it: one GitHub Deployment, brought to the status that follows from what the
table knows. It is off unless `GithubDeployments` is on.

Nothing waits for it: the function `sweep` writes it beside the deployment, when an event of the bot's own says that it
has begun, was decided or has ended, and whenever it sweeps, where that came to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chatops import clock
from chatops.domain import github_status
from chatops.domain.deployment import Deployment
from chatops.domain.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.domain.github_budget import Need
from chatops.domain.question import Answer
from chatops.domain.record import Record
from chatops.github import deployments as github_deployments
from chatops.github.client import github
from chatops.observability import logger, safe
from chatops.settings.config import settings
from chatops.store import deployments, questions, results, shown
from chatops.store.shown import Shown
from chatops.store.table import Item, Table, table

PATIENCE = 17.0
"""Seconds after an event at which no request is begun any more: the last takes at most 11, and the function has 30."""
REFUSED, LONGEST = 3600, 86_400
"""Seconds after a refusal of GitHub's (the token may lack Deployments: write) until it is asked again; and after a
deployment's end until it is given up."""


def owing(deployment_id: str) -> list[Item]:
    """What belongs into the transaction that begins a deployment: nothing where it is off."""
    return [shown.owing(deployment_id)] if settings().github_deployments else []


def waiting(unreadable: Callable[[Exception], object]) -> list[Shown]:
    """What `bring_up` may have to do now; nothing where it is off."""
    if not settings().github_deployments:
        return []
    return [each for each in shown.waiting(table(), unreadable) if each.free_at <= clock.now()]


def told(event: Mapping[str, Any]) -> None:
    """An event of the bot's own, as EventBridge delivers it. What it says is not believed, but for whose it is. Never
    raises: what is not done now is left to the next sweep."""
    try:
        name = str(event["detail"]["deployment"]["id"])
        seen = shown.get(table(), name) if settings().github_deployments else None
        if seen and seen.free_at <= clock.now():
            bring_up(seen, time.monotonic() + PATIENCE)
    except Exception as error:  # noqa: BLE001 - whatever it is, a sweep comes
        logger.warning("what github shows is left to sweep", error=type(error).__name__, reason=safe(error))


def bring_up(seen: Shown, until: float) -> None:
    """Bring what GitHub shows up to date. No request is begun at or after `until` (by the monotonic clock): the next
    sweep goes on. What GitHub does not take is logged, not raised."""
    rows = table()
    record = deployments.get(rows, seen.deployment_id)
    if record is None:
        return
    state = github_status.state(record, waits_for_people=not record.outcome and _waits(rows, record))
    if state == seen.state or not shown.hold(rows, seen):
        return
    try:
        _write(rows, record, seen, state, until)
    except GitHubRefused as error:
        logger.warning("github refuses to show a deployment", deployment_id=seen.deployment_id, reason=error.text)
        _later(rows, record, seen)
    except (GitHubUnavailable, GitHubRateLimited) as error:
        logger.warning("github shows a deployment later", deployment_id=seen.deployment_id, reason=str(error))
        _later(rows, record, seen, clock.now() + shown.HELD)


def _waits(rows: Table, record: Record) -> bool:
    """Whether people have to approve it and have not."""
    if not record.plan.approval:
        return False
    asked = questions.get(rows, record.deployment_id)
    return asked is None or asked.decision is not Answer.APPROVED


def _write(rows: Table, record: Record, seen: Shown, state: str, until: float) -> None:
    plan, name = record.plan, record.deployment_id
    client = github(plan.repository, Need.SHOW)
    number = seen.number or github_deployments.find(client, name, plan.sha, plan.target)
    if not number and time.monotonic() < until:
        number = github_deployments.create(client, name, plan.sha, plan.target, f"{plan.command} {plan.version}")
    if number and not seen.number:
        shown.note(rows, replace(seen, number=number, free_at=clock.now() + shown.HELD))
    if not number or time.monotonic() >= until:
        return
    said = record.outcome.end or plan.version
    github_deployments.report(client, number, state, said, _run(rows, name))
    if state in github_status.FINAL:
        shown.done(rows, name)
    else:
        shown.note(rows, Shown(name, number, state))


def _run(rows: Table, name: str) -> str:
    """Address of the run that did the latest stage; empty where there was none."""
    of = results.latest(rows, Deployment(name))
    return of.rollback.run_url or of.deploy.run_url or of.build.run_url or ""


def _later(rows: Table, record: Record, seen: Shown, free_at: float = 0.0) -> None:
    ended = clock.seconds(record.outcome.at or "")
    if ended and clock.now() - ended > LONGEST:
        logger.error("github never took a deployment's end", deployment_id=seen.deployment_id)
        shown.done(rows, seen.deployment_id)
        return
    known = shown.get(rows, seen.deployment_id) or seen
    shown.note(rows, replace(known, free_at=free_at or clock.now() + REFUSED))
