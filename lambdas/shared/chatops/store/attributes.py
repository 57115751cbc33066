"""Plain dicts as DynamoDB's typed attributes, and back.

boto3 has the same, but only with all of boto3, which takes longer to import than a step to run; a test compares.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
_DIGITS = 38


def encode(item: Mapping[str, Any]) -> Item:
    """A plain dict as DynamoDB's typed attributes. Raises TypeError for what has none, ValueError for a number that
    DynamoDB does not keep as it is."""
    return {name: _typed(value) for name, value in item.items()}


def decode(item: Mapping[str, Any]) -> Item:
    """The other way round; numbers become int where they are whole."""
    return {name: _plain(value) for name, value in item.items()}


def _typed(value: Any) -> Item:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float):
        return {"N": _number(value)}
    if isinstance(value, Mapping):
        return {"M": encode(value)}
    if isinstance(value, list | tuple):
        return {"L": [_typed(each) for each in value]}
    if isinstance(value, set) and value and all(isinstance(each, str) for each in value):
        return {"SS": list(value)}
    raise TypeError(f"DynamoDB has no attribute for a {type(value).__name__}")


def _number(value: float) -> str:
    text = str(value)
    digits = text.partition("e")[0].lstrip("-").replace(".", "").strip("0")
    if len(digits) > _DIGITS or (not digits.isdigit() and digits):
        raise ValueError(f"DynamoDB keeps no number like {text[:50]}")
    return text


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, found),) = value.items()
    if kind == "N":
        number = int(found) if found.lstrip("-").isdigit() else float(found)
        return int(number) if number == int(number) else number
    if kind == "M":
        return decode(found)
    if kind == "L":
        return [_plain(each) for each in found]
    if kind == "NULL":
        return None
    if kind in ("S", "BOOL"):
        return found
    if kind == "SS":
        return set(found)
    raise TypeError(f"nothing here writes an attribute of the type {kind}")
