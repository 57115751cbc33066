"""A freeze that has begun since a deployment was planned: builds and approvals take their time.

`plan` checks what holds when somebody asks; from then on `dispatch` asks here before the deploy stage is sent, `stage`
when a run claims, and `poll` where a run has ended without its claim.
"""

from __future__ import annotations

from chatops import clock
from chatops.domain import freeze
from chatops.domain.freeze import Freeze
from chatops.domain.plan import Plan
from chatops.domain.reason import Reason
from chatops.domain.target import Target


def stopping(plan: Plan, target: Target, stage: str) -> Freeze | None:
    """The freeze that stops this stage now. Rollbacks go through, and so does a deployment that breaks the glass."""
    if stage == "rollback" or plan.command != "deploy" or plan.break_glass:
        return None
    return freeze.holding(target.freeze, clock.now())


def reason(found: Freeze, plan: Plan, target: Target) -> Reason:
    """Why the deployment doesn't go on, and until when."""
    return Reason(
        "why_frozen" if found.end else "why_frozen_open",
        target=target.name,
        version=plan.version,
        until=clock.iso(found.end or 0),
        note=found.note,
    )
