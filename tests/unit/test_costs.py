"""docs/costs.md says what is measured: `make costs WRITE=1` puts it there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts import costs
from tests.simulator import kinds
from tests.simulator.counted import CountingTable, Used, size

PAGE = Path(__file__).resolve().parents[2] / "docs" / "costs.md"
STALE = "run `make costs WRITE=1`"


@pytest.fixture(scope="module")
def sample() -> Mapping[tuple[str, int], Used]:
    return kinds.measured(kinds.TYPICAL, "`claim: false`", "Rollback (ECS)", "Dry run", minutes=10)


def rows() -> dict[str, list[float]]:
    """The numbers of each line of the page's tables, by its first cell."""
    found = {}
    for line in PAGE.read_text("utf-8").splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells and name and cells[0][:1].isdigit():
            found[name] = [float(cell.partition(" ")[0].replace(",", "")) for cell in cells]
    return found


def test_the_page_says_what_is_measured(sample: Mapping[tuple[str, int], Used]) -> None:
    """Within a tenth: a change that costs more than that is worth a new table."""
    told = rows()
    for key, used in sample.items():
        assert told[costs.named(*key)] == pytest.approx(costs.row(used), rel=0.1, abs=2), f"{key}: {STALE}"


def test_the_pages_months_follow_from_its_typical_deployment_and_the_template(
    sample: Mapping[tuple[str, int], Used],
) -> None:
    each, told = sample[kinds.TYPICAL, 10], rows()
    for place, count in enumerate(costs.VOLUMES):
        for name, units in costs.month(count, each, kinds.idle_sweep()).items():
            line = next(numbers for first, numbers in told.items() if first.startswith(f"[{name}]"))
            assert line[place] == pytest.approx(units, rel=0.1, abs=0.01), f"{name} of {count}: {STALE}"


def test_no_command_runs_a_script_by_its_path() -> None:
    """Python then looks into scripts/ first, and takes scripts/operator.py for its own module of that name."""
    assert "$(PY) scripts/" not in (PAGE.parents[1] / "Makefile").read_text("utf-8")


def test_the_tables_units_are_dynamodbs() -> None:
    """The examples of
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""
    used = Used()
    table = CountingTable(used)
    table.put({"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "text": {"S": "x" * 1100}}})
    assert used.written == 2, "1.1 KB are two units of a write"
    table.get({"Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}})
    table.get({"Key": {"pk": {"S": "a"}, "sk": {"S": "none"}}})
    assert used.reads == 2, "one each for up to 4 KB, also where nothing is found"
    table.transact({"TransactItems": [{"Put": {"Item": {"pk": {"S": "c"}, "sk": {"S": "d"}}}}]})
    assert used.written == 4, "a transaction's write costs twice"
    assert size({"pk": {"S": "é"}, "n": {"N": "12"}, "m": {"M": {"a": {"BOOL": True}}}}) == 4 + 4 + 1 + 3 + 1 + 1 + 1
