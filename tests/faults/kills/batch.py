"""Many plays in one world: record what they do, or kill and look what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.kills import invariants
from tests.faults.kills.points import Plan, Record
from tests.faults.kills.stage import stage


@dataclass(frozen=True)
class Result:
    """What came of a plan. `killed`: every kill of it took place; else the play went another way, and it is no
    interleaving."""

    plan: str
    killed: bool
    failures: tuple[str, ...]
    record: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


def records(scenarios: Sequence[str]) -> dict[str, Record]:
    """What each scenario does when nobody dies. Raises AssertionError where it does not end as it should."""
    found: dict[str, Record] = {}
    for last in (False, True):
        wrong = _record([name for name in scenarios if name not in found], found)
        if not wrong:
            return found
        # a machine that is busy enough may be too slow for the people of a play; twice is no accident
        assert not last, f"without any kill: {wrong}"
    return found


def _record(scenarios: Sequence[str], found: dict[str, Record]) -> dict[str, list[str]]:
    with stage([Plan(name) for name in scenarios], recording=True) as made:
        made.run()
        invariants.check(made)
        found |= {play.plan.scenario: tuple(play.seen.record) for play in made.plays if not play.failures}
        return {play.plan.scenario: play.failures for play in made.plays if play.failures}


def kill(plans: Sequence[Plan]) -> list[Result]:
    """Each of these, all in one world."""
    with stage(plans) as made:
        made.run()
        invariants.check(made)
        return [
            Result(
                str(play.plan),
                len(play.seen.fired) == len(play.plan.points),
                tuple(play.failures),
                tuple(play.seen.record) if play.failures else (),
            )
            for play in made.plays
        ]
