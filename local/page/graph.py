"""The state machine as a drawing: where each state stands and how each transition runs.

A phase (a `Parallel` state) is a frame around its states, or folded to one box of a state's size. No transition of the
language crosses a frame, so each level is laid out by itself, and an unfolded frame is a large state of the level
around it. Besides the definition's transitions a frame shows how it is entered, from its outline to its first state,
and how it is left, from its end to its outline.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from local.page.layout import Json, Point, Size, place, route, stretched
from local.page.transitions import Edge, around, edges, inside

LINE, PADDING, LETTER = 14.0, 12.0, 7.2
"""px: the height of a line of a state's name, what is around the name, and the width of a letter."""
ONE_LINE = 13
"""Letters; longer names stand in two lines."""
TITLE, INSET, TURN, NAMED = 30.0, 16.0, 10.0, 42.0
"""px: from a frame's outline to what is inside, at the top, where its name stands, and at the other sides; how long
before its first state the way to it turns; and what is around its name."""
MARGIN = 12.0
ARROW, STRAY = 11.0, 4.0
"""px from one arrowhead to the next; and so much besides a straight line that it is one."""


@dataclass
class Level:
    """The states of one level, and of the unfolded frames in it: their middles, sizes and transitions, in px."""

    places: dict[str, Point] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    routes: dict[tuple[str, str], list[Point]] = field(default_factory=dict)

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        points = [point for way in self.routes.values() for point in way]
        for name, (x, y) in self.places.items():
            width, height = self.sizes[name]
            points += [(x - width / 2, y - height / 2), (x + width / 2, y + height / 2)]
        xs, ys = zip(*points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def add(self, other: Level, right: float, down: float) -> None:
        """Take in what another level has, moved by so much."""
        self.sizes |= other.sizes
        self.places |= {name: (x + right, y + down) for name, (x, y) in other.places.items()}
        self.routes |= {ends: [(x + right, y + down) for x, y in way] for ends, way in other.routes.items()}


@lru_cache(64)
def drawing(definition: str, unfolded: frozenset[str] = frozenset()) -> Json:
    """The drawing of a definition (Amazon States Language, JSON) with these phases unfolded: sizes and places in px,
    y grows downwards.

    `states` and `edges` are those of the whole machine; what lies in a folded phase has no `at`, or no `points`.
    """
    states: dict[str, Json] = json.loads(definition)["States"]
    level, shifted = _level(states, _folded(definition), unfolded), Level()
    left, top, right, bottom = level.bounds()
    shifted.add(level, MARGIN - left, MARGIN - top)
    return {
        "width": round(right - left + 2 * MARGIN, 1),
        "height": round(bottom - top + 2 * MARGIN, 1),
        "states": _states(states, "", shifted),
        "edges": _edges(states, shifted),
    }


def phases(definition: str) -> frozenset[str]:
    """The names of the phases of a definition."""
    return frozenset(name for name, state in json.loads(definition)["States"].items() if inside(state))


def lines(name: str) -> list[str]:
    """A state's name in one line or two."""
    words = name.split()
    if len(name) <= ONE_LINE or len(words) < 2:
        return [name]
    halves = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    return list(min(halves, key=lambda half: max(map(len, half))))


def _size(name: str, found: Sequence[Edge]) -> Size:
    """Room for the name, and for an arrowhead of every transition that begins or ends here side by side."""
    shown = lines(name)
    ways = Counter(edge.source for edge in found)[name], Counter(edge.target for edge in found)[name]
    return max(2 * PADDING + LETTER * max(map(len, shown)), ARROW * max(ways)), PADDING + LINE * len(shown)


@lru_cache(4)
def _folded(definition: str) -> dict[str, Point]:
    """Where each state stands in its level while all phases are folded."""
    places: dict[str, Point] = {}
    todo, framed = [json.loads(definition)["States"]], False
    while todo:
        states = todo.pop()
        found = edges(states)
        places |= place(states, found, {name: _size(name, found) for name in states}, ends_last=framed)
        todo, framed = todo + [inside(state) for state in states.values() if inside(state)], True
    return places


def _level(states: Mapping[str, Json], folded: Mapping[str, Point], unfolded: frozenset[str]) -> Level:
    found = edges(states)
    contents = {name: _level(inside(states[name]), folded, unfolded) for name in states if name in unfolded}
    small = {name: _size(name, found) for name in states}
    sizes = small | {name: _frame(name, content) for name, content in contents.items()}
    places = stretched({name: folded[name] for name in states}, small, sizes)
    places, routes = route(places, found, sizes)
    level = Level(places, sizes, {(edge.source, edge.target): way for edge, way in zip(found, routes, strict=True)})
    for name, content in contents.items():
        _fill(level, name, content, states[name])
    return level


def _frame(name: str, content: Level) -> Size:
    left, top, right, bottom = content.bounds()
    beside = 2 * (NAMED + LETTER * len(name))  # the name stands left of the middle, where the frame is entered
    return max(right - left + 2 * INSET, beside), bottom - top + TITLE + INSET


def _fill(level: Level, name: str, content: Level, state: Json) -> None:
    """Put what a frame holds into it, and show how it is entered and left: where the nearest of the transitions that
    lead to it and out of it meet its outline."""
    (x, y), (_, height) = level.places[name], level.sizes[name]
    left, top, right, _ = content.bounds()
    level.add(content, x - (left + right) / 2, y - height / 2 + TITLE - top)
    upper, lower = y - height / 2, y + height / 2
    arrivals = [way[-1][0] for ends, way in level.routes.items() if ends[1] == name and way[-1][1] == upper]
    leavings = [way[0][0] for ends, way in level.routes.items() if ends[0] == name and way[0][1] == lower]
    for edge in around(name, state):
        inner = edge.target if edge.source == name else edge.source
        (at, middle), half = level.places[inner], level.sizes[inner][1] / 2
        if edge.source == name:
            door = min(arrivals, key=lambda one: abs(one - at), default=x)
            turn = middle - half - TURN
            way = [(door, upper), (door, turn), (at, turn), (at, middle - half)]
        else:
            door = min(leavings, key=lambda one: abs(one - at), default=x)
            turn = middle + half + TURN / 2
            way = [(at, middle + half), (at, turn), (door, turn), (door, lower)]
        level.routes[edge.source, edge.target] = way if abs(door - at) > STRAY else [(at, way[0][1]), (at, way[-1][1])]


def _states(states: Mapping[str, Json], phase: str, level: Level) -> list[Json]:
    shown = []
    for name, state in states.items():
        within = inside(state)
        one = {
            "name": name,
            "type": state["Type"],
            "about": state.get("Comment", ""),
            "lines": lines(name),
            "phase": phase,
            "frame": "" if not within else "unfolded" if next(iter(within)) in level.places else "folded",
        }
        if name in level.places:
            one |= {"at": _rounded(level.places[name]), "size": _rounded(level.sizes[name])}
        shown += [one, *_states(within, name, level)]
    return shown


def _edges(states: Mapping[str, Json], level: Level, more: Sequence[Edge] = ()) -> list[Json]:
    shown = []
    for edge in [*edges(states), *more]:
        one: Json = {"from": edge.source, "to": edge.target, "catch": edge.catch, "when": edge.when}
        if points := level.routes.get((edge.source, edge.target)):
            one["points"] = [_rounded(point) for point in points]
        shown.append(one)
    for name, state in states.items():
        if within := inside(state):
            shown += _edges(within, level, around(name, state))
    return shown


def _rounded(point: Point) -> list[float]:
    return [round(part, 1) for part in point]
