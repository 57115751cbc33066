"""A target that a waiting deployment holds, with two releases behind it and a rollback planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatops.domain.errors import TargetHeld
from chatops.store import locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.far import TARGET, Far, far_ends
from tests.unit.conftest import Time

WAITING, BACK, OTHER = "d-waiting", "d-back", "d-other"
RUN = 9001


@pytest.fixture
def far(rows: Table, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Far:
    return far_ends(rows, environment, time, tmp_path)


@pytest.fixture
def world(far: Far) -> Far:
    """v2 is live, the deployment of v3 holds the target, and a rollback to v1 is planned."""
    far.deploy("d-one", "v1")
    far.deploy("d-two", "v2")
    far.plan(WAITING, version="v3")
    far.plan(BACK, "rollback", "")
    return far


def holder(far: Far) -> Holder:
    found = locks.holder(far.rows, TARGET)
    assert found
    return found


def unclaimed(far: Far) -> None:
    """From now on the target's runs claim nothing."""
    path = far.folder / "targets.yaml"
    path.write_text("targets:\n  dev:\n    claim: false\n    policy: {rollback_approval: false}\n", "utf-8")
    far.patch.setenv("CHATOPS_TARGETS_FILE", str(path))
    far.forget_targets()


def claim(far: Far, name: str = WAITING, stage: str = "deploy") -> None:
    """A run has claimed the stage, and goes on."""
    token, why = stages.claim(far.rows, far.stage(name, stage), RUN, 1)
    assert token, why
    far.running.add(RUN)


def held(far: Far, name: str = BACK) -> TargetHeld:
    """How it is told that the target cannot be had."""
    with pytest.raises(TargetHeld) as caught:
        far.take(name)
    return caught.value
