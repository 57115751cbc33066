"""The drawing of the state machine: every state and transition, nothing over anything else."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from local.page import graph, transitions
from local.page.transitions import Edge

DEFINITION = (Path(__file__).resolve().parents[2] / "statemachine" / "deploy.asl.json").read_text("utf-8")
STATES: dict[str, Any] = json.loads(DEFINITION)["States"]


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    return graph.drawing(DEFINITION)


def test_every_state_and_every_transition_is_drawn_once(drawn: dict[str, Any]) -> None:
    assert [one["name"] for one in drawn["states"]] == list(STATES)
    pairs = [(one["from"], one["to"]) for one in drawn["edges"]]
    assert len(pairs) == len(set(pairs))
    wanted = set()
    for name, state in STATES.items():
        ways = [state.get("Next"), state.get("Default")]
        ways += [one["Next"] for one in (*state.get("Choices", []), *state.get("Catch", []))]
        wanted |= {(name, way) for way in ways if way}
    assert set(pairs) == wanted


def test_only_what_no_other_way_leads_to_is_a_catch() -> None:
    found = {(one.source, one.target): one for one in transitions.edges(STATES)}
    assert found["Plan", "Settle"].catch
    assert "States.ALL" in found["Plan", "Settle"].when
    assert not found["Announce", "Planned?"].catch  # by Next and by Catch
    assert not found["Planned?", "Refused"].catch


def test_states_lie_apart_and_inside_the_drawing(drawn: dict[str, Any]) -> None:
    boxes = []
    for one in drawn["states"]:
        (x, y), (width, height) = one["at"], one["size"]
        boxes.append((one["name"], x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    for _, left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= drawn["width"]
        assert bottom <= drawn["height"]
    for (name, l1, t1, r1, b1), (other, l2, t2, r2, b2) in combinations(boxes, 2):
        assert r1 < l2 or r2 < l1 or b1 < t2 or b2 < t1, f"{name} lies over {other}"


def test_transitions_begin_and_end_at_their_states(drawn: dict[str, Any]) -> None:
    boxes = {one["name"]: one for one in drawn["states"]}

    def beside(point: list[float], name: str) -> bool:
        (x, y), (width, height) = boxes[name]["at"], boxes[name]["size"]
        return abs(point[0] - x) <= width / 2 + 1 and abs(point[1] - y) <= height / 2 + 1

    for edge in drawn["edges"]:
        assert beside(edge["points"][0], edge["from"]), edge
        assert beside(edge["points"][-1], edge["to"]), edge


def test_a_deployment_that_goes_well_runs_straight_down(drawn: dict[str, Any]) -> None:
    pairs = {(one["from"], one["to"]) for one in drawn["edges"]}
    assert set(zip(graph.SPINE, graph.SPINE[1:], strict=False)) <= pairs
    places = {one["name"]: one["at"] for one in drawn["states"]}
    spine = [places[name] for name in graph.SPINE]
    assert {x for x, _ in spine} == {spine[0][0]}
    assert [y for _, y in spine] == sorted(y for _, y in spine)


def test_it_is_drawn_the_same_every_time_and_within_a_screens_width(drawn: dict[str, Any]) -> None:
    graph.drawing.cache_clear()
    assert graph.drawing(DEFINITION) == drawn
    assert drawn["width"] < 1000


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"Variable": "$.a.b", "StringEquals": "x", "Next": "N"}, 'a.b = "x"'),
        ({"Variable": "$.a", "IsPresent": True}, "a is present"),
        ({"Variable": "$.a", "IsNull": False}, "a is not null"),
        ({"Variable": "$.a", "NumericGreaterThanEquals": 3}, "a ≥ 3"),
        ({"Variable": "$.a", "BooleanEquals": True}, "a = true"),
        ({"Variable": "$.a", "StringMatches": "v*"}, 'a matches "v*"'),
        ({"Not": {"Variable": "$.a", "BooleanEquals": True}}, "not (a = true)"),
        (
            {"And": [{"Variable": "$.a", "BooleanEquals": True}, {"Variable": "$.b", "IsPresent": True}]},
            "a = true and b is present",
        ),
        (
            {"Or": [{"Variable": "$.a", "NumericLessThan": 1}, {"Variable": "$.b", "IsString": True}]},
            "a < 1 or b is string",
        ),
    ],
)
def test_a_choices_rule_in_words(rule: dict[str, Any], words: str) -> None:
    assert transitions.condition(rule) == words


def test_a_small_machine_of_another_kind_is_drawn_too() -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "B"}], "Default": "C"},
        "B": {"Type": "Task", "Next": "C", "Catch": [{"ErrorEquals": ["E"], "Next": "D"}]},
        "C": {"Type": "Succeed"},
        "D": {"Type": "Fail"},
    }
    assert transitions.edges(states) == [
        Edge("A", "B", False, "x is present"),
        Edge("A", "C", False, "otherwise"),
        Edge("B", "C", False, ""),
        Edge("B", "D", True, "E"),
    ]
    assert len(graph.drawing(json.dumps({"StartAt": "A", "States": states}))["states"]) == 4
