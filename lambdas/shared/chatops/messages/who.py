"""People in messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chatops.domain.plan import ApprovalRule
from chatops.domain.results import Decision
from chatops.messages.catalogue import FEW, Markup, escape, mention, named_few
from chatops.messages.view import View


def people(ids: Sequence[str], groups: Sequence[str] = ()) -> Markup:
    """Mentions of people and user groups; where nobody is named, it is whoever runs this."""
    return named_few([*(f"<!subteam^{escape(g)}>" for g in groups), *map(mention, ids)])


def asked(rule: ApprovalRule | None, eligible: Sequence[str] | None = None, voted: Collection[str] = ()) -> Markup:
    """Those who may still answer. `rule`: the plan's, with user groups; `eligible`: whom the question names, if that is
    known; `voted`: who has agreed already."""
    asking = rule or ApprovalRule()
    left = [user for user in eligible or asking.eligible if user not in voted]
    return people([], asking.groups) if asking.groups and len(left) > FEW else people(left)


def asked_of(view: View) -> Markup:
    """Those whose approval is still waited for."""
    approval = view.deployment.approval
    return asked(view.plan.approval, approval.eligible, voters(approval))


def voters(approval: Decision) -> list[str]:
    """Who has agreed, in the order of their votes."""
    votes = approval.votes or {}
    return sorted(votes, key=lambda user: votes[user])
