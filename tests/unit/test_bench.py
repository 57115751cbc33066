"""The benchmark measures two sides that do the same; what it finds is never asserted."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import built as artefacts
from bench.built import Built
from bench.fakes import far_ends
from bench.figures import Figure, table
from bench.sides import EXPECTED, PEER, Sides

needs_tools = pytest.mark.skipif(
    bool(artefacts.missing()) or not (PEER / "bin" / "python").exists(),
    reason="the tools of `make bench` are not installed",
)


@pytest.fixture
def sides(built: Built, tmp_path: Path) -> Iterator[Sides]:
    with far_ends(tmp_path) as fake:
        yield Sides(built, tmp_path, fake)


@pytest.mark.slow
@needs_tools
@pytest.mark.parametrize("side", ["ours", "peer"])
@pytest.mark.parametrize("kind", EXPECTED)
def test_each_side_starts_an_execution_for_a_command_and_none_for_what_is_not_signed(
    sides: Sides, side: str, kind: str
) -> None:
    run = sides.once(side, kind, later=2)
    assert sides.fake.asked["AWSStepFunctions.StartExecution"] == (3 if kind == "command" else 0)
    assert min(run["cpu_seconds"], run["seconds"], run["warm_seconds"]) > 0
    # its own memory, not that of the tests, which start it
    assert 0 < run["peak_rss_bytes"] < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if side == "ours":
        # what it needs was imported while the function started; the codec of a host's name comes with each connection
        assert set(run["imported_late"]) <= {"stringprep", "encodings.idna"}


SLACKER = """
def handler(event, context):
    return {"statusCode": %d}
"""


@needs_tools
@pytest.mark.parametrize(("status", "wrong"), [(200, "ours started 0 executions"), (401, "ours answered 401")])
def test_a_side_that_does_not_do_the_work_is_not_measured(status: int, wrong: str, tmp_path: Path) -> None:
    (tmp_path / "var" / "slack").mkdir(parents=True)
    (tmp_path / "var" / "slack" / "app.py").write_text(SLACKER % status)
    with far_ends(tmp_path) as fake, pytest.raises(AssertionError, match=wrong):
        Sides(Built(tmp_path), tmp_path, fake).once("ours", "command")


def test_the_ratio_is_of_pairs_and_not_of_medians() -> None:
    # the machine slows down threefold in the middle, for both
    figure = Figure("cold_ms", "cold", ours=[10, 30, 30], peer=[20, 20, 60])
    assert figure.told() == {"ours": 30, "peer": 20, "ratio": 0.5}
    assert table([figure]).splitlines()[1].split()[:2] == ["cold", "(ms)"]
    with pytest.raises(ValueError, match="shorter"):
        _ = Figure("cold_ms", "cold", ours=[1, 2], peer=[1]).ratio
