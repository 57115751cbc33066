"""One thing that is wrong with an installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.world import World

Environment = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """`apply` brings it about, in the stand-ins or in the settings. `check`: whose matter it is; `subject`: of which
    target or repository (empty: the only one, or all). `says`: what the check's text must name. `grave` false: only a
    warning."""

    name: str
    check: str
    says: str
    apply: Callable[[World, Environment], None]
    subject: str = ""
    grave: bool = True


def sets(**values: str) -> Callable[[World, Environment], None]:
    """Settings that hold these values; an empty one is unset."""

    def apply(_: World, env: Environment) -> None:
        env.update(values)

    return apply


def repository(**values: Any) -> Callable[[World, Environment], None]:
    """The stand-in's repository with these attributes."""

    def apply(world: World, _: Environment) -> None:
        for name, value in values.items():
            setattr(world.github.default_repository, name, value)

    return apply


def grant(**values: Any) -> Callable[[World, Environment], None]:
    """The personal token with these rights."""

    def apply(world: World, _: Environment) -> None:
        world.github.grant = replace(world.github.grant, **values)

    return apply
