"""The wake counter and the task token of a deployment's current wait.

Whoever changes the truth bumps the counter and then answers the token. People's decisions bump it in the transaction
that records them: whoever dies right after it leaves nothing that `sweep` would not see. A wait that begins after the
truth was read only begins if the counter is still what the reader saw: no wake-up is lost, whichever comes first.
"""

from __future__ import annotations

from contextlib import suppress

from chatops import aws, clock
from chatops.domain import codec
from chatops.network import deadline
from chatops.observability import logger
from chatops.store import table as t
from chatops.store.table import Conflict, Item, Table
from chatops.values import dataclass

_GONE = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


@dataclass(frozen=True, slots=True)
class Wait:
    """`n`: how often the deployment was woken; `token`: of the current wait (empty: there is none), which began at
    `parked_at` (epoch seconds), when the counter was `token_n`."""

    n: int = 0
    token: str = ""
    token_n: int = 0
    parked_at: float | None = None


def _pk(deployment_id: str) -> str:
    return f"DEPLOYMENT#{deployment_id}"


def _get(table: Table, deployment_id: str) -> Wait:
    return codec.read(Wait, table.get(_pk(deployment_id), "WAIT"))


def counter(table: Table, deployment_id: str) -> int:
    """How often this deployment has been woken. Read it before the truth."""
    return _get(table, deployment_id).n


def park(table: Table, deployment_id: str, token: str, seen: int) -> bool:
    """Store the token unless the counter has moved on from `seen`; False if it has."""
    try:
        table.update(
            _pk(deployment_id),
            "WAIT",
            "SET #token = :token, #token_n = :seen, #parked_at = :now",
            "#n = :seen" if seen else "attribute_not_exists(#n) OR #n = :seen",
            {"token": token, "seen": seen, "now": clock.now()},
        )
    except Conflict:
        return False
    return True


def wake(table: Table, deployment_id: str, *, patience: float = 1.0) -> None:
    """Bump the counter and end the wait there is, if any. Safe to repeat; a token that is gone is no error."""
    wait = codec.read(Wait, table.update(_pk(deployment_id), "WAIT", "ADD #n :one", values={"one": 1}))
    if wait.token:
        deliver(table, deployment_id, wait.token, patience=patience)


def bumping(deployment_id: str) -> Item:
    """The transaction member that moves the counter on, together with the truth that changes."""
    return {"Update": t.update(_pk(deployment_id), "WAIT", "ADD #n :one", values={"one": 1})}


def nudge(table: Table, deployment_id: str, *, patience: float = 1.0) -> None:
    """End the wait there is, for whoever has recorded a person's decision and bumped the counter with it: it stands,
    even if the execution hears of it later."""
    try:
        if token := _get(table, deployment_id).token:
            deliver(table, deployment_id, token, patience=patience)
    except Exception as error:  # noqa: BLE001 - what was recorded must be told as that
        logger.warning("not woken", deployment_id=deployment_id, error=aws.error_code(error) or type(error).__name__)


def deliver(table: Table, deployment_id: str, token: str, *, patience: float = 1.0) -> None:
    """Answer the token and forget it. The answer is empty: it only wakes, the table says what is true."""
    states = aws.client("stepfunctions", patience=patience)
    deadline.change()
    try:
        states.send_task_success(taskToken=token, output="{}")
    except states.exceptions.ClientError as error:
        if aws.error_code(error) not in _GONE:
            raise
    with suppress(Conflict):  # the next wait has begun meanwhile and stored its own token
        table.update(_pk(deployment_id), "WAIT", "REMOVE #token", "#token = :token", {"token": token})


def undelivered(table: Table, deployment_id: str, decided_at: float = 0) -> str:
    """The token of a wait that should have been woken: its counter has moved on, or something was decided (epoch
    seconds) since it began, by a function that died before it could move it. Else nothing."""
    return overdue(_get(table, deployment_id), decided_at)


def overdue(wait: Wait, decided_at: float) -> str:
    """The same of a wait that has been read."""
    missed = wait.parked_at is not None and decided_at >= wait.parked_at
    return wait.token if wait.n > wait.token_n or missed else ""
