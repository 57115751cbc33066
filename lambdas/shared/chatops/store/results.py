"""What each phase has come to, beside the execution's state: a box that fails loses its state, these rows stay.

Rollback, Settle, Reconcile and `sweep` read them. A row is written when something changed that a later step needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.results import Decision, Restore, RolloutResult, StageResult
from chatops.store.table import Table

Result = StageResult | RolloutResult | Decision | Restore | Mapping[str, Any]

_NEEDED = (
    *("state", "done", "claimed", "conclusion", "unconfirmed", "run_id", "why", "outputs"),
    *("task_definition", "restoring", "brought", "codedeploy_deployment_id", "how", "decision", "by"),
)
"""What later steps need of a result. Everything else in it (counts, pauses, links) is for showing."""


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def _needed(result: Mapping[str, Any]) -> Json:
    return {name: result[name] for name in _NEEDED if name in result}


def keep(table: Table, deployment_id: str, phase: str, result: Result, before: Result | None = None) -> None:
    """Write the phase's result, unless it needs nothing new of `before`, the result that was kept last."""
    found = _json(result)
    if before and _needed(_json(before)) == _needed(found):
        return
    row = {"pk": _pk(deployment_id), "sk": f"RESULT#{phase}", "phase": phase, "result": json.dumps(found)}
    table.put(row)


def _json(result: Result) -> Json:
    return dict(result) if isinstance(result, Mapping) else codec.as_json(result)


def kept(table: Table, deployment_id: str) -> dict[str, Json]:
    """Each phase's result as it was kept last."""
    rows = table.query(_pk(deployment_id), "RESULT#")
    return {str(row["phase"]): json.loads(row["result"]) for row in rows}


def latest(table: Table, deployment: Deployment) -> Deployment:
    """The deployment with the results that were kept, where they say something else than its own."""
    rows = kept(table, deployment.id)
    return deployment.having(
        {phase: row for phase, row in rows.items() if _needed(row) != _needed(deployment.result(phase))}
    )
