"""When a run is looked at next: how many looks a run costs, and how late its end is seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from chatops.domain.target import Timing
from chatops.steps import pace

HOUR = 3600
USUAL = Timing()
Pace = Callable[[float], float]


def looks(until: float, due: Pace, begin: float = 0.0) -> list[float]:
    """Seconds after the beginning at which there is a look, as Step Functions waits: whole seconds, at least one."""
    at = [begin]
    while at[-1] < until:
        at.append(at[-1] + max(-(-due(at[-1]) // 1), 1))
    return at


def reporting(passed: float) -> float:
    return pace.reporting(passed, USUAL, HOUR, "d-abcdefghijkl build")


def test_a_run_that_reports_is_looked_at_when_it_has_lasted_half_as_long_again() -> None:
    assert len(looks(600, reporting)) <= 6
    assert len(looks(HOUR, reporting)) <= 18
    for earlier, later in itertools.pairwise(looks(HOUR, reporting)):
        assert later - earlier <= max(min(earlier / 2, 300), pace.FIRST) + 1
        assert later - earlier >= 0.9 * max(min(earlier / 2, 300), pace.FIRST)


def test_no_end_goes_unseen_for_more_than_five_minutes() -> None:
    for due in (reporting, *(lambda passed, of=of: pace.silent(passed, USUAL, HOUR, of) for of in ((), (600.0,)))):
        pauses = [later - earlier for earlier, later in itertools.pairwise(looks(4 * HOUR, due))]
        assert max(pauses) <= 300


def test_stages_that_begin_together_are_not_looked_at_together() -> None:
    due = {looks(HOUR, lambda passed, n=n: pace.reporting(passed, USUAL, HOUR, f"d-{n} build"))[-2] for n in range(50)}
    assert len(due) > 25


@pytest.mark.parametrize("longest", [1, 5, 30])
def test_what_a_target_says_is_an_upper_bound(longest: int) -> None:
    timing = Timing(poll_min=1, poll_max=longest)
    for passed in (0, 10, 100, 1000):
        assert pace.reporting(passed, timing, 0, "d-1") <= longest
        assert pace.unanswered(passed, timing, 0) <= longest
        assert pace.reported(passed, timing, 0) <= longest
        assert pace.silent(passed, timing, 0, ()) <= longest
        assert pace.silent(passed, timing, 0, (580.0, 620.0)) <= longest
        assert pace.appearing(passed, timing) <= longest


def test_after_a_report_the_run_is_looked_at_after_2_4_8_seconds_and_then_less_and_less() -> None:
    at = looks(600, lambda since: pace.reported(since, USUAL, HOUR))
    assert at[:5] == [0, 2, 4, 8, 16]
    assert len(at) <= 22, "it may have further jobs"


# -- runs that report nothing ----------------------------------------------------------------------------------------


def silent(lengths: tuple[float, ...]) -> Pace:
    return lambda passed: pace.silent(passed, USUAL, HOUR, lengths)


def around(middle: float, lengths: tuple[float, ...]) -> tuple[list[float], list[int]]:
    """Of runs that end up to fifteen seconds before or after: how late their end is seen, and by how many looks."""
    ends = [middle + tenth / 10 for tenth in range(-150, 150)]
    found = [looks(end, silent(lengths), begin=5) for end in ends]
    return [at[-1] - end for at, end in zip(found, ends, strict=True)], [len(at) for at in found]


def test_the_end_of_a_run_that_reports_nothing_is_expected_when_those_before_it_ended() -> None:
    """A third of the looks that a fixed pause of ten seconds has in ten minutes, and as early: within five seconds."""
    lengths = (592.0, 610.0, 601.0, 586.0, 613.0, 598.0, 605.0, 589.0)
    late, counts = around(600, lengths)
    assert sum(late) / len(late) <= 5
    assert max(late) <= 9
    assert max(counts) <= 60 / 3
    assert sum(counts) / len(counts) <= 15


@pytest.mark.parametrize("lengths", [(600.0,), (585.0,), (615.0,), (585.0, 615.0)])
def test_one_run_before_is_enough_to_learn_of(lengths: tuple[float, ...]) -> None:
    late, counts = around(600, lengths)
    assert sum(late) / len(late) <= 5.5
    assert max(counts) <= 60 / 3


def test_where_nothing_is_known_the_pause_grows_with_the_run() -> None:
    at = looks(600, silent(()), begin=5)
    assert len(at) <= 60 / 3
    assert looks(90, silent(()), begin=5)[-1] <= 115


def test_lengths_that_are_far_apart_cost_no_more_looks() -> None:
    assert len(looks(1200, silent((300.0, 1200.0)), begin=5)) <= 25
    assert len(looks(3 * 1200, silent((600.0, 620.0)), begin=5)) <= 60, "one that is much later than ever"
