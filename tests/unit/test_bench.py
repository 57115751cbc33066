"""The benchmark measures two sides that do the same; what it finds is never asserted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.far import Far, far_ends
from bench.figures import Figure, table

BOLT = bench.ROOT / ".venv-tools" / "bench" / "bin" / "python"
needs_bolt = pytest.mark.skipif(
    not BOLT.exists(), reason="Bolt is not installed: make .venv-tools/bench/installed.stamp"
)


@pytest.fixture
def far() -> Iterator[Far]:
    with far_ends() as made:
        yield made


@pytest.fixture(params=["ours", pytest.param("peer", marks=needs_bolt)])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bench, "PYTHON", str(BOLT) if request.param == "peer" else sys.executable)
    return str(request.param)


@pytest.mark.parametrize("kind", bench.EXPECTED)
def test_each_side_starts_an_execution_for_a_command_and_none_for_what_is_not_signed(
    side: str, kind: str, far: Far
) -> None:
    run = bench.once(side, kind, far, warm=2)
    assert far.asked["AWSStepFunctions.StartExecution"] == (3 if kind == "command" else 0)
    assert min(run["cpu_seconds"], run["seconds"], run["warm_seconds"], run["peak_rss_bytes"]) > 0


SLACKER = """
def handler(event, context):
    return {"statusCode": %d}
"""


@pytest.mark.parametrize(("status", "wrong"), [(200, "ours started 0 executions"), (401, "ours answered 401")])
def test_a_side_that_does_not_do_the_work_is_not_measured(
    status: int, wrong: str, far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slacker.py").write_text(SLACKER % status)
    monkeypatch.setitem(bench.SIDES, "ours", "slacker")
    environment = bench.environment

    def with_it(far: dict[str, str]) -> dict[str, str]:
        made = environment(far)
        return {**made, "PYTHONPATH": f"{tmp_path}:{made['PYTHONPATH']}"}

    monkeypatch.setattr(bench, "environment", with_it)
    with pytest.raises(AssertionError, match=wrong):
        bench.once("ours", "command", far)


def test_the_ratio_is_of_pairs_and_not_of_medians() -> None:
    # the machine slows down threefold in the middle, for both
    figure = Figure("cold_ms", "cold", ours=[10, 30, 30], peer=[20, 20, 60])
    assert figure.ratio == 0.5
    assert figure.told() == {"ours": 30, "peer": 20, "ratio": 0.5}
    assert json.loads(json.dumps(figure.told())) == figure.told()


def test_pairs_must_be_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        _ = Figure("cold_ms", "cold", ours=[1, 2], peer=[1]).ratio


def test_the_table_has_a_line_for_each_figure_with_its_unit() -> None:
    lines = table([Figure("cold_ms", "cold", [1.5], [3]), Figure("peak_rss_mb", "memory", [24], [48])]).splitlines()
    assert len(lines) == 3
    assert [line.split()[0:2] for line in lines[1:]] == [["cold", "(ms)"], ["memory", "(mb)"]]
    assert "0.50" in lines[1]
