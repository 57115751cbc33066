"""What the table knows of a deployment, for its page: in one request, since pages ask again every few seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.page_facts import Facts
from chatops.domain.question import Question
from chatops.domain.record import Cancel
from chatops.domain.stage import STAGES, Stage
from chatops.store import deployments
from chatops.store.table import Item, Table


def get(table: Table, deployment_id: str) -> Facts | None:
    """None for an id without a record. Raises UnknownSchema for a row of another version."""
    rows = {str(row["sk"]): row for row in table.query(f"DEPLOYMENT#{deployment_id}")}
    if "RECORD" not in rows:
        return None
    record = deployments.read(rows["RECORD"])
    kept = {str(row["phase"]): json.loads(row["result"]) for sk, row in rows.items() if sk.startswith("RESULT#")}
    planned = Deployment(deployment_id, record.execution_arn, record.plan, planned=True, outcome=record.outcome)
    asked = (codec.read(Question, row) for sk, row in rows.items() if sk.startswith("PAUSE#"))
    return Facts(
        planned.having(kept),
        {name: _stage(row) for name in STAGES if (row := rows.get(f"STAGE#{name}"))},
        codec.read(Question, rows["APPROVAL"]) if "APPROVAL" in rows else None,
        tuple(sorted(asked, key=lambda pause: pause.asked_at)),
        codec.read(Cancel, rows["CANCEL"]) if "CANCEL" in rows else None,
    )


def _stage(row: Item) -> Stage:
    return replace(codec.read(Stage, row), ticket="")


def names(table: Table, users: Iterable[str]) -> dict[str, str]:
    """What those of the users want to be called whom Slack has shown lately."""
    found = {user: str((table.get(f"PERSON#{user}", "STANDING") or {}).get("name") or "") for user in users}
    return {user: name for user, name in found.items() if name}
