"""What the table holds, for tests that insist that it is there."""

from __future__ import annotations

from chatops.domain.stage import Stage
from chatops.store import stages
from chatops.store.table import Table


def stage_of(rows: Table, deployment_id: str, stage: str) -> Stage:
    """The stage, which has been prepared."""
    found = stages.get(rows, deployment_id, stage)
    assert found is not None
    return found
