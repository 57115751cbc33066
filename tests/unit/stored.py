"""What the table holds, for tests that write it themselves or insist that it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatops.domain import codec
from chatops.domain.freeze import Lock
from chatops.domain.plan import Plan
from chatops.domain.record import Cancel, Outcome, PastLock, Record
from chatops.domain.stage import Stage
from chatops.store import cancels, deployments, freezes, stages
from chatops.store.table import Item, Table


def begin(rows: Table, deployment_id: str, execution_arn: str, plan: Mapping[str, Any], *members: Item) -> Plan:
    """Write the record of a deployment with this plan (as JSON); the plan that stands."""
    return deployments.begin(rows, deployment_id, execution_arn, codec.read(Plan, plan), *members)


def record_of(rows: Table, deployment_id: str) -> Record:
    """The deployment's record, which has been written."""
    found = deployments.get(rows, deployment_id)
    assert found is not None
    return found


def cancel_of(rows: Table, deployment_id: str) -> Cancel:
    """The deployment's cancel, which has been recorded."""
    found = cancels.get(rows, deployment_id)
    assert found is not None
    return found


def settle(rows: Table, deployment_id: str, end: str) -> None:
    """The deployment has ended."""
    assert deployments.settle(rows, record_of(rows, deployment_id), Outcome(end)) == ""


def stage_of(rows: Table, deployment_id: str, stage: str) -> Stage:
    """The stage, which has been prepared."""
    found = stages.get(rows, deployment_id, stage)
    assert found is not None
    return found


def lock(rows: Table, target: str, by_hand: Lock) -> None:
    """Somebody has locked the target."""
    seen = freezes.lock_of(rows, target)
    mark = f"d-{by_hand.by}-{by_hand.at}"
    freezes.write(rows, target, replace(by_hand, mark=mark), seen, PastLock("locked", by_hand.by), "")
