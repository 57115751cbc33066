"""targets.example.yaml: it loads, it holds every field that there is, and what it says about defaults is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from chatops.domain.errors import InvalidConfiguration
from chatops.domain.freeze import holding
from chatops.domain.target import Policy, Target, Timing
from chatops.messages.english import english_text
from chatops.settings.targets_file import load

EXAMPLE = Path(__file__).resolve().parents[2] / "targets.example.yaml"


@pytest.fixture(scope="module")
def targets() -> dict[str, Target]:
    return load(EXAMPLE, {})


def test_it_loads_with_nothing_else_set_and_has_every_kind_of_target(targets: dict[str, Target]) -> None:
    assert {name: target.kind for name, target in targets.items()} == {
        "dev": "ecs",
        "prod": "ecs",
        "batch": "codedeploy",
        "vm": "none",
    }


def keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from keys(item)


def known_at(path: str, tmp_path: Path) -> set[str]:
    """The fields that the reader itself names when it is given one that it does not know."""
    file = tmp_path / "targets.yaml"
    file.write_text("targets: {prod: {repository: acme/shop, " + path.format("oops: 1") + "}}", "utf-8")
    with pytest.raises(InvalidConfiguration) as refused:
        load(file, {})
    return set(re.split(r", ", english_text(refused.value.faults[0]).partition("known are ")[2]))


@pytest.mark.parametrize(
    "path", ["{}", "ecs: {{{}}}", "codedeploy: {{{}}}", "policy: {{{}}}", "timing: {{{}}}", "freeze: [{{{}}}]"]
)
def test_it_holds_every_field_that_there_is(path: str, tmp_path: Path) -> None:
    found = set(keys(yaml.safe_load(EXAMPLE.read_text("utf-8"))))
    known = known_at(path, tmp_path)
    assert known
    assert known <= found


def test_the_durations_in_it_are_the_defaults(targets: dict[str, Target]) -> None:
    assert targets["prod"].timing == Timing()


def test_the_policy_in_it_is_read_as_its_comments_say(targets: dict[str, Target]) -> None:
    assert targets["prod"].policy == Policy(
        approvers=("U0LEE0001", "U0KIM0001"),
        approver_groups=("S0PLATF01",),
        quorum=2,
        deploy_approval=True,
        rollback_approval=False,
        requesters=("U0DANA001",),
        requester_groups=("S0DEVS001",),
        branches=("main", "release/*"),
        after="dev",
    )
    assert targets["vm"].policy == Policy(), "nobody is asked where nobody is named"


@pytest.mark.parametrize(
    ("wall", "until"),
    [
        ("2026-11-05 12:00", ""),  # a Thursday
        ("2026-11-05 22:00", "2026-11-06 06:00"),
        ("2026-11-06 16:00", "2026-11-09 06:00"),  # the evening, the weekend and Sunday's night are one freeze
        ("2026-12-24 12:00", "2026-12-28 06:00"),
        ("2027-01-01 12:00", "2027-01-04 06:00"),  # a Friday
    ],
)
def test_its_windows_mean_what_they_say(targets: dict[str, Target], wall: str, until: str) -> None:
    zone = ZoneInfo("Asia/Seoul")
    found = holding(targets["prod"].freeze, datetime.fromisoformat(wall).replace(tzinfo=zone).timestamp())
    assert (f"{datetime.fromtimestamp(found.end or 0, zone):%Y-%m-%d %H:%M}" if found else "") == until


def test_every_field_is_explained() -> None:
    """A comment stands on its line, or above the block that it is in."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    names = {f.name for f in (*fields(Policy), *fields(Timing))}
    for line in lines:
        found = re.match(r"      (\w+):", line)
        if found and found[1] in names:
            assert "  # " in line, line
