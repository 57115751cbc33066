"""A target that a waiting deployment holds, with two releases behind it and a rollback planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatops.domain.errors import TargetHeld
from chatops.store import locks, stages
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.fakes import TARGET, Fake, far_ends
from tests.unit.conftest import Time

WAITING, BACK, OTHER = "d-waiting", "d-back", "d-other"
RUN = 9001


@pytest.fixture
def fake(rows: Table, environment: pytest.MonkeyPatch, time: Time, tmp_path: Path) -> Fake:
    return far_ends(rows, environment, time, tmp_path)


@pytest.fixture
def session(fake: Fake) -> Fake:
    """v2 is live, the deployment of v3 holds the target, and a rollback to v1 is planned."""
    fake.deploy("d-one", "v1")
    fake.deploy("d-two", "v2")
    fake.plan(WAITING, version="v3")
    fake.plan(BACK, "rollback", "")
    return fake


def holder(fake: Fake) -> Holder:
    found = locks.holder(fake.rows, TARGET)
    assert found
    return found


def unclaimed(fake: Fake) -> None:
    """From now on the target's runs claim nothing."""
    path = fake.folder / "targets.yaml"
    path.write_text("targets:\n  dev:\n    claim: false\n    policy: {rollback_approval: false}\n", "utf-8")
    fake.patch.setenv("CHATOPS_TARGETS_FILE", str(path))
    fake.forget_targets()


def claim(fake: Fake, name: str = WAITING, stage: str = "deploy") -> None:
    """A run has claimed the stage, and goes on."""
    fake.stage(name, stage)
    assert stages.claim(fake.rows, name, stage, RUN) == ""
    fake.running.add(RUN)


def held(fake: Fake, name: str = BACK) -> TargetHeld:
    """How it is told that the target cannot be had."""
    with pytest.raises(TargetHeld) as caught:
        fake.take(name)
    return caught.value
