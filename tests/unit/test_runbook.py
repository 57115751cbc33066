"""docs/runbook.md has an entry for each end and each alarm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.runtime.intrinsics import load_yaml
from tests.definition import TOP

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "runbook.md").read_text("utf-8")
ENTRIES = {name.strip() for line in re.findall(r"^### (.+)$", PAGE, re.MULTILINE) for name in line.split(",")}


def ends() -> list[str]:
    return [name for name, state in TOP.items() if state["Type"] in ("Succeed", "Fail")]


def alarms() -> list[str]:
    resources = load_yaml((ROOT / "template.yaml").read_text("utf-8"))["Resources"]
    described = [r["Properties"]["AlarmDescription"] for r in resources.values() if r["Type"].endswith("::Alarm")]
    return [text.rpartition("Runbook: ")[2] for text in described]


@pytest.mark.parametrize("name", [*ends(), "Stopped", *alarms()])
def test_somebody_who_meets_it_finds_its_entry(name: str) -> None:
    assert name in ENTRIES


def test_nothing_is_explained_that_no_longer_exists() -> None:
    assert {*ends(), "Stopped", *alarms()} == ENTRIES
