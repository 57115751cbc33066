"""JSON to the classes of this package and back, and the version of what is stored.

`read(Plan, found)` decodes a JSON object as a dataclass, `as_json(plan)` encodes it. A class's annotations say how:
str, int, float, bool, tuples and mappings of them, other dataclasses, classes with `from_json` and `as_json`; each may
be None. Fields that are missing or null get their defaults, unknown ones are ignored; fields that are None are not
written, unless their metadata say how: `none` stands for None, the members of `some` are added to an object.

Every table row, plan and execution input carries the number of the schema that wrote it. The current number passes
unchanged; an older one is brought up by pure steps, one a number; a number that no step leads from (newer, or unknown)
raises UnknownSchema and changes nothing.

To change what is written: raise `SCHEMA`, add the step from the number before to the mapping it concerns, and keep
samples of the old number in `tests/samples/schema-<number>/`. Releases never expire, so no step is ever removed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from chatops.domain.errors import UnknownSchema

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA = 1
"""The version of execution inputs, plans and table rows."""

Json = dict[str, Any]
_Class = TypeVar("_Class", bound="DataclassInstance")
_Reader = Callable[[Any], Any]
Steps = Mapping[int, Callable[[Json], Json]]
"""From a number, the pure function that returns the same data as the next number writes it."""

_ROWS: Steps = {}
_PLANS: Steps = {}
_REQUESTS: Steps = {}


def upgraded(found: Mapping[str, Any], place: str, steps: Steps, current: int = SCHEMA) -> Json:
    """A copy of `found` as schema `current` writes it. Data without a number counts as current: a person typed it.
    Raises UnknownSchema, which names `place`, where `steps` do not lead from its number to `current`."""
    number = found.get("schema", current)
    if isinstance(number, bool) or not isinstance(number, int):
        raise _unknown(place, repr(number), steps, current)
    if number > current or any(n not in steps for n in range(number, current)):
        raise _unknown(place, str(number), steps, current)
    made = dict(found)
    for n in range(number, current):
        made = {**steps[n](made), "schema": n + 1}
    return made


def _unknown(place: str, number: str, steps: Steps, current: int) -> UnknownSchema:
    oldest = min(steps, default=current)
    return UnknownSchema(place, number[:20], f"{oldest}-{current}" if oldest < current else str(current))


def row(found: Mapping[str, Any]) -> Json:
    """A row of the table as this version writes it. Raises UnknownSchema."""
    pk, sk = str(found.get("pk", "")), str(found.get("sk", ""))
    # a ticket's key is its hash; which deployment a row of the target's belongs to stands in its sk
    place = sk if pk.startswith(("TICKET#", "TARGET#")) else f"{pk.rpartition('#')[2]} {sk}"
    return upgraded(found, place, _ROWS)


def plan(found: Mapping[str, Any]) -> Json:
    """A plan, from the state or a record, as this version makes it. Raises UnknownSchema."""
    return upgraded(found, "plan", _PLANS)


def request(found: Mapping[str, Any]) -> Json:
    """An execution's input. Raises UnknownSchema."""
    return upgraded(found, "input", _REQUESTS)


def read(kind: type[_Class], found: object) -> _Class:
    """The JSON object `found` as a `kind`; with nothing but defaults where it is no object."""
    given = found if isinstance(found, Mapping) else {}
    known = {name: convert(given[name]) for name, convert in _readers(kind) if given.get(name) is not None}
    return kind(**known) if known else _nothing(kind)


@cache
def _nothing(kind: type[_Class]) -> _Class:
    """Kept, as it never changes: most phases of a state have no result yet."""
    return kind()


def as_json(value: DataclassInstance) -> Json:
    """The dataclass `value` as a JSON object."""
    made: Json = {}
    for one in fields(value):
        found = getattr(value, one.name)
        if found is not None:
            made[one.name] = _plain(found, one.metadata.get("some"))
        elif "none" in one.metadata:
            made[one.name] = dict(one.metadata["none"])
    return made


def over(before: _Class, after: _Class) -> _Class:
    """`after` with the fields of `before` where its own are None and so would not be written."""
    return read(type(after), {**as_json(before), **as_json(after)})


def _plain(value: Any, some: Mapping[str, Any] | None = None) -> Any:
    if hasattr(value, "as_json"):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {**(some or {}), **as_json(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


@cache
def _readers(kind: type[DataclassInstance]) -> tuple[tuple[str, _Reader], ...]:
    known = vars(sys.modules[kind.__module__])
    return tuple((one.name, _reader(str(one.type), known, one.metadata.get("none"))) for one in fields(kind))


_PLAIN: dict[str, _Reader] = {"str": str, "int": int, "float": float, "bool": bool}


def _reader(annotation: str, known: Mapping[str, Any], none: Json | None) -> _Reader:
    """What converts the JSON of a field with this annotation; `none`: the JSON that stands for None."""
    name = annotation.removesuffix(" | None")
    if name in _PLAIN:
        return _PLAIN[name]
    if name.startswith("tuple["):
        each = _reader(name[len("tuple[") : -len(", ...]")], known, None)
        return lambda value: tuple(each(one) for one in value)
    if name == "Json" or name.startswith("Mapping["):
        return dict
    kind: Any = known[name]
    own: _Reader | None = getattr(kind, "from_json", None)
    if own is not None:
        return own
    if none is None:
        return lambda value: read(kind, value)
    return lambda value: None if not value or value == none else read(kind, value)
