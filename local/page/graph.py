"""The state machine as a drawing: where each state stands and how each transition runs.

The layout is graphlay's (https://aarkue.github.io/graphlay/docs/guide), in two passes. The first places the states by
what may come next when nothing breaks; the second draws every transition between them, catches too, without moving a
state. Otherwise the catches of every state, which nearly all lead to the same one, would decide where things stand.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import graphlay

from local.page.transitions import Edge, edges

Json = dict[str, Any]
Point = tuple[float, float]

SPINE = (
    "Route Command",
    "Plan",
    "Announce",
    "Planned?",
    "Dispatch Build",
    "Poll Build",
    "Build Finished?",
    "Approval Needed?",
    "Read Decision",
    "Decided?",
    "Dispatch Deploy",
    "Poll Deploy",
    "Deploy Finished?",
    "Wait For Rollout",
    "Check ECS",
    "Rollout Settled?",
    "Settle",
    "Notify Outcome",
    "Which End?",
    "Deployed",
)
"""What a deployment passes when all is well: one straight line down the middle."""
ASIDE = ("Show Progress", "Where To Wait?")
"""Passed again and again by everything under way: in the margin, or their transitions would draw everything to them."""

LINE, PADDING, LETTER = 14.0, 12.0, 7.2
"""px: the height of a line of a state's name, what is around the name, and the width of a letter."""
ONE_LINE = 13
"""Letters; longer names stand in two lines."""
SPACING = {
    "layer_gap": 30,
    "node_gap": 22,
    "dummy_gap": 12,
    "port_gap": 8,
    "stub": 8,
    "edge_label_margin": 6,
    "reroute_node_gap": 10,
}
OPTIONS = {"direction": "topbottom", "spacing": SPACING}
SEEDS = 6
"""Layouts that are tried; the narrowest is taken. 30 ms each, once for a definition."""
MARGIN, BESIDE, BELOW = 12.0, 46.0, 64.0


@lru_cache(4)
def drawing(definition: str) -> Json:
    """The drawing of a definition (Amazon States Language, JSON): sizes and places in px, y grows downwards."""
    states: dict[str, Json] = json.loads(definition)["States"]
    found = edges(states)
    placed = _placed(states, found)
    return _drawn(states, found, placed)


def lines(name: str) -> list[str]:
    """A state's name in one line or two."""
    words = name.split()
    if len(name) <= ONE_LINE or len(words) < 2:
        return [name]
    halves = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    return list(min(halves, key=lambda half: max(map(len, half))))


def _size(name: str) -> tuple[float, float]:
    shown = lines(name)
    return 2 * PADDING + LETTER * max(map(len, shown)), PADDING + LINE * len(shown)


def _placed(states: Mapping[str, Json], found: list[Edge]) -> dict[str, Point]:
    """Where the middle of each state is."""
    graph = graphlay.Graph()
    for name in states:
        if name not in ASIDE:
            width, height = _size(name)
            graph.node(name, width=width, height=height)
    spine = set(pairwise(SPINE))
    second_row = {name for name, state in states.items() if state["Type"] == "Fail"}
    for edge in _placing(states, found):
        target = edge.target
        if target in second_row:  # ends are many: those that are failures stand one row below the others
            graph.node(f"above {target}", width=1, height=1)
            graph.edge(f"above {target}", target)
            target = f"above {target}"
        graph.edge(edge.source, target, weight=8 if (edge.source, edge.target) in spine else 1)
    tried = [graphlay.layout(graph, preset="process_map", options={**OPTIONS, "seed": seed}) for seed in range(SEEDS)]
    narrow = min(tried, key=lambda one: one.bounds["max"]["x"] - one.bounds["min"]["x"])
    placed = {name: at for name, at in narrow.positions().items() if name in states}
    for name in ASIDE:
        if name in states:
            placed[name] = _beside(name, found, placed)
    return placed


def _placing(states: Mapping[str, Json], found: list[Edge]) -> list[Edge]:
    """The transitions that decide where states stand: not the catches (but where nothing else leads to a state), not
    those of ASIDE, and of those to an end the one from the state that leads to most ends."""
    reached = {edge.target for edge in found if not edge.catch}
    ends = {name for name, state in states.items() if state["Type"] in ("Succeed", "Fail")}
    to_ends = Counter(edge.source for edge in found if edge.target in ends)
    chosen: dict[str, Edge] = {}
    kept = []
    for edge in found:
        if edge.source in ASIDE or edge.target in ASIDE or (edge.catch and edge.target in reached):
            continue
        if edge.target not in ends:
            kept.append(edge)
        elif edge.target not in chosen or to_ends[edge.source] > to_ends[chosen[edge.target].source]:
            chosen[edge.target] = edge
    # what leads on by way of the margin alone comes back to where it came from, else it would sink to the ground
    leads = {edge.source for edge in found if not edge.catch and edge.target not in ASIDE} | ends
    back = [Edge(edge.target, edge.source, False, "") for edge in kept if edge.target not in leads]
    return kept + back + list(chosen.values())


def _beside(name: str, found: list[Edge], placed: Mapping[str, Point]) -> Point:
    """Left of what is near: below the one before it in the margin, else at the middle height of what leads to it."""
    before = [edge.source for edge in found if edge.target == name and edge.source in placed]
    if not before:
        return 0.0, 0.0
    if before[0] in ASIDE:
        x, y = placed[before[0]]
        return x, y + BELOW
    y = sorted(placed[source][1] for source in before)[len(before) // 2] - BELOW
    near = [
        x - _size(other)[0] / 2
        for other, (x, at) in placed.items()
        if -BELOW < at - y < 2 * BELOW and other not in ASIDE
    ]
    return min(near, default=0.0) - BESIDE - _size(name)[0] / 2, y


def _drawn(states: Mapping[str, Json], found: list[Edge], placed: Mapping[str, Point]) -> Json:
    graph = graphlay.Graph()
    for name in states:
        width, height = _size(name)
        x, y = placed[name]
        graph.node(name, width=width, height=height, position={"x": x, "y": y})
    for edge in found:
        graph.edge(edge.source, edge.target)
    routed = graphlay.reroute(graph, preset="process_map", options=OPTIONS)
    low, high = routed.bounds["min"], routed.bounds["max"]
    left, top = low["x"] - MARGIN, low["y"] - MARGIN

    def at(point: Mapping[str, float]) -> list[float]:
        return [round(point["x"] - left, 1), round(point["y"] - top, 1)]

    return {
        "width": round(high["x"] - left + MARGIN, 1),
        "height": round(high["y"] - top + MARGIN, 1),
        "states": [
            {
                "name": name,
                "type": states[name]["Type"],
                "about": states[name].get("Comment", ""),
                "lines": lines(name),
                "at": at(node["center"]),
                "size": list(_size(name)),
            }
            for name, node in zip(states, routed.nodes, strict=True)
        ],
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "catch": edge.catch,
                "when": edge.when,
                "points": [at(point) for point in drawn["points"]],
            }
            for edge, drawn in zip(found, routed.edges, strict=True)
        ],
    }
