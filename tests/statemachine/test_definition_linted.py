"""The definition, and what the embedded engine refuses of one, against a linter that nobody here wrote: statelint, the
port of AWS Labs' own (https://github.com/awslabs/statelint)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from statelint.linter import Linter

from local.engine import definitions

ROOT = Path(__file__).resolve().parents[2]
TEXT = re.sub(
    r"\$\{(\w+)\}",
    r"arn:aws:lambda:us-east-1:123456789012:function:\1:1",
    (ROOT / "statemachine" / "deploy.asl.json").read_text("utf-8"),
)
Machine = dict[str, Any]
Break = Callable[[Machine], object]


def linted(machine: Machine) -> list[str]:
    found: list[str] = Linter.validate(json.dumps(machine))
    return found


def machine() -> Machine:
    found: Machine = json.loads(TEXT)
    return found


def boxed() -> Machine:
    """The definition inside a branch, as a box of it would be: every state one level down."""
    branch = {key: value for key, value in machine().items() if key != "TimeoutSeconds"}
    box = {"Type": "Parallel", "Branches": [branch], "Next": "Box Done"}
    return {"StartAt": "Box", "States": {"Box": box, "Box Done": {"Type": "Succeed"}}}


def inner(found: Machine) -> Machine:
    return found["States"]["Box"]["Branches"][0] if "Box" in found["States"] else found


BREAKS: dict[str, Break] = {
    "a state that nothing leads to": lambda m: m["States"].update({"Nobody": {"Type": "Succeed"}}),
    "two that lead to each other alone": lambda m: m["States"].update(
        {"Ring": {"Type": "Pass", "Next": "Round"}, "Round": {"Type": "Pass", "Next": "Ring"}}
    ),
    "a Next that leads nowhere": lambda m: m["States"]["Plan"].update(Next="Nowhere"),
    "a Default that leads nowhere": lambda m: m["States"]["Planned?"].update(Default="Nowhere"),
    "a Catch that leads nowhere": lambda m: m["States"]["Plan"]["Catch"][0].update(Next="Nowhere"),
    "a rule that leads nowhere": lambda m: m["States"]["Planned?"]["Choices"][0].update(Next="Nowhere"),
    "a StartAt that leads nowhere": lambda m: m.update(StartAt="Nowhere"),
    "a Choice that ends": lambda m: m["States"]["Planned?"].update(End=True),
    "a Choice with a Next": lambda m: m["States"]["Planned?"].update(Next="Settle"),
    "an end with a Next": lambda m: m["States"]["Deployed"].update(Next="Settle"),
    "a failure that ends": lambda m: m["States"]["Deploy Failed"].update(End=True),
    "a Task without an end": lambda m: m["States"]["Plan"].pop("Next"),
    "a Task with both": lambda m: m["States"]["Plan"].update(End=True),
    "a name twice": lambda m: m["States"].update(
        {"Announce": {"Type": "Parallel", "Branches": [_named("Plan")], "Next": "Planned?"}}
    ),
}


def _named(name: str) -> Machine:
    return {"StartAt": name, "States": {name: {"Type": "Succeed"}}}


def test_the_definition_is_right() -> None:
    assert linted(machine()) == linted(boxed()) == []
    assert definitions.problems(machine()) == definitions.problems(boxed()) == []


@pytest.mark.parametrize("made", [machine, boxed], ids=["top", "branch"])
@pytest.mark.parametrize("name", BREAKS)
def test_the_engine_refuses_what_the_linter_refuses(name: str, made: Callable[[], Machine]) -> None:
    found = made()
    BREAKS[name](inner(found))
    assert linted(found)
    assert definitions.problems(found)


def _less(found: Machine) -> Iterator[tuple[str, Machine]]:
    """Each state led past: whatever led to it leads to Settle instead."""
    for name in found["States"]:
        text = json.dumps(found)
        for key in ("Next", "Default"):
            text = text.replace(f'"{key}": "{name}"', f'"{key}": "Settle"')
        yield name, json.loads(text)


@pytest.mark.slow
def test_both_agree_about_each_state_that_is_led_past() -> None:
    for name, found in _less(machine()):
        assert bool(linted(found)) is bool(definitions.problems(found)), name
