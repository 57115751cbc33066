"""Many deployments at once lose none and cost no more each; `make scale N=1000` plays more of them."""

from __future__ import annotations

import pytest

from tests.simulator import scale

COUNTED = ("transitions", "invocations", "of them counted", "table writes")


@pytest.mark.slow
def test_none_of_many_is_lost_and_each_costs_what_one_costs() -> None:
    few, many = (scale.run(count, over=60, build=1) for count in (5, 30))
    for made in (few, many):
        assert made.lost == []
        assert made.ends == {"Deployed": made.count}
        assert made.used.refused["GitHub"] == 0
    for name in COUNTED:
        assert many.each()[name] == pytest.approx(few.each()[name], rel=0.15), name
