"""People in messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chatops.domain.plan import ApprovalRule
from chatops.domain.results import Decision
from chatops.messages.catalogue import FEW, Markup, escape, mention, named_few
from chatops.messages.view import View


def people(ids: Sequence[str], groups: Sequence[str] = (), *, any_of: bool = False) -> Markup:
    """Mentions of people and user groups; where nobody is named, it is whoever runs this. `any_of`: one is enough."""
    return named_few([*(f"<!subteam^{escape(g)}>" for g in groups), *map(mention, ids)], any_of=any_of)


def deciders(groups: Sequence[str], eligible: Sequence[str], *, any_of: bool = True) -> Markup:
    """Those who may answer, or their user groups where they are many."""
    return people([], groups, any_of=any_of) if groups and len(eligible) > FEW else people(eligible, any_of=any_of)


def asked(rule: ApprovalRule | None, eligible: Sequence[str] | None = None, voted: Collection[str] = ()) -> Markup:
    """Those who may still answer. `rule`: the plan's, with user groups; `eligible`: whom the question names, if that is
    known; `voted`: who has agreed already."""
    asking = rule or ApprovalRule()
    left = [user for user in eligible or asking.eligible if user not in voted]
    return deciders(asking.groups, left, any_of=asking.quorum - len(voted) <= 1)


def asked_of(view: View) -> Markup:
    """Those whose approval is still waited for."""
    approval = view.deployment.approval
    return asked(view.plan.approval, approval.eligible, voters(approval))


def voters(approval: Decision) -> list[str]:
    """Who has agreed, in the order of their votes."""
    votes = approval.votes or {}
    return sorted(votes, key=lambda user: votes[user])
