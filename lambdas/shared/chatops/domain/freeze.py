"""Freezes: when nothing new may be deployed to a target, by its windows or because somebody has locked it. Pure.

Times of windows are what the clock on the wall of the window's zone shows. Where that clock jumps forward over the
beginning or the end of a window, the moment of the jump counts; where it shows a time twice, a window begins at the
first and ends at the second, so that it is never open in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chatops import clock
from chatops.domain.reason import Reason
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

STEPS = 400
"""What so many windows, each beginning before the last one ends, keep closed is closed until the file changes."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Weekly:
    """On these weekdays (0 is Monday) from `start` to `end`, in minutes since midnight (1440: the day's end); an end
    that is not after the start is on the next day."""

    days: frozenset[int]
    start: int
    end: int
    zone: str
    reason: str = ""


@dataclass(frozen=True)
class Once:
    """From `start` up to, and not including, `end`; both without a zone of their own."""

    start: datetime
    end: datetime
    zone: str
    reason: str = ""


Window = Weekly | Once


@dataclass(frozen=True, slots=True)
class Lock:
    """Closed by a person, from `at` until `until` (epoch seconds; None: until somebody unlocks it). `mark`: which
    command has written it."""

    by: str = ""
    reason: str = ""
    at: float = 0.0
    until: float | None = None
    mark: str = ""

    def holds(self, now: float) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True)
class Freeze:
    """What holds now. `end`: epoch seconds when deployments are possible again; None where that is not in sight. `by`:
    who has locked the target; empty for its own windows."""

    end: float | None
    reason: str = ""
    by: str = ""

    def sentence(self, target: str) -> Reason:
        """Until when nothing is deployed to the target, and why: a sentence, as a value of another text."""
        note = Reason("freeze_note", reason=self.reason) if self.reason else None
        if self.end is None:
            return Reason("freeze_locked_open" if self.by else "freeze_open", target=target, by=self.by, note=note)
        key: TextKey = "freeze_locked" if self.by else "freeze_until"
        return Reason(key, target=target, by=self.by, note=note, until=clock.iso(self.end))


def holding(windows: Sequence[Window | Lock], now: float) -> Freeze | None:
    """The freeze that holds at `now` (epoch seconds), over all windows that follow without a gap; None if none does. It
    is said to be the first one's of those that hold now."""
    first = next((w for w in windows if _end(w, now) is not None), None)
    if first is None:
        return None
    at, by = now, first.by if isinstance(first, Lock) else ""
    for _ in range(STEPS):
        ends = [end for w in windows if (end := _end(w, at)) is not None]
        if not ends:
            return Freeze(at, first.reason, by)
        at = max(ends)
        if at == math.inf:
            break
    return Freeze(None, first.reason, by)


def _end(window: Window | Lock, now: float) -> float | None:
    """When the window that is closed at `now` opens again."""
    if isinstance(window, Lock):
        return (window.until or math.inf) if window.holds(now) else None
    zone = ZoneInfo(window.zone)
    if isinstance(window, Once):
        spans = [(window.start, window.end)]
    else:
        today = datetime.fromtimestamp(now, zone).date()
        # one that began yesterday may go on over midnight; where a zone skips a day, the neighbours matter too
        spans = [_span(window, today + n * _DAY) for n in (-1, 0, 1) if (today + n * _DAY).weekday() in window.days]
    ends = [_instant(end, zone, last=True) for start, end in spans if _instant(start, zone, last=False) <= now]
    return max((end for end in ends if now < end), default=None)


def _span(window: Weekly, day: date) -> tuple[datetime, datetime]:
    midnight = datetime.combine(day, datetime.min.time())
    end = window.end if window.end > window.start else window.end + 1440
    return midnight + timedelta(minutes=window.start), midnight + timedelta(minutes=end)


def _instant(wall: datetime, zone: ZoneInfo, *, last: bool) -> float:
    """Epoch seconds at which the wall's clock shows this time, for the last time if it does so twice."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if early > late:  # it never shows it: https://peps.python.org/pep-0495/#mind-the-gap
        return _jump(int(late), int(early), zone)
    return late if last else early


def _jump(before: int, after: int, zone: ZoneInfo) -> float:
    """The second between these two at which the zone's clock jumps."""
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return float(after)


def _offset(seconds: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).utcoffset()
