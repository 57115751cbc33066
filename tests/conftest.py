"""What holds for every test.

None sees the targets of the installation in whose repository it runs: they come with it where it is deployed from
(`deploy-lambda.yml` runs the tests there), and a test has its own. No session that a test builds leaks a secret. Slack
reads every request that is made of its fake. The process that forks functions goes from one test to the next.
Generated examples are the same in every run, so that nobody's change fails for somebody else's find; RANDOM_EXAMPLES=1
looks for new ones, as `simulate.yml` does weekly.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from chatops.settings import targets
from local.runtime.process import Zygote
from tests import leaks, misread

targets.PACKED = str(Path(__file__).parent / "nowhere" / "targets.yaml")
Zygote.kept = []
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.load_profile("same" if not os.environ.get("RANDOM_EXAMPLES") else "default")
LONGEST = (
    *("/simulator/", "/test_edge_frozen", "/test_scenarios", "/test_targets", "/test_limits", "/test_ledger_model"),
    *("/test_store_model", "/test_signed_hostile", "/test_restoring", "/browser/", "/test_runtime_frozen"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONGEST))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many interleavings were played is part of what the simulator's tests promise."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    found = [dict(report.user_properties).get("interleavings") for report in reports if report.when == "call"]
    if number := sum(int(one) for one in found if one is not None):
        terminalreporter.write_line(f"{number} interleavings simulated")


def pytest_collection_finish() -> None:
    """What has been imported stays: the collector need not look through it again and again (8 % of the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def _no_leaks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        leaks.watch(patch)
        misread.watch(patch)
        yield


@pytest.fixture(autouse=True)
def _slack_reads_everything() -> Iterator[None]:
    yield
    misread.check()
