"""Which platform a target has."""

from __future__ import annotations

from collections.abc import Callable

from chatops.domain.target import Target
from chatops.platforms.codedeploy import CodeDeploy
from chatops.platforms.ecs import Ecs
from chatops.platforms.pipeline import Pipeline
from chatops.platforms.platform import Platform

PlatformOf = Callable[[Target], Platform]

_BY_KIND: dict[str, type[Platform]] = {
    "ecs": Ecs,
    "codedeploy": CodeDeploy,
    "none": Pipeline,
}


def platform(target: Target) -> Platform:
    """The target's platform."""
    return _BY_KIND[target.kind](target)


def of_kind(kind: str) -> type[Platform]:
    """The class of a plan's `kind`; Pipeline for a kind that isn't known (a plan that was refused has none)."""
    return _BY_KIND.get(kind, Pipeline)
