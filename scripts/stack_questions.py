"""What `make deploy` asks at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.stack_parameters import Unusable, checked, declared, missing

TARGETS = Path(__file__).resolve().parents[1] / "lambdas/shared/targets.yaml"
FIRST = ("EcsClusterName", "EcsServiceName", "SlackChannelId", "SlackApprovers", "Language", "AlarmEmail")
"""What a first deployment asks besides what has no default. Everything else has a default that is usually right."""
_OF_THE_ONE_TARGET = ("EcsClusterName", "EcsServiceName")
"""Not asked where targets.yaml names the targets."""
_HINT = "Enter takes what stands in brackets, - means empty."


def wanted(known: Mapping[str, str], given: Mapping[str, str], *, new: bool, everything: bool) -> list[str]:
    """The parameters to ask for, in the template's order. What was given is never asked."""
    first = set(FIRST) - (set(_OF_THE_ONE_TARGET) if TARGETS.is_file() else set()) if new else set()
    first |= set(missing(known)) | (set(declared()) if everything else set())
    return [name for name in declared() if name in first and name not in given]


def answers(names: list[str], known: Mapping[str, str], ask: Callable[[str], str]) -> dict[str, str]:
    """What a person answers that differs from what is `known` (else from the default). Asks again until an answer can
    be used. Raises EOFError where nobody answers.
    """
    made = {}
    if names:
        print(_HINT)
    for name in names:
        rules = declared()[name]
        allowed = [str(each) or "(empty)" for each in rules.get("AllowedValues", [])]
        print(f"\n{rules['Description']}{' One of ' + ', '.join(allowed) + '.' if allowed else ''}")
        before = known.get(name, str(rules["Default"]) if "Default" in rules else None)
        value = _answer(name, before, ask)
        if value != before:
            made[name] = value
    return made


def _answer(name: str, before: str | None, ask: Callable[[str], str]) -> str:
    """One usable answer; `before` is what Enter takes, None where there is nothing to take."""
    while True:
        typed = ask(f"{name}{'' if before is None else f' [{before}]'}: ").strip()
        if not typed and before is not None:
            return before
        try:
            return checked(name, "" if typed == "-" else typed)
        except Unusable as problem:
            print(problem)
