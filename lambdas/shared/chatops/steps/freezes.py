"""A freeze, or somebody's lock, that has begun since a deployment was planned: builds and approvals take their time.

`plan` checks what holds when somebody asks; from then on `dispatch` asks here before the deploy stage is sent, `stage`
when a run claims, and `poll` where a run has ended without its claim.
"""

from __future__ import annotations

from chatops.domain.freeze import Freeze
from chatops.domain.plan import Plan
from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.store import freezes
from chatops.store.table import Table


def stopping(rows: Table, plan: Plan, target: Target, stage: str) -> Freeze | None:
    """The freeze that stops this stage now. Rollbacks go through, and so does a deployment that breaks the glass."""
    if stage == "rollback" or plan.command != "deploy" or plan.break_glass:
        return None
    return freezes.holding(rows, target)


def reason(found: Freeze, plan: Plan, target: Target) -> Reason:
    """Why the deployment doesn't go on, and until when."""
    return Reason("why_frozen", freeze=found.sentence(target.name), target=target.name, version=plan.version)
