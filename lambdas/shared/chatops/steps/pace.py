"""How many seconds until the next look at a stage's run.

A look costs three transitions, two invocations and at most one request that GitHub counts. Where a run claims its stage
and reports its end, both wake the execution: the look is only the safety net, for a report that never comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from chatops.domain.target import LOOKS, Timing

FIRST = 150
"""The shortest pause between two looks at a run that claims and reports."""
TROUBLE = 30
"""The longest one after a look that GitHub did not answer."""
AT_ONCE = 2
"""The first one after a report: the step that reports is not the last thing that a run does."""
STEADY = 8
"""How far the pauses after a report double; then they are a quarter of what has passed since."""
APPEARS = 5
"""Until the first look for a run that claims nothing."""
UNKNOWN = (10, 60)
"""Shortest and longest pause at such a run where nothing is known of the target's runs."""
SELDOM = (30, 120)
"""The same where its end is not expected yet."""
STEP = 7
"""The pause where it is expected: an end is noticed four seconds later on average."""
MOST = 12
"""Looks while it is expected, however far apart the lengths are."""


def reporting(passed: float, timing: Timing, limit: float, who: str) -> float:
    """A stage that will report and has lasted `passed` seconds: due when it has lasted one and a half times as long, at
    most `poll_max` later. Up to a tenth shorter, by `who`: what began together is not looked at together for ever."""
    pause = min(max(passed / 2, FIRST, timing.poll_min), timing.widest(limit))
    return pause * (1 - crc32(who.encode()) % 100 / 1000)


def reported(since: float, timing: Timing, limit: float) -> float:
    """After a report, `since` seconds ago: looks at 2, 4, 8, 16, 24, … until GitHub calls the run completed. It may
    have further jobs: then less and less often."""
    return min(max(AT_ONCE - since, min(since, STEADY), since / 4, 1), timing.widest(limit))


def unanswered(passed: float, timing: Timing, limit: float) -> float:
    """After a look that GitHub did not answer: a tenth of what has passed."""
    return min(max(passed / 10, timing.poll_min), _at_most(TROUBLE, timing, limit))


def appearing(passed: float, timing: Timing) -> float:
    """Until a run that claims nothing is seen: GitHub shows it within seconds, or late."""
    return min(max(passed / 2, APPEARS), timing.widest(0))


def silent(passed: float, timing: Timing, limit: float, lengths: Sequence[float]) -> float:
    """A run that reports nothing: seldom before the end is expected, by the `lengths` of the runs before it, then every
    few seconds, and less and less often once it is late. Where nothing is known: a quarter of what has passed."""
    if not lengths:
        return min(max(passed / 4, UNKNOWN[0], timing.poll_min), _at_most(UNKNOWN[1], timing, limit))
    low, high = expected(lengths)
    step = max(STEP, timing.poll_min, (high - low) / MOST)
    if passed < low - 1:
        pause = min(max(passed / 2, SELDOM[0], timing.poll_min), _at_most(SELDOM[1], timing, limit))
        return low - passed if low - passed < 1.5 * pause else pause
    return min(step + max(passed - high, 0) / 4, _at_most(SELDOM[1], timing, limit))


def expected(lengths: Sequence[float]) -> tuple[float, float]:
    """Seconds between which the end of the next run is expected: between the shortest and the longest, and half as much
    around; of few runs more."""
    low, high = min(lengths), max(lengths)
    margin = max((high - low) / 2, 10, low / 20 / len(lengths))
    return max(low - margin, 0), high + margin


def _at_most(seconds: float, timing: Timing, limit: float) -> float:
    return max(min(timing.poll_max, seconds), limit / LOOKS)
