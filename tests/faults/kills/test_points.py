"""Which kills are tried: all of them, each once, and each under a name that finds it again."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.kills.points import Plan, Point, chosen, pairs, plan, points, singles

RECORD = [("plan", 1, ["A", "B", "A"]), ("poll:build", 1, ["A"]), ("poll:build", 2, ["A"])]


def test_before_and_after_every_call() -> None:
    assert [str(point) for point in points(RECORD)] == [
        "plan#1/A#1/before",
        "plan#1/A#1/after",
        "plan#1/B#1/before",
        "plan#1/B#1/after",
        "plan#1/A#2/before",
        "plan#1/A#2/after",
        "poll:build#1/A#1/before",
        "poll:build#1/A#1/after",
        "poll:build#2/A#1/before",
        "poll:build#2/A#1/after",
    ]
    assert len(singles("x", RECORD)) == 10


def test_pairs_are_all_different_and_name_what_can_happen() -> None:
    found = [one.points for one in pairs("x", RECORD)]
    assert len(set(found)) == len(found)
    for first, second in found:
        assert (first.step, first.turn) != (second.step, second.turn), "a process dies once"
    retried = [second for first, second in found if str(first) == "plan#1/B#1/before" and second.step == "plan"]
    assert {str(point) for point in retried} == {
        "plan#2/A#1/before",
        "plan#2/A#1/after",
        "plan#2/B#1/before",
        "plan#2/B#1/after",
        "plan#2/A#2/before",
        "plan#2/A#2/after",
    }
    # the killed look counts: what was the second becomes the third
    looks = {str(second) for first, second in found if str(first) == "poll:build#1/A#1/before"}
    assert looks == {
        "poll:build#2/A#1/before",
        "poll:build#2/A#1/after",
        "poll:build#3/A#1/before",
        "poll:build#3/A#1/after",
    }


def test_the_same_seed_chooses_the_same_and_half_are_pairs() -> None:
    records = {"x": RECORD, "y": RECORD}
    few = chosen(records, 10, 7)
    assert few == chosen(records, 10, 7)
    assert len(set(few)) == 10
    assert sum(len(one.points) == 2 for one in few) == 5
    assert few != chosen(records, 10, 8)
    assert {one.scenario for one in few} == {"x", "y"}
    more = chosen({"x": RECORD, "y": RECORD[:1]}, 20, 7)
    assert Counter((one.scenario, len(one.points)) for one in more) == {
        ("x", 1): 5,
        ("y", 1): 5,
        ("x", 2): 5,
        ("y", 2): 5,
    }
    uneven = chosen({"x": RECORD, "y": RECORD[:1]}, 32, 7)
    assert Counter((one.scenario, len(one.points)) for one in uneven)[("x", 1)] == 10, "one has no more than six"
    everything = chosen(records, 10_000, 7)
    assert len(everything) == len(set(everything)) == 20 + sum(len(list(pairs(n, RECORD))) for n in records)


def test_a_name_is_read_back() -> None:
    point = Point("dispatch:build", 1, "GitHub.POST.actions.runs.*.cancel", 2, "after")
    for one in (Plan("happy"), Plan("happy", (point,)), Plan("happy", (point, point.again(1)))):
        assert plan(str(one)) == one
    with pytest.raises(ValueError, match="no point"):
        plan("happy@dispatch#1")
