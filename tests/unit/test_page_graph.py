"""The drawing of the state machine: every state and transition, in frames, nothing over anything else."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from local.page import graph, transitions
from local.page.transitions import Edge
from scripts import picture

DEFINITION = picture.DEFINITION.read_text("utf-8")
STATES: dict[str, Any] = json.loads(DEFINITION)["States"]
INSIDE = {name: state["Branches"][0]["States"] for name, state in STATES.items() if state["Type"] == "Parallel"}
EVERY = STATES | {name: state for states in INSIDE.values() for name, state in states.items()}
GOES_WELL = ["Route Command", "Plan", "Announce", "Planned?", "Build", "Built?", "Approval", "Approved?", "Deploy"]
GOES_WELL += ["Changed?", "Rollout", "Healthy?", "Settle", "Notify Outcome", "Which End?"]

Drawing = dict[str, Any]
Box = tuple[float, float, float, float]


@pytest.fixture(params=[(), *((name,) for name in INSIDE), tuple(INSIDE)], ids="+".join, scope="module")
def drawn(request: pytest.FixtureRequest) -> Drawing:
    return graph.drawing(DEFINITION, frozenset(request.param))


def boxes(drawn: Drawing) -> dict[str, Box]:
    """Left, top, right and bottom of every state that is seen."""
    found = {}
    for one in drawn["states"]:
        if "at" in one:
            (x, y), (width, height) = one["at"], one["size"]
            found[one["name"]] = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return found


def levels(drawn: Drawing) -> list[list[str]]:
    seen = boxes(drawn)
    return [[name for name in states if name in seen] for states in (STATES, *INSIDE.values())]


def test_every_state_and_every_transition_is_drawn_once_and_what_is_folded_is_not_seen(drawn: Drawing) -> None:
    assert sorted(one["name"] for one in drawn["states"]) == sorted(EVERY)
    pairs = [(one["from"], one["to"]) for one in drawn["edges"]]
    assert len(pairs) == len(set(pairs))
    wanted = set()
    for name, state in EVERY.items():
        ways = [state.get("Next"), state.get("Default"), *(one["StartAt"] for one in state.get("Branches", []))]
        ways += [one["Next"] for one in (*state.get("Choices", []), *state.get("Catch", []))]
        wanted |= {(name, way) for way in ways if way}
    wanted |= {(end, name) for name, states in INSIDE.items() for end in states if states[end]["Type"] == "Succeed"}
    assert set(pairs) == wanted

    unfolded = {one["name"] for one in drawn["states"] if one["frame"] == "unfolded"}
    seen = {*STATES, *(name for phase in unfolded for name in INSIDE[phase])}
    assert boxes(drawn).keys() == seen
    assert {(one["from"], one["to"]) for one in drawn["edges"] if "points" in one} == {
        (a, b) for a, b in wanted if {a, b} <= seen
    }


def test_only_what_no_other_way_leads_to_is_a_catch() -> None:
    found = {(one.source, one.target): one for one in transitions.edges(STATES)}
    assert found["Plan", "Settle"].catch
    assert "States.ALL" in found["Plan", "Settle"].when
    assert not found["Announce", "Planned?"].catch  # by Next and by Catch
    assert not found["Planned?", "Refused"].catch


def test_states_lie_apart_and_inside_their_frame(drawn: Drawing) -> None:
    seen = boxes(drawn)
    for level in levels(drawn):
        for (name, (l1, t1, r1, b1)), (other, (l2, t2, r2, b2)) in combinations([(n, seen[n]) for n in level], 2):
            assert r1 < l2 or r2 < l1 or b1 < t2 or b2 < t1, f"{name} lies over {other}"
    for one in drawn["states"]:
        if one["name"] in seen:
            around = seen[one["phase"]] if one["phase"] else (0, 0, drawn["width"], drawn["height"])
            left, top, right, bottom = seen[one["name"]]
            assert around[0] < left < right < around[2], one["name"]
            assert around[1] < top < bottom < around[3], one["name"]


def test_transitions_begin_and_end_at_their_states_and_cross_no_other(drawn: Drawing) -> None:
    seen = boxes(drawn)

    def beside(point: list[float], name: str) -> bool:
        left, top, right, bottom = seen[name]
        inside = left - 1 <= point[0] <= right + 1 and top - 1 <= point[1] <= bottom + 1
        return inside and (
            min(abs(point[0] - left), abs(point[0] - right)) <= 1
            or min(abs(point[1] - top), abs(point[1] - bottom)) <= 1
        )

    for edge in drawn["edges"]:
        if "points" not in edge:
            continue
        ends = {edge["from"], edge["to"]}
        assert beside(edge["points"][0], edge["from"]), edge
        assert beside(edge["points"][-1], edge["to"]), edge
        level = next(one for one in reversed(levels(drawn)) if ends & set(one))
        for (x1, y1), (x2, y2) in pairwise(edge["points"]):
            for name in level:
                left, top, right, bottom = seen[name]
                apart = (
                    max(x1, x2) <= left + 1
                    or min(x1, x2) >= right - 1
                    or max(y1, y2) <= top + 1
                    or min(y1, y2) >= bottom - 1
                )
                assert apart, f"{edge['from']} -> {edge['to']} runs over {name}"


def test_a_deployment_that_goes_well_runs_straight_down(drawn: Drawing) -> None:
    places = {one["name"]: one["at"] for one in drawn["states"] if "at" in one}
    assert len({places[name][0] for name in GOES_WELL}) == 1
    assert [places[name][1] for name in GOES_WELL] == sorted(places[name][1] for name in GOES_WELL)


def test_it_is_drawn_the_same_every_time_and_within_the_pages_width(drawn: Drawing) -> None:
    graph.drawing.cache_clear()
    unfolded = {one["name"] for one in drawn["states"] if one["frame"] == "unfolded"}
    assert graph.drawing(DEFINITION, frozenset(unfolded)) == drawn
    assert drawn["width"] < 760


def test_the_picture_in_the_documentation_is_that_of_the_definition() -> None:
    """`make picture` writes them anew."""
    for file, drawn in picture.pictures().items():
        assert file.read_text("utf-8") == drawn, f"{Path(file).name} is not what `make picture` draws"


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


def test_a_frame_may_have_several_branches_and_hold_another_frame() -> None:
    ends = {"End": {"Type": "Succeed"}}
    within = {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Next": "End"}, **ends}}
    branches = [
        {"StartAt": "Inner", "States": {"Inner": {"Type": "Parallel", "Branches": [within], "End": True}}},
        {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": True}}},
    ]
    states = {"Outer": {"Type": "Parallel", "Branches": branches, "Next": "Last"}, "Last": {"Type": "Succeed"}}
    found = graph.drawing(json.dumps({"StartAt": "Outer", "States": states}), frozenset({"Outer", "Inner"}))
    assert {one["name"] for one in found["states"] if "at" in one} == {"Outer", "Inner", "Right", "Left", "End", "Last"}
    assert all("points" in one for one in found["edges"])
