"""stop: before anything is put back, the deploy stage is ended and waited for."""

from __future__ import annotations

import math
from typing import Any

from chatops import clock
from chatops.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.github import runs
from chatops.github.client import github
from chatops.observability import logger
from chatops.platforms.registry import platform
from chatops.steps import cancelling, stage_run
from chatops.store import results, stages, waits
from chatops.store.table import Item, table
from chatops.targets import Target, targets

STAGE = "deploy"
SECONDS = 120
"""How long ECS and CodeDeploy targets wait for the run: their own API restores also beside it, and GitHub may be down.
Hosts can only be restored by another run, and wait until the stage's deadline."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """`done` when the rollback may go on, else `wait_seconds` until the next look. `untouched`: the deploy stage was
    never claimed, and can't be any more. `unconfirmed`: its run is not known to have ended."""
    deployment_id, plan, rows = str(event["deployment_id"]), event["state"]["plan"], table()
    target = targets()[plan["target"]]
    wake = waits.counter(rows, deployment_id)  # the counter first, then the truth
    row = stages.revoke(rows, deployment_id, STAGE)
    if row is None or not stage_run.may_change(target, row):
        return _result(wake, done=True, untouched=plan["command"] == "deploy")
    known = results.kept(rows, deployment_id).get(STAGE) or {}
    if known.get("done") and not known.get("unconfirmed"):
        return _result(wake, done=True)
    now = clock.now()
    began = float(row.get("stop_began_at") or 0)
    if not began:
        began = now
        stages.note(rows, deployment_id, STAGE, stop_began_at=now)
    conclusion = _stopped(target, deployment_id, row)
    if conclusion is not None:
        ended = {**known, "stage": STAGE, "done": True, "claimed": True, "unconfirmed": False}
        results.keep(rows, deployment_id, STAGE, {"state": "cancelled", **ended, "conclusion": conclusion}, known)
        return _result(wake, done=True)
    if now >= began + SECONDS and now >= _limit(target, row):
        open_end = {"state": "cancelled", **known, "stage": STAGE, "done": True, "claimed": True, "unconfirmed": True}
        results.keep(rows, deployment_id, STAGE, open_end, known)
        return _result(wake, done=True, unconfirmed=True)
    return _result(wake, done=False, seconds=max((now - began) / 10, target.timing.poll_min))


def _result(
    wake: int, *, done: bool, untouched: bool = False, unconfirmed: bool = False, seconds: float = 1
) -> dict[str, Any]:
    return {
        "done": done,
        "untouched": untouched,
        "unconfirmed": unconfirmed,
        "wake": wake,
        "wait_seconds": max(math.ceil(seconds), 1),
    }


def _limit(target: Target, row: Item) -> float:
    """Epoch seconds until which a run is waited for that nobody but GitHub can end."""
    if not platform(target).pipeline_only:
        return 0
    return float(row.get("dispatched_at") or row["created_at"]) + target.timing.deploy


def _stopped(target: Target, deployment_id: str, row: Item) -> str | None:
    """The run's conclusion once it has ended; until then GitHub is asked to cancel it, and None is returned."""
    client = github(target.repository)
    try:
        found = stage_run.find(client, target, deployment_id, STAGE, row)
        if found is not None and found.completed:
            return found.conclusion
        if found is None:  # asked for and not to be seen: it may be late
            return "none" if clock.now() - float(row["tried_at"]) >= target.timing.appear else None
        cancelling.ask(table(), deployment_id, STAGE, row, client, found.id)
    except GitHubRefused as error:
        if error.status == 404 and runs.deleted(client):
            return "deleted"
        logger.warning("the run was not stopped", reason=str(error))
    except (GitHubUnavailable, GitHubRateLimited) as trouble:
        logger.warning("the run was not stopped", reason=str(trouble))
    return None
