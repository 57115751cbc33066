"""What AWS refuses of a definition before anything runs, as far as moto's parser takes it.

https://states-language.net/spec.html#states-fields and #transitions; AWS answers InvalidDefinition, and the words for
what leads nowhere and for what nothing leads to are its own: MISSING_TRANSITION_TARGET.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ENDS_ITSELF = ("Choice", "Succeed", "Fail")
"""Types that have neither `Next` nor `End`; the others have exactly one of them."""


def problems(machine: dict[str, Any]) -> list[str]:
    """What is wrong with the machine, branches and iterators included; nothing for a machine that AWS takes."""
    names: list[str] = []
    found = list(_level(machine, "", names))
    twice = sorted({name for name in names if names.count(name) > 1})
    return found + [f"DUPLICATE_STATE_NAME: {name}" for name in twice]


def _level(machine: dict[str, Any], place: str, names: list[str]) -> Iterator[str]:
    states: dict[str, Any] = machine.get("States") or {}
    names += states
    start = machine.get("StartAt")
    if start not in states:
        yield f"MISSING_TRANSITION_TARGET: StartAt {start} at {place}/"
    for name, state in states.items():
        here = f"{place}/States/{name}"
        for target in transitions(state):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: {target} at {here}"
        yield from _ending(state, here)
        for inner in _inside(state):
            yield from _level(inner, here, names)
    for name in states.keys() - _reachable(states, str(start)):
        yield f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable at {place}/'


def transitions(state: dict[str, Any]) -> list[str]:
    """Every state that may come next."""
    rules = [rule for key in ("Choices", "Catch") for rule in state.get(key) or []]
    found = [state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in rules)]
    return [name for name in found if name is not None]


def _ending(state: dict[str, Any], here: str) -> Iterator[str]:
    given = [key for key in ("Next", "End") if key in state]
    if state.get("Type") in _ENDS_ITSELF and given:
        yield f"SCHEMA_VALIDATION_FAILED: a {state['Type']} has no {given[0]} at {here}"
    if state.get("Type") not in _ENDS_ITSELF and len(given) != 1:
        yield f"SCHEMA_VALIDATION_FAILED: Next or End, and one of them, at {here}"


def _inside(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(state.get("Branches") or []), *(state[key] for key in ("Iterator", "ItemProcessor") if key in state)]


def _reachable(states: dict[str, Any], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in states and name not in seen:
            seen.add(name)
            todo += transitions(states[name])
    return seen
