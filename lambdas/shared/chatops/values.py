"""`dataclass` as the standard library has it, for a third of what that takes at a start.

The standard library compiles six methods for each class, half a millisecond: of the first call of a step that reads
sixty classes, two fifths. Here it compiles `__init__`; the other methods are the same functions for all classes.
`order`, `unsafe_hash` and `weakref_slot` are not there.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
        repr: bool = True,  # noqa: A002 - the standard library's name
    ) -> Any:
        """Raises TypeError for another parameter."""

        def made(one: type) -> type:
            own = set(vars(one))
            found = dataclasses.dataclass(one, repr=False, eq=False, slots=slots, kw_only=kw_only)
            methods = {
                "__eq__": _equal,
                "__hash__": _hashed if frozen else None,
                **({"__repr__": _shown} if repr else {}),
            }
            if frozen:
                methods |= {"__setattr__": _kept, "__delattr__": _refused}
            for name, method in methods.items():
                if name not in own:
                    setattr(found, name, method)
            return found

        return made if cls is None else made(cls)


def _compared(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, field.name) for field in dataclasses.fields(one) if field.compare)


def _equal(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _hashed(self: Any) -> int:
    return hash(_compared(self))


def _shown(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _kept(self: Any, name: str, value: object) -> None:
    """A field is set once, by `__init__`."""
    if name not in self.__dataclass_fields__ or _is_set(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _is_set(self: Any, name: str) -> bool:
    if hasattr(self, "__dict__"):  # a default is the class's
        return name in vars(self)
    return hasattr(self, name)


def _refused(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
