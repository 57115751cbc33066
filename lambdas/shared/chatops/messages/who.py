"""People in messages."""

from __future__ import annotations

from collections.abc import Sequence

from chatops.messages.catalogue import Markup, escape, mention
from chatops.messages.facts import Facts


def people(ids: Sequence[str], groups: Sequence[str] = ()) -> Markup:
    """Mentions of people and user groups."""
    named = [*(f"<!subteam^{escape(g)}>" for g in groups), *map(mention, ids)]
    return Markup(", ".join(named[:10]) or "–")


def voters(approval: Facts) -> list[str]:
    """Who has said yes, in their order."""
    votes = approval.get("votes") or {}
    return sorted(votes, key=lambda user: votes[user])
