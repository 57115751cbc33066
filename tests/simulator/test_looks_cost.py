"""What looking at runs costs a deployment, and how late the end of one is seen, on the simulator's machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chatops.domain.results import StageResult
from chatops.steps import poll
from chatops.store import lengths
from chatops.store.table import table
from tests.simulator import kinds
from tests.simulator.counted import Used
from tests.simulator.fleet import opened_fleet

FIXED = 61 + 19
"""Looks with a fixed pause of ten seconds at ten minutes of build and three of deploying: three transitions and a
request each."""


class Looked(kinds.Alone):
    """`late`: seconds from the end of each stage's run to the look that saw it. `known`: what the target's runs before
    took."""

    known: tuple[float, ...] = ()

    def begin_fleet(self, fleet: list[kinds.Kind]) -> None:  # type: ignore[override]
        super().begin_fleet(fleet)
        self.late: dict[str, float] = {}
        for number, seconds in enumerate(self.known):
            lengths.add(table(), "t-0", "build", f"d-{number}", seconds)
            lengths.add(table(), "t-0", "deploy", f"d-{number}", 195 + number % 5)


@pytest.fixture(scope="module")
def session() -> Iterator[Looked]:
    with opened_fleet(Looked) as opened, pytest.MonkeyPatch.context() as patch:
        look = poll.poll

        def noticing(deployment: object, name: str) -> StageResult:
            found = look(deployment, name)  # type: ignore[arg-type]
            if found.done:
                run = next(one for one in opened.github.runs if one.stage == name)
                opened.late[name] = opened.agenda.now() - run.updated
            return found

        patch.setattr(poll, "poll", noticing)
        yield opened


def measured(session: Looked, name: str, minutes: float) -> Used:
    claims = False if "claim" in name else None
    return session.measured(replace(kinds.BUILT[name], scripts=kinds.scripts(minutes, claims=claims)))


def test_ten_minutes_of_build(session: Looked) -> None:
    used = measured(session, kinds.TYPICAL, 10)
    assert used.transitions <= 110
    assert used.invocations <= 70
    assert used.counted <= 14
    assert max(session.late.values()) <= 3, "the report wakes, and GitHub is asked two seconds later"


def test_an_hour_of_build_costs_half_as_much_again_at_most(session: Looked) -> None:
    short, long = measured(session, kinds.TYPICAL, 10), measured(session, kinds.TYPICAL, 60)
    assert long.transitions <= 1.5 * short.transitions
    assert long.invocations <= 1.5 * short.invocations
    assert long.counted <= 1.5 * short.counted


def test_a_stages_first_minute_costs_nine_points_of_githubs_secondary_limit_at_most(session: Looked) -> None:
    """So that a hundred may begin in the same minute: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    measured(session, kinds.TYPICAL, 10)
    assert session.lambdas.minutes["GitHub points"].most <= 9 + 3, "a plan's three requests besides"


def test_runs_that_report_nothing_are_looked_at_when_those_before_them_ended(session: Looked) -> None:
    session.known = (592.0, 610.0, 601.0, 616.0)
    late, name = list[float](), "`claim: false`"
    try:
        for seconds in range(585, 616, 4):
            used = measured(session, name, (seconds - 15) / 60)
            late.append(session.late["build"])
            assert used.transitions <= 3 * FIXED / 3 + 40, "what is passed once, too"
            assert used.counted <= FIXED / 3
    finally:
        session.known = ()
    assert sum(late) / len(late) <= 5


def test_where_nothing_is_known_yet_they_are_looked_at_less_and_less_often(session: Looked) -> None:
    used = measured(session, "`claim: false`", 10)
    assert used.counted <= FIXED / 3
    assert max(session.late.values()) <= 60
