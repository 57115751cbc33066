"""What GitHub has said of its rate limit, for all deployments: one row for each token or installation.

An older answer that arrives late changes nothing: a pause only grows, and within the hour less is left with every
request. What lies further ahead than GitHub's limits reach is overwritten.
"""

from __future__ import annotations

from chatops.domain import codec
from chatops.domain.github_budget import HOUR, SKEW, Budget
from chatops.store.table import Conflict, Table

_PK = "GITHUB"


def _sk(name: str) -> str:
    return f"BUDGET#{name}"


def get(table: Table, name: str) -> Budget:
    """As it was written last. Raises UnknownSchema, and whatever else a row that makes no sense leads to."""
    return codec.read(Budget, table.get(_PK, _sk(name)))


def pause(table: Table, name: str, seconds: float, now: float) -> None:
    """GitHub asks to wait so long."""
    when = "attribute_not_exists(#paused_until) OR #paused_until < :until OR #paused_until > :latest"
    change = "SET #paused_until = :until, #paused_for = :seconds, #expires_at = :expires"
    _write(table, name, change, when, now, until=now + seconds, seconds=seconds)


def left(table: Table, name: str, seen: Budget, now: float) -> None:
    """So many requests are left."""
    when = (
        "attribute_not_exists(#reset_at) OR #reset_at < :reset OR #reset_at > :latest"
        " OR (#reset_at = :reset AND (#remaining > :remaining OR #limit <> :limit))"
    )
    change = "SET #remaining = :remaining, #limit = :limit, #reset_at = :reset, #expires_at = :expires"
    _write(table, name, change, when, now, remaining=seen.remaining, limit=seen.limit, reset=seen.reset_at)


def _write(table: Table, name: str, change: str, when: str, now: float, **values: float) -> None:
    ahead = {"latest": now + HOUR + SKEW, "expires": int(now) + 2 * HOUR}
    try:
        table.update(_PK, _sk(name), change, when, {**values, **ahead})
    except Conflict:
        return  # something newer stands there
