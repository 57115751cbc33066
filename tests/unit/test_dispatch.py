"""dispatch looks once more before a version goes out."""

from __future__ import annotations

from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Frozen
from chatops.domain.freeze import Weekly
from chatops.domain.plan import Plan
from chatops.domain.target import Target
from chatops.steps import dispatch

ALWAYS = Weekly(frozenset(range(7)), 0, 1440, "UTC", "year-end")
PLAN: dict[str, Any] = {"target": "prod", "version": "v1.2.3"}


def look(plan: dict[str, Any], *windows: Weekly) -> None:
    dispatch._assert_no_freeze(Target("prod", "acme/shop", "prod_deploy", freeze=windows), codec.read(Plan, plan))


def test_a_freeze_that_began_while_the_approval_waited_holds() -> None:
    with pytest.raises(Frozen) as caught:
        look(PLAN, ALWAYS)
    assert caught.value.key == "why_frozen_open"
    assert caught.value.values["note"] == " (year-end)"


def test_without_a_freeze_or_with_the_glass_broken_it_goes_out() -> None:
    look(PLAN)
    look({**PLAN, "break_glass": {"by": "U0LEE0001", "reason": "outage"}}, ALWAYS)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ({}, ""),
        ({"strategy": "canary"}, "canary"),
        ({"strategy": "canary", "pause_at": ("PRE_SCALE_UP", "POST_SCALE_UP")}, "canary+PRE_SCALE_UP,POST_SCALE_UP"),
    ],
)
def test_where_it_pauses_travels_with_the_strategy(
    environment: pytest.MonkeyPatch, target: dict[str, Any], wanted: str
) -> None:
    deployment = Deployment.of({"deployment_id": "d-1", "state": {"plan": {**PLAN, "sha": "4f0c1aa"}}})
    made = dispatch.payload(deployment, "deploy", Target("prod", "acme/shop", "prod_deploy", **target), "t")
    assert made["strategy"] == wanted
    assert len(made) <= 10, "GitHub's limit"
