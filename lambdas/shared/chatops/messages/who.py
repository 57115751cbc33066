"""People in messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chatops.domain.plan import ApprovalRule
from chatops.domain.results import Decision
from chatops.messages.catalogue import Markup, escape, mention
from chatops.messages.view import View


def people(ids: Sequence[str], groups: Sequence[str] = ()) -> Markup:
    """Mentions of people and user groups; where nobody is named, it is whoever runs this."""
    named = [*(f"<!subteam^{escape(g)}>" for g in groups), *map(mention, ids)]
    return Markup(", ".join(named[:10]) or mention(""))


_FEW = 10
"""People who are named one by one; of more, their user groups are."""


def asked(rule: ApprovalRule | None, eligible: Sequence[str] | None = None, voted: Collection[str] = ()) -> Markup:
    """Those who may still answer. `rule`: the plan's, with user groups; `eligible`: whom the question names, if that is
    known; `voted`: who has agreed already."""
    asking = rule or ApprovalRule()
    left = [user for user in eligible or asking.eligible if user not in voted]
    return people([], asking.groups) if asking.groups and len(left) > _FEW else people(left)


def asked_of(view: View) -> Markup:
    """Those whose approval is still waited for."""
    approval = view.deployment.approval
    return asked(view.plan.approval, approval.eligible, voters(approval))


def voters(approval: Decision) -> list[str]:
    """Who has agreed, in the order of their votes."""
    votes = approval.votes or {}
    return sorted(votes, key=lambda user: votes[user])
