"""Rows are written as boto3's own serializer writes them, and read as it reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from chatops.store.attributes import decode, encode

PLAIN = (
    st.none()
    | st.booleans()
    | st.text()
    | st.integers(-(10**37), 10**37)
    | (st.floats(1e-90, 1e120) | st.floats(-1e120, -1e-90) | st.just(0.0))
)
VALUES = st.recursive(
    PLAIN | st.sets(st.text(), min_size=1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def theirs(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, list):
        return [theirs(each) for each in value]
    return {name: theirs(each) for name, each in value.items()} if isinstance(value, dict) else value


def numbers(typed: Any) -> Any:
    """The same, with numbers as what they are worth: one has several texts."""
    if isinstance(typed, list):
        return sorted(typed) if typed and isinstance(typed[0], str) else [numbers(each) for each in typed]
    if isinstance(typed, dict):
        return {k: Decimal(v) if k == "N" and isinstance(v, str) else numbers(v) for k, v in typed.items()}
    return typed


@given(st.dictionaries(st.text(), VALUES))
def test_a_row_is_written_as_boto3_writes_it_and_read_as_it_was(row: dict[str, Any]) -> None:
    typed = encode(row)
    assert numbers(typed) == numbers({k: TypeSerializer().serialize(theirs(v)) for k, v in row.items()})
    assert decode(typed) == row
    assert {k: TypeDeserializer().deserialize(v) for k, v in typed.items()} == theirs(row)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("-0.5", -0.5), ("1E+2", 100), ("12.00", 12), ("1e-7", 1e-7)])
def test_a_number_is_int_where_it_is_whole(text: str, number: float) -> None:
    found = decode({"n": {"N": text}})["n"]
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**38 + 1, object(), {1}, b"x"])
def test_what_dynamodb_does_not_keep_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode({"n": value})
    with pytest.raises(TypeError):
        decode({"n": {"B": "eA=="}})
