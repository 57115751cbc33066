"""Plays by the thousand: every scenario as it is, then with every death, then with pairs of what can go wrong."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.simulator import invariants
from tests.simulator.play import HoursDriver
from tests.simulator.points import Plan, Record, pairs, singles
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import Session


@dataclass(frozen=True)
class Result:
    """What came of a plan. `fired`: everything in it took place; else the play went another way, and it isn't counted
    as an interleaving. `trace`: where it failed, what was called."""

    plan: Plan
    fired: bool
    failures: tuple[str, ...]
    trace: str = ""

    def __str__(self) -> str:
        return "\n        ".join([f"FAILED  make simulate ONLY='{self.plan}'", *self.failures, self.trace])


def played(plan: Plan, session: Session) -> tuple[HoursDriver, Result]:
    """The play, when it is over and looked at."""
    play = HoursDriver(plan, session)
    play.run()
    invariants.check(play)
    fired = all(point in play.seen.fired for point in plan.points)
    return play, Result(plan, fired, tuple(play.failures), trace(play) if play.failures else "")


def trace(play: HoursDriver) -> str:
    """The states that its executions entered, and every call of every invocation."""
    lines = list[str]()
    fired = {(point.step, point.turn): list[str]() for point in play.seen.fired}
    for point in play.seen.fired:
        fired[point.step, point.turn].append(f"{point.call}#{point.nth}/{point.what}")
    for step, turn, calls in play.seen.record:
        here = fired.get((step, turn))
        lines.append(_line(step, turn, calls, here))
    paths = [f"{one.name} {one.status}: {' > '.join(one.path)}" for one in play.session.states.executions.values()]
    return "\n        ".join([*paths, *lines, *play.seen.errors])


def _line(step: str, turn: int, calls: Sequence[str], here: Sequence[str] | None) -> str:
    return f"{step}#{turn}: {' '.join(calls)}" + (f"   <-- {', '.join(here)}" if here else "")


def records(session: Session) -> dict[str, Record]:
    """What each scenario does when nothing goes wrong. Raises AssertionError where it does not end as it should."""
    found: dict[str, Record] = {}
    for name in SCENARIOS:
        play, result = played(Plan(name), session)
        assert not result.failures, f"without any fault: {result}"
        found[name] = play.seen.record
    return found


def chosen(found: dict[str, Record], seed: str) -> Iterator[Plan]:
    """Every death alone, one of each scenario after the other; then pairs without end."""
    alone = [singles(name, record) for name, record in found.items()]
    yield from (plan for several in itertools.zip_longest(*alone) for plan in several if plan is not None)
    yield from pairs(found, seed)


def many(plans: Iterator[Plan], count: int, session: Session) -> tuple[int, list[Result]]:
    """So many interleavings (what went another way is replaced by the next plan), and those that failed."""
    number, failing = 0, list[Result]()
    gc.freeze()  # what there is stays: a tenth of a play would go into looking at it again and again
    while number < count:
        _, result = played(next(plans), session)
        number += result.fired
        if result.failures:
            failing.append(result)
    return number, failing
