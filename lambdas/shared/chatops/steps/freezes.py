"""A freeze, or somebody's lock, that has begun since a deployment was planned: builds and approvals take their time.

`plan` checks what holds when somebody asks; from then on `dispatch` asks here before the deploy stage is sent, `stage`
when a run claims, and `poll` where a run has ended without its claim.
"""

from __future__ import annotations

from chatops.domain.freeze import Freeze
from chatops.domain.plan import Plan
from chatops.domain.question import Answer
from chatops.domain.reason import Reason
from chatops.domain.target import Target
from chatops.store import freezes, questions
from chatops.store.table import Table


def stopping(rows: Table, deployment_id: str, plan: Plan, target: Target, stage: str) -> Freeze | None:
    """The freeze that stops this stage now. Rollbacks go through, and so does a deployment that breaks the glass, or
    that an approver has approved during a freeze, for a reason."""
    if stage == "rollback" or plan.command != "deploy" or plan.break_glass:
        return None
    found = freezes.holding(rows, target)
    return None if found and _approved_during(rows, deployment_id, target) else found


def _approved_during(rows: Table, deployment_id: str, target: Target) -> bool:
    asked = questions.get(rows, deployment_id)
    if asked is None or asked.decision is not Answer.APPROVED or not asked.reason:
        return False
    return freezes.holding(rows, target, asked.decided_at) is not None


def reason(found: Freeze, plan: Plan, target: Target) -> Reason:
    """Why the deployment doesn't go on, and until when."""
    return Reason("why_frozen", freeze=found.sentence(target.name), target=target.name, version=plan.version)
