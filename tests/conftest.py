"""What holds for every test.

None sees the targets of the installation in whose repository it runs: they come with it where it is deployed from
(`deploy-lambda.yml` runs the tests there), and a test has its own. And no world that a test builds leaks a secret.
"""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatops import targets
from tests import leaks

targets.PACKED = Path(__file__).parent / "nowhere" / "targets.yaml"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, some for each worker: at the end none is left that one does while the others are idle.

    pytest-xdist's `worksteal` begins with equal parts of the list, each in its order.
    """
    workers, total = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), len(items)
    long = [item for item in items if "/kills/" in item.nodeid]
    rest = iter([item for item in items if "/kills/" not in item.nodeid])
    items[:] = []
    for left in range(workers, 0, -1):
        mine = long[workers - left :: workers]
        items += [*mine, *itertools.islice(rest, max((total - len(items)) // left - len(mine), 0))]
    items += rest


def pytest_collection_finish() -> None:
    """What has been imported stays: the collector need not look through it again and again, a tenth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def _no_leaks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        leaks.watch(patch)
        yield
