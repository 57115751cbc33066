"""What each phase has come to, beside the execution's state: a box that fails loses its state, these rows stay.

Rollback, Settle, Reconcile and `sweep` read them. A row is written when something changed that a later step needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from chatops.domain import codec
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.results import Decision, Reconciled, Restore, RolloutResult, StageResult
from chatops.store.table import Table

Result = StageResult | RolloutResult | Decision | Restore | Reconciled
_Result = TypeVar("_Result", StageResult, RolloutResult, Reconciled)

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
    found = codec.as_json(result)
    if before and _needed(codec.as_json(before)) == _needed(found):
        return
    row = {"pk": _pk(deployment_id), "sk": f"RESULT#{phase}", "phase": phase, "result": json.dumps(found)}
    table.put(row)


def get(table: Table, deployment_id: str, phase: str, kind: type[_Result]) -> _Result:
    """The phase's result as it was kept last; with nothing but defaults where none was."""
    row = table.get(_pk(deployment_id), f"RESULT#{phase}")
    return codec.read(kind, json.loads(row["result"]) if row else None)


def latest(table: Table, deployment: Deployment) -> Deployment:
    """The deployment with the results that were kept, where they say something else than its own."""
    kept = {str(row["phase"]): json.loads(row["result"]) for row in table.query(_pk(deployment.id), "RESULT#")}
    return deployment.having(
        {phase: found for phase, found in kept.items() if _needed(found) != _needed(deployment.result(phase))}
    )
