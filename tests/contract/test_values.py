"""`chatops.values.dataclass` makes what the standard library's makes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from chatops.values import dataclass


def _made(decorate: Callable[..., Any], **named: Any) -> Any:
    class Value:
        number: int
        name: str = "one"
        hidden: str = dataclasses.field(default="h", repr=False)
        aside: int = dataclasses.field(default=0, compare=False)
        items: tuple[str, ...] = dataclasses.field(default_factory=tuple)

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("negative")

    Value.__annotations__ = {**Value.__annotations__}
    return decorate(**named)(Value)


FORMS: list[dict[str, bool]] = [
    {"frozen": frozen, "slots": slots, "repr": shown, "kw_only": kw}
    for frozen in (False, True)
    for slots in (False, True)
    for shown in (False, True)
    for kw in (False, True)
]


def _happens(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - compared
        return type(error)


def _set(one: Any, name: str, value: Any) -> Any:
    setattr(one, name, value)
    return getattr(one, name)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_values_behave_as_the_standard_librarys(form: dict[str, bool]) -> None:
    found = []
    for decorate in (dataclass, dataclasses.dataclass):
        kind = _made(decorate, **form)
        one, same, other, aside = kind(number=1), kind(number=1), kind(number=2), kind(number=1, aside=2)
        found.append(
            [
                *(one == same, one == other, one == aside, one == "one", one != other),
                _happens(lambda one=one, same=same: hash(one) == hash(same)),
                _happens(lambda one=one: hash(one) == hash((1, "one", "h", ()))),
                repr(one) if form["repr"] else repr(one).partition(" at ")[0],
                _happens(lambda one=one: _set(one, "number", 5)),
                _happens(lambda one=one: _set(one, "name", "two")),
                _happens(lambda one=one: _set(one, "nothing", 1)) is not None,
                _happens(lambda one=one: delattr(one, "name")),
                dataclasses.asdict(dataclasses.replace(other, name="three")),
                copy.deepcopy(other) == other == copy.copy(other),
                *(_happens(lambda given=given, kind=kind: kind(**given)) for given in ({}, {"number": -1}, {"x": 1})),
                _happens(lambda kind=kind: kind(1).number),
                hasattr(one, "__dict__"),
            ]
        )
    assert found[0] == found[1]


@dataclass(frozen=True, slots=True)
class Kept:
    """At the module's level, as pickle wants it."""

    name: str
    size: int = 0


def test_values_can_be_pickled_and_stay_frozen() -> None:
    found = pickle.loads(pickle.dumps(Kept("a", 2)))  # noqa: S301 - our own
    assert found == Kept("a", 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.name = "b"


def test_a_method_of_the_class_itself_stays() -> None:
    @dataclass(frozen=True)
    class Own:
        name: str

        def __repr__(self) -> str:
            return "own"

    assert repr(Own("a")) == "own"
