"""DynamoDB's condition and update expressions, on items in its own typed form (`{"S": "text"}`): what
`chatops.store` writes in them, and no more. Anything else is an AssertionError, never a wrong answer.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]
_WORD = re.compile(r"\s*(<>|<=|>=|[=<>(),+-]|[#:]?\w+)")


@dataclass(frozen=True)
class Given:
    """ExpressionAttributeNames and ExpressionAttributeValues."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    def name(self, word: str) -> str:
        return self.names[word] if word.startswith("#") else word


Operand = Callable[[Item, Given], Value | None]
Condition = Callable[[Item, Given], bool]
Change = Callable[[Item, Item, Given], None]
"""Takes the item as it was, the item as it will be (which it changes), and what is given."""


class _Words:
    def __init__(self, text: str) -> None:
        self._words = _WORD.findall(text)
        assert "".join(self._words) == re.sub(r"\s", "", text), f"not understood: {text}"
        self._text, self._at = text, 0

    @property
    def next(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def take(self, *wanted: str) -> str:
        found = self.next
        assert found, f"ends too early: {self._text}"
        assert not wanted or found.upper() in wanted, f"not understood: {found} in {self._text}"
        self._at += 1
        return found

    def took(self, word: str) -> bool:
        if self.next.upper() == word:
            self._at += 1
            return True
        return False


@lru_cache(maxsize=256)
def condition(text: str) -> Condition:
    """Whether it holds for an item ({} where there is none)."""
    words = _Words(text)
    made = _either(words)
    assert not words.next, f"not understood: {words.next} in {text}"
    return made


def _either(words: _Words) -> Condition:
    parts = [_both(words)]
    while words.took("OR"):
        parts.append(_both(words))
    return parts[0] if len(parts) == 1 else lambda item, given: any(one(item, given) for one in parts)


def _both(words: _Words) -> Condition:
    parts = [_one(words)]
    while words.took("AND"):
        parts.append(_one(words))
    return parts[0] if len(parts) == 1 else lambda item, given: all(one(item, given) for one in parts)


def _one(words: _Words) -> Condition:
    if words.took("NOT"):
        inner = _one(words)
        return lambda item, given: not inner(item, given)
    if words.took("("):
        grouped = _either(words)
        words.take(")")
        return grouped
    if words.next in _TESTS:
        test = _TESTS[words.take()]
        words.take("(")
        left = _operand(words)
        right = _operand(words) if words.took(",") else _nothing
        words.take(")")
        return lambda item, given: test(left(item, given), right(item, given))
    left, compare, right = _operand(words), _COMPARE[words.take(*_COMPARE)], _operand(words)
    return lambda item, given: compare(left(item, given), right(item, given))


def _nothing(_: Item, __: Given) -> Value | None:
    return None


def _operand(words: _Words) -> Operand:
    word = words.take()
    assert word[0] in "#:" or re.fullmatch(r"[a-z]\w*", word), f"not understood: {word}"
    if word.startswith(":"):
        return lambda _, given: given.values[word]
    return lambda item, given: item.get(given.name(word))


def number(value: Value) -> Decimal:
    return Decimal(value["N"])


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value | None], bool]:
    """A comparison of two numbers or two texts; of anything else it is false."""

    def compare(left: Value | None, right: Value | None) -> bool:
        if not left or not right or left.keys() != right.keys() or not left.keys() <= {"N", "S"}:
            return False
        return test(number(left), number(right)) if "N" in left else test(left["S"].encode(), right["S"].encode())

    return compare


def same(left: Value | None, right: Value | None) -> bool:
    """Numbers are equal by their value, sets in any order, all else as it stands."""
    if left is None or right is None or left.keys() != right.keys():
        return False
    if "N" in left:
        return number(left) == number(right)
    if "SS" in left:
        return set(left["SS"]) == set(right["SS"])
    return left == right


_COMPARE: dict[str, Callable[[Value | None, Value | None], bool]] = {
    "=": same,
    "<>": lambda left, right: not same(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}
_TESTS: dict[str, Callable[[Value | None, Value | None], bool]] = {
    "attribute_exists": lambda value, _: value is not None,
    "attribute_not_exists": lambda value, _: value is None,
    "begins_with": lambda value, start: bool(value and start and value.get("S", "").startswith(start.get("S", "\0"))),
}


@lru_cache(maxsize=256)
def update(text: str) -> Change:
    """What an UpdateExpression does to an item."""
    words, changes = _Words(text), list[Change]()
    while words.next:
        clause = _CLAUSES[words.take(*_CLAUSES).upper()]
        changes.append(clause(words))
        while words.took(","):
            changes.append(clause(words))

    def change(old: Item, new: Item, given: Given) -> None:
        for one in changes:
            one(old, new, given)

    return change


def _set(words: _Words) -> Change:
    name = words.take()
    words.take("=")
    value = _value(words)

    def change(old: Item, new: Item, given: Given) -> None:
        found = value(old, given)
        assert found is not None, "DynamoDB refuses to set an attribute to one that is not there"
        new[given.name(name)] = found

    return change


def _value(words: _Words) -> Operand:
    if words.next != "if_not_exists":
        return _operand(words)
    words.take()
    words.take("(")
    kept = _operand(words)
    words.take(",")
    default = _operand(words)
    words.take(")")

    def choose(item: Item, given: Given) -> Value | None:
        found = kept(item, given)
        return default(item, given) if found is None else found

    return choose


def _remove(words: _Words) -> Change:
    name = words.take()
    return lambda _, new, given: new.pop(given.name(name), None) and None


def _add(words: _Words) -> Change:
    """To a number, or to a set of texts."""
    name, value = words.take(), _operand(words)

    def change(old: Item, new: Item, given: Given) -> None:
        more, known = value(old, given), old.get(given.name(name))
        assert more is not None
        assert more.keys() <= {"N", "SS"}, "ADD is for numbers and sets"
        assert known is None or known.keys() == more.keys(), "ADD to an attribute of another type"
        if "N" in more:
            new[given.name(name)] = {"N": str(number(more) + (number(known) if known else 0))}
        else:
            new[given.name(name)] = {"SS": sorted({*more["SS"], *(known["SS"] if known else ())})}

    return change


_CLAUSES: dict[str, Callable[[_Words], Change]] = {"SET": _set, "REMOVE": _remove, "ADD": _add}
