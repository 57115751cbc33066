"""docs/costs.md says what `make costs` prints, so it follows the template and the timing."""

from __future__ import annotations

from pathlib import Path

from chatops.domain.target import Timing
from chatops.steps.poll_timing import pace_after
from scripts import costs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "costs.md"


def test_the_page_says_what_the_command_prints() -> None:
    assert costs.table() in PAGE.read_text("utf-8"), "put what `make costs` prints into it"


def test_no_command_runs_a_script_by_its_path() -> None:
    """Python then looks into scripts/ first, and takes scripts/operator.py for its own module of that name."""
    assert "$(PY) scripts/" not in (PAGE.parents[1] / "Makefile").read_text("utf-8")


def test_looks_grow_rarer_until_the_slowest_pace() -> None:
    timing = Timing(poll_min=3, poll_max=30)

    def pause(passed: float) -> float:
        return pace_after(passed, timing)

    assert costs.looks(0, pause) == 1
    assert costs.looks(30, pause) == 11, "every three seconds at first"
    assert costs.looks(3600, pause) - costs.looks(3000, pause) == 20, "every thirty in the end"
