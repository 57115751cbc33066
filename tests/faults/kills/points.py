"""Where a process is killed, and the plans of kills that are tried: one point, or two, of one play.

A point is text, so that a failure can be run again by its name:

    dispatch:build#1/GitHub.POST.dispatches#1/after

the first invocation of the step `dispatch:build`, its first call of that name, after GitHub has taken it. An
interleaving is a scenario and its points: `approved@<point>+<point>`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

WHENS = ("before", "after")
_POINT = re.compile(r"(?P<step>[\w:]+)#(?P<turn>\d+)/(?P<call>[^#/]+)#(?P<nth>\d+)/(?P<when>before|after)")

Record = Sequence[tuple[str, int, Sequence[str]]]
"""What a play without kills did: (step, which invocation of it, the names of its calls), in order."""


@dataclass(frozen=True)
class Point:
    """The `nth` call of that name in invocation `turn` of the step."""

    step: str
    turn: int
    call: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.step}#{self.turn}/{self.call}#{self.nth}/{self.when}"

    def again(self, turns: int) -> Point:
        """The same call, so many invocations later."""
        return Point(self.step, self.turn + turns, self.call, self.nth, self.when)


@dataclass(frozen=True)
class Plan:
    """One interleaving."""

    scenario: str
    points: tuple[Point, ...] = ()

    def __str__(self) -> str:
        return f"{self.scenario}@{'+'.join(map(str, self.points))}"


def plan(text: str) -> Plan:
    """Read it back. Raises ValueError for what is none."""
    scenario, _, points = text.partition("@")
    return Plan(scenario, tuple(point(one) for one in points.split("+") if one))


def point(text: str) -> Point:
    """Read it back. Raises ValueError for what is none."""
    found = _POINT.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no point: step#turn/call#nth/before|after")
    return Point(found["step"], int(found["turn"]), found["call"], int(found["nth"]), found["when"])


def points(record: Record) -> list[Point]:
    """Before and after every call that was made, in order."""
    found = []
    for step, turn, calls in record:
        for at, call in enumerate(calls):
            nth = list(calls[: at + 1]).count(call)
            found += [Point(step, turn, call, nth, when) for when in WHENS]
    return found


def singles(scenario: str, record: Record) -> list[Plan]:
    """Every kill alone."""
    return [Plan(scenario, (point,)) for point in points(record)]


def pairs(scenario: str, record: Record) -> Iterator[Plan]:
    """Every two kills: one, then a later one of what the play does anyhow; or one, then one in the invocation that
    repeats the one that was killed."""
    found = points(record)
    for at, first in enumerate(found):
        for second in found[at + 1 :]:
            if (second.step, second.turn) != (first.step, first.turn):
                # a step that comes again counts the killed invocation, too
                yield Plan(scenario, (first, second.again(1) if second.step == first.step else second))
            else:
                yield Plan(scenario, (first, second.again(1)))
        same = [one for one in found[: at + 1] if (one.step, one.turn) == (first.step, first.turn)]
        for second in same:
            yield Plan(scenario, (first, second.again(1)))


def chosen(records: Mapping[str, Record], count: int, seed: int) -> list[Plan]:
    """So many interleavings: half of them single kills (until there are no more), the rest pairs, of each scenario as
    many; by strides that the seed begins and that visit nothing twice. In an order of the seed's, too."""
    chance = random.Random(seed)  # noqa: S311 - a test's
    found = _some([partial(singles, name, records[name]) for name in records], -(-count // 2), chance)
    found += _some([partial(pairs, name, records[name]) for name in records], count - len(found), chance)
    chance.shuffle(found)
    return found


def _some(kinds: Sequence[Callable[[], Iterable[Plan]]], count: int, chance: random.Random) -> list[Plan]:
    """`count` of them, of each kind as many; where one has no more, more of the others."""
    sizes = [sum(1 for _ in kind()) for kind in kinds]
    found: list[Plan] = []
    for left, (size, kind) in enumerate(sorted(zip(sizes, kinds, strict=True), key=lambda pair: pair[0])):
        places = set(_stride(size, (count - len(found)) // (len(kinds) - left), chance))
        found += [one for at, one in enumerate(kind()) if at in places]  # they are too many to be kept
    return found


def _stride(size: int, count: int, chance: random.Random) -> list[int]:
    """`count` different places below `size`, spread evenly; all of them where there are no more."""
    count = min(count, size)
    begin = chance.random()
    return sorted({int((at + begin) * size / count) for at in range(count)}) if count else []
