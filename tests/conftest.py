"""What holds for every test.

None sees the targets of the installation in whose repository it runs: they come with it where it is deployed from
(`deploy-lambda.yml` runs the tests there), and a test has its own. And no world that a test builds leaks a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatops import targets
from tests import leaks

targets.PACKED = Path(__file__).parent / "nowhere" / "targets.yaml"


@pytest.fixture(scope="session", autouse=True)
def _no_leaks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        leaks.watch(patch)
        yield
