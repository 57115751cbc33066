"""What `make bench` says of a figure: whether it is within its limit."""

from __future__ import annotations

import pytest

from bench import limits, rows
from bench.first_calls import FirstCall
from bench.rows import Row
from bench.runtime_api import Answer


def call(function: str, seconds: float, init: float, memory_mb: int) -> FirstCall:
    return FirstCall(function, {}, init, Answer({}, None, seconds), "", limits.CALIBRATION, memory_mb)


def test_a_row_within_its_limit_is_met_and_another_is_said_to_be_missed() -> None:
    met, missed = Row("a", "as much as it may", 2.0, 2.0, "s"), Row("b", "more", 2.1, 2.0, "s")
    assert [one.told()["met"] for one in (met, missed)] == [True, False]
    assert [line.endswith("missed") for line in rows.table([met, missed]).splitlines()[1:]] == [False, True]


def test_a_first_call_waits_for_the_start_on_a_whole_processor_and_for_the_handler_on_its_share() -> None:
    found = {kind: call(kind.partition(" ")[0], 0.01, 0.3, 1769) for kind in rows.HAPPY}
    found["park"] = call("park", 0.01, 0.3, 1769 // 4)
    values = {one.name: one.value for one in rows.of_first_calls(found, empty_init=0.1)}
    assert values["plan_first_s"] == pytest.approx((0.2 + 0.01) * limits.SLOWER)
    assert values["park_first_s"] == pytest.approx((0.2 + 0.04) * limits.SLOWER, rel=0.01)
    assert values["quiet_day_s"] == pytest.approx(sum((0.2 + 0.01) * limits.SLOWER for _ in rows.HAPPY), rel=0.05)
    assert values["edge_init_ms"] == pytest.approx(200 * limits.SLOWER)


def test_instructions_are_held_to_the_peers_and_small_steps_to_a_number() -> None:
    found = rows.of_instructions({"command": 300.0, "forged": 251.0, "park": 449.0, "plan": 801.0}, peer=1000.0)
    assert {one.name: one.met for one in found} == {
        "edge_command_ratio": True,
        "edge_forged_m": False,
        "park_m": True,
        "park_ratio": True,
        "plan_ratio": False,
    }
