"""One thing that is wrong with an installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.session import Session

Environment = dict[str, str]


@dataclass(frozen=True)
class Fault:
    """`apply` brings it about, in the fakes or in the settings. `check`: whose matter it is; `subject`: of which
    target or repository (empty: the only one, or all). `says`: what the check's text must name. `grave` false: only a
    warning."""

    name: str
    check: str
    says: str
    apply: Callable[[Session, Environment], None]
    subject: str = ""
    grave: bool = True


def sets(**values: str) -> Callable[[Session, Environment], None]:
    """Settings that hold these values; an empty one is unset."""

    def apply(_: Session, env: Environment) -> None:
        env.update(values)

    return apply


def repository(**values: Any) -> Callable[[Session, Environment], None]:
    """The fake's repository with these attributes."""

    def apply(session: Session, _: Environment) -> None:
        for name, value in values.items():
            setattr(session.github.default_repository, name, value)

    return apply


def grant(**values: Any) -> Callable[[Session, Environment], None]:
    """The personal token with these rights."""

    def apply(session: Session, _: Environment) -> None:
        session.github.grant = replace(session.github.grant, **values)

    return apply
