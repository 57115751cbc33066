"""People in messages."""

from __future__ import annotations

from collections.abc import Sequence

from chatops.messages.catalogue import Markup, escape, mention
from chatops.messages.facts import Facts


def people(ids: Sequence[str], groups: Sequence[str] = ()) -> Markup:
    """Mentions of people and user groups; where nobody is named, it is whoever runs this."""
    named = [*(f"<!subteam^{escape(g)}>" for g in groups), *map(mention, ids)]
    return Markup(", ".join(named[:10]) or mention(""))


_FEW = 10
"""People who are named one by one; of more, their user groups are."""


def asked(question: Facts, approval: Facts) -> Markup:
    """Those who may still act. `question`: the plan's, with user groups; `approval`: what has come of it."""
    votes, groups = approval.get("votes") or {}, question.get("groups") or []
    eligible = approval.get("eligible") or question.get("eligible") or []
    left = [user for user in eligible if user not in votes]
    return people([], groups) if groups and len(left) > _FEW else people(left)


def voters(approval: Facts) -> list[str]:
    """Who has said yes, in their order."""
    votes = approval.get("votes") or {}
    return sorted(votes, key=lambda user: votes[user])
