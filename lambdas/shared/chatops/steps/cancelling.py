"""Ask GitHub to end a stage's run: a plain cancel first, a forced one where the run outlives it."""

from __future__ import annotations

from chatops import clock
from chatops.domain.stage import Stage
from chatops.github import runs
from chatops.github.client import GitHub
from chatops.store import stages
from chatops.store.table import Table

ASK_AGAIN = 30
"""Seconds between two requests to end the same run."""
FORCE_AFTER = 60
"""Seconds after the first request: `always()` steps survive a plain cancel for minutes, a forced one ends them.
https://docs.github.com/en/rest/actions/workflow-runs#force-cancel-a-workflow-run"""


def ask(table: Table, deployment_id: str, stage: str, row: Stage, client: GitHub, run_id: int) -> None:
    """Ask, unless that was done a moment ago. Raises GitHub's errors, after the attempt was written down."""
    now, asked_at = clock.now(), row.cancel_asked_at
    if now - row.cancel_tried_at < ASK_AGAIN:
        return
    end = runs.force_cancel if asked_at and now - asked_at >= FORCE_AFTER else runs.cancel
    try:
        end(client, run_id)
    finally:
        stages.note(table, deployment_id, stage, cancel_asked_at=asked_at or now, cancel_tried_at=now)
