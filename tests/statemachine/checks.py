"""What must hold after every deployment, whatever its end. (No secret leaks in any session: tests/leaks.py.)"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from local.session import STACK, Session

STATE_LIMIT = 32 * 1024
ENDS = {"BuildFailed", "DeployFailed", "RolledBack", "RollbackFailed"}


def rows(session: Session) -> list[dict[str, Any]]:
    """Everything in the table, undecoded."""
    found: list[dict[str, Any]] = session.dynamodb.scan(TableName=f"{STACK}-table")["Items"]
    return found


def key(row: dict[str, Any]) -> tuple[str, str]:
    return row["pk"]["S"], row["sk"]["S"]


def nothing_left_behind(session: Session) -> None:
    """No lock, no open deployment, no undelivered message: a message is in Slack a moment before its row is gone."""
    pause = threading.Event()
    for _ in range(100):
        left = [key(r) for r in rows(session) if r["sk"]["S"] == "LOCK" or r["pk"]["S"] in ("OPEN", "OUTBOX")]
        if {pk for pk, _ in left} != {"OUTBOX"}:
            break
        pause.wait(0.1)
    assert left == []


def each_stage_once(session: Session) -> None:
    """One dispatch and at most one run that went on for each deployment and stage."""
    claimed = Counter(
        (run.payload["deployment_id"], run.payload["stage"]) for run in session.github.runs if run.claim_status == 200
    )
    assert all(count == 1 for count in claimed.values()), claimed


def states_are_small(session: Session) -> None:
    """Far below AWS's 256 KiB."""
    for execution in session.executions():
        for event in session.history(execution["executionArn"]):
            for name in ("stateEnteredEventDetails", "stateExitedEventDetails"):
                size = len(event.get(name, {}).get("input", event.get(name, {}).get("output", "")))
                assert size < STATE_LIMIT, (name, size)


def every_failure_has_a_name(session: Session) -> None:
    """Whatever fails does so in an end of the machine's own: a choice about what a step did not return, say, crashes
    the execution where no Catch sees it."""
    for execution in session.executions():
        if execution["status"] == "FAILED":
            last = session.history(execution["executionArn"])[-1]["executionFailedEventDetails"]
            assert last.get("error") in ENDS, last


def all_hold(session: Session) -> None:
    every_failure_has_a_name(session)
    nothing_left_behind(session)
    each_stage_once(session)
    states_are_small(session)
