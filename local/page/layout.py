"""Where the states of one level stand and how its transitions run: graphlay's layout, in two passes.

https://aarkue.github.io/graphlay/docs/guide. The first pass places the states by what may come next when nothing
breaks; the second draws every transition between them, catches too, without moving a state. Otherwise the catches,
which nearly all lead to the same state, would decide where things stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import graphlay

from local.page.transitions import Edge

Json = dict[str, Any]
Point = tuple[float, float]
Size = tuple[float, float]

GAP = 24.0
"""px between two layers."""
SPACING = {
    "layer_gap": GAP,
    "node_gap": 20,
    "dummy_gap": 12,
    "port_gap": 8,
    "stub": 8,
    "edge_label_margin": 6,
    "reroute_node_gap": 10,
}
OPTIONS = {"direction": "topbottom", "spacing": SPACING}
SEEDS = 8
"""Layouts that are tried; the narrowest is taken. Some 20 ms each, once for a definition."""
LANE = 12.0
"""px between two transitions side by side."""
ENDS = ("Succeed", "Fail")
STRAIGHT = 8
"""The weight of a transition to the state that comes next in the definition: written in the order in which it goes."""


def place(
    states: Mapping[str, Json], found: Sequence[Edge], sizes: Mapping[str, Size], *, ends_last: bool = False
) -> dict[str, Point]:
    """Where the middle of each state is; with `ends_last` what ends a branch stands in the middle below it."""
    graph = graphlay.Graph()
    for name in states:
        width, height = sizes[name]
        graph.node(name, width=width, height=height)
    following = set(pairwise(states))
    lower = {name for name, state in states.items() if state["Type"] == "Fail"}
    for edge in _placing(states, found):
        target = edge.target
        if target in lower:  # ends are many: those that are failures stand one row below the others
            graph.node(f"above {target}", width=1, height=1)
            graph.edge(f"above {target}", target)
            target = f"above {target}"
        graph.edge(edge.source, target, weight=STRAIGHT if (edge.source, edge.target) in following else 1)
    tried = [graphlay.layout(graph, preset="process_map", options={**OPTIONS, "seed": seed}) for seed in range(SEEDS)]
    narrow = min(tried, key=lambda one: one.bounds["max"]["x"] - one.bounds["min"]["x"])
    places = {name: at for name, at in narrow.positions().items() if name in states}
    if end := next((name for name in states if ends_last and states[name]["Type"] in ENDS), ""):
        others = [name for name in states if name != end]
        left = min(places[name][0] - sizes[name][0] / 2 for name in others)
        right = max(places[name][0] + sizes[name][0] / 2 for name in others)
        lowest = max(places[name][1] + sizes[name][1] / 2 for name in others)
        places[end] = (left + right) / 2, lowest + GAP + sizes[end][1] / 2
    return places


def _placing(states: Mapping[str, Json], found: Sequence[Edge]) -> list[Edge]:
    """The transitions that decide where states stand: not the catches (but where nothing else leads to a state), and
    of those to an end the first."""
    reached = {edge.target for edge in found if not edge.catch}
    kept = [edge for edge in found if not (edge.catch and edge.target in reached)]
    first = {edge.target: edge for edge in reversed(kept)}
    return [edge for edge in kept if states[edge.target]["Type"] not in ENDS or first[edge.target] is edge]


def stretched(places: Mapping[str, Point], before: Mapping[str, Size], after: Mapping[str, Size]) -> dict[str, Point]:
    """The same places where some states have become larger: what is below them makes room, and they stand below what
    was beside them. So nothing changes its side while phases are unfolded and folded."""
    moved = dict(places)
    for name in sorted((one for one in places if before[one] != after[one]), key=lambda one: places[one][1]):
        x, y = moved[name]
        top, bottom = y - before[name][1] / 2, y + before[name][1] / 2
        beside = [
            down + after[other][1] / 2 + GAP
            for other, (right, down) in moved.items()
            if other != name
            and down - before[other][1] / 2 <= bottom
            and down + after[other][1] / 2 >= top
            and abs(right - x) < (after[name][0] + after[other][0]) / 2
        ]
        lower = max([top, *beside])
        for other, (right, down) in moved.items():
            if down - before[other][1] / 2 > bottom:
                moved[other] = right, down + lower + after[name][1] - bottom
        moved[name] = x, lower + after[name][1] / 2
    return moved


def route(
    places: Mapping[str, Point], found: Sequence[Edge], sizes: Mapping[str, Size]
) -> tuple[dict[str, Point], list[list[Point]]]:
    """The points of each transition, from border to border, and the places that it left the states: where nothing but
    transitions ran, far from each other, what lies on both sides has come nearer."""
    graph = graphlay.Graph()
    for name, (x, y) in places.items():
        width, height = sizes[name]
        graph.node(name, width=width, height=height, position={"x": x, "y": y})
    for edge in found:
        graph.edge(edge.source, edge.target)
    routed = graphlay.reroute(graph, preset="process_map", options=OPTIONS)
    routes = [[(point["x"], point["y"]) for point in drawn["points"]] for drawn in routed.edges]

    sides = {name: (x - sizes[name][0] / 2, x + sizes[name][0] / 2) for name, (x, _) in places.items()}
    used = sorted({x for points in routes for x, _ in points} | {x for pair in sides.values() for x in pair})
    nearer, by = {}, 0.0
    for x, after in zip(used, [*used[1:], used[-1]], strict=True):
        nearer[x] = x - by
        if after - x > LANE and not any(left < after and x < right for left, right in sides.values()):
            by += after - x - LANE
    narrow = {name: (nearer[sides[name][0]] + sizes[name][0] / 2, y) for name, (_, y) in places.items()}
    return narrow, [[(nearer[x], y) for x, y in points] for points in routes]
