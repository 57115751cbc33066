"""What may follow what, as a definition (Amazon States Language) says it, with its conditions in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Edge:
    """One transition. `catch`: only an error leads this way. `when`: the Choice's rules, or the errors, in words."""

    source: str
    target: str
    catch: bool
    when: str


def edges(states: Mapping[str, dict[str, Any]]) -> list[Edge]:
    """Every transition once, in the definition's order; what is reached with and without an error counts as without."""
    ways: dict[tuple[str, str], tuple[bool, list[str]]] = {}

    def add(source: str, target: str, catch: bool, when: str) -> None:
        known = ways.setdefault((source, target), (catch, []))
        if known[0] == catch and when:
            known[1].append(when)

    for name, state in states.items():
        for rule in state.get("Choices", []):
            add(name, rule["Next"], False, condition(rule))
        if "Default" in state:
            add(name, state["Default"], False, "otherwise")
        if "Next" in state:
            add(name, state["Next"], False, "")
        for catcher in state.get("Catch", []):
            add(name, catcher["Next"], True, ", ".join(catcher["ErrorEquals"]))
    return [Edge(a, b, catch, " or ".join(when)) for (a, b), (catch, when) in ways.items()]


def inside(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The states in a phase (a `Parallel` state); none in any other. Names are unique in the whole machine."""
    return {name: one for branch in state.get("Branches", []) for name, one in branch["States"].items()}


def around(name: str, state: Mapping[str, Any]) -> list[Edge]:
    """How a phase is entered, from its frame to where each branch begins, and how it is left: from its ends."""
    entered = [Edge(name, branch["StartAt"], False, "") for branch in state.get("Branches", [])]
    ends = [end for end, one in inside(state).items() if one["Type"] == "Succeed" or one.get("End")]
    return entered + [Edge(end, name, False, "") for end in ends]


def condition(rule: Mapping[str, Any]) -> str:
    """A Choice rule in words a person reads: `$.poll.state = "succeeded" and not …`."""
    for word, joint in (("And", " and "), ("Or", " or ")):
        if word in rule:
            return joint.join(condition(one) for one in rule[word])
    if "Not" in rule:
        return f"not ({condition(rule['Not'])})"
    if "Condition" in rule:
        return str(rule["Condition"])
    variable = str(rule.get("Variable", "")).removeprefix("$.")
    return next((_compared(variable, k, v) for k, v in rule.items() if k not in ("Variable", "Next", "Comment")), "")


SIGNS = {
    "Equals": "=",
    "EqualsPath": "=",
    "LessThan": "<",
    "GreaterThan": ">",
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
}


def _compared(variable: str, comparison: str, value: Any) -> str:
    if comparison.startswith("Is"):
        return f"{variable} is {'' if value else 'not '}{comparison[2:].lower()}"
    for kind in ("String", "Numeric", "Boolean", "Timestamp"):
        if comparison.startswith(kind):
            rest = comparison.removeprefix(kind)
            return f"{variable} {SIGNS.get(rest, rest.lower())} {json.dumps(value)}"
    return f"{variable} {comparison} {json.dumps(value)}"
