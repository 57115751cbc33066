"""Races need all of the bot's store and steps, one table, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatops.store.table import Table
from tests.faults.memory import Memory
from tests.faults.races.fakes import Fake, far_ends
from tests.unit.conftest import Time


@pytest.fixture
def fake(rows: Table, memory: Memory, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Fake:
    made = far_ends(rows, environment, time, tmp_path)
    made.memory = memory
    return made
