"""A process of `make simulate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

from tests.simulator import run
from tests.simulator.points import Plan, Record
from tests.simulator.session import Session, opened

_session: Session
_open = ExitStack()


def begin() -> None:
    """In each process: its session, which stays open."""
    global _session  # noqa: PLW0603 - one a process
    _session = _open.enter_context(opened())


def records() -> dict[str, Record]:
    """What each scenario does when nothing goes wrong."""
    return run.records(_session)


def work(plans: Sequence[Plan]) -> tuple[Counter[str], list[str]]:
    """How many interleavings there were of each scenario, and what is to be said of those that failed."""
    results = [run.played(plan, _session)[1] for plan in plans]
    fired = Counter(result.plan.scenario for result in results if result.fired)
    return fired, [str(result) for result in results if result.failures]
