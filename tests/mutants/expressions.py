"""DynamoDB's expressions are decisions written in strings: here each of their clauses is a thing to mutate.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

_JOINT = re.compile("( AND | OR )")
_OTHER = {" AND ": " OR ", " OR ": " AND "}
_CLAUSE = re.compile(r"attribute_(not_)?exists\(#\w+\)|#\w+ (=|<>|<|<=|>|>=) :\w+")


def mutated(node: cst.SimpleString) -> Iterator[cst.SimpleString]:
    """A condition with one clause that always holds, one that says the opposite, or the other conjunction; an update
    that leaves one attribute out. Names and values stay in use: DynamoDB refuses what is given and not used."""
    text = node.evaluated_value
    if isinstance(text, str):
        for changed in _update(text) if text.startswith("SET ") else _condition(text):
            yield node.with_changes(value=f'"{changed}"')


def _condition(text: str) -> Iterator[str]:
    parts = _JOINT.split(text)
    if not all(_CLAUSE.fullmatch(clause) for clause in parts[::2]):
        return
    for index, part in enumerate(parts):
        others = [_OTHER[part]] if index % 2 else [f"({part} OR NOT {part})", f"NOT {part}"]
        for other in others:
            yield "".join([*parts[:index], other, *parts[index + 1 :]])


def _update(text: str) -> Iterator[str]:
    for found in re.finditer(r"#(\w+) = ", text):
        yield f"{text[: found.start()]}#elsewhere = {text[found.end() :]}"
