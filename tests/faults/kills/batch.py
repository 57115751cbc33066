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
    with stage([Plan(name) for name in scenarios], recording=True) as made:
        made.run()
        invariants.check(made)
        wrong = {play.plan.scenario: play.failures for play in made.plays if play.failures}
        assert not wrong, f"without any kill: {wrong}"
        return {play.plan.scenario: tuple(play.seen.record) for play in made.plays}


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
