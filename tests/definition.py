"""The state machine's definition as the tests read it: every level of it, and all of its states by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

State = dict[str, Any]

MACHINE: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[1] / "statemachine" / "deploy.asl.json").read_text("utf-8")
)
TOP: dict[str, State] = MACHINE["States"]
BOXES = {name: state for name, state in TOP.items() if state["Type"] == "Parallel"}


def branch(box: str) -> dict[str, Any]:
    """What is inside a box: `StartAt` and `States`."""
    (only,) = BOXES[box]["Branches"]
    found: dict[str, Any] = only
    return found


LEVELS: dict[str, dict[str, Any]] = {"top": MACHINE, **{box: branch(box) for box in BOXES}}
STATES: dict[str, State] = {name: state for level in LEVELS.values() for name, state in level["States"].items()}
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
TOKENS = {name: state for name, state in TASKS.items() if state["Resource"].endswith(".waitForTaskToken")}


def following(state: State) -> Iterator[str]:
    """Every state of the same level that may come next."""
    ways = [state.get("Next"), state.get("Default")]
    ways += [one["Next"] for one in (*state.get("Choices", []), *state.get("Catch", []))]
    return (name for name in ways if name)


def reachable(states: Mapping[str, State], start: str, without: frozenset[str] = frozenset()) -> set[str]:
    """The states of a level that can be reached from `start` without passing one of `without`."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name in seen or name in without:
            continue
        seen.add(name)
        todo += following(states[name])
    return seen
