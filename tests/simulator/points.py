"""Where something goes wrong, and the plans of it: one place, or two, of one scenario.

A point is text, so that a failure can be played again by its name:

    dispatch:build#1/GitHub.POST.dispatches#1/after

the first invocation of the step `dispatch:build`, its first call of that name: the process dies after GitHub has taken
it. An interleaving is a scenario and its points: `approved@<point>+<point>`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

DEATHS = ("before", "after")
"""The process dies before the call is sent, or after it was carried out and before the reply comes."""
FAULTS = ("lost", "again", "throttle", "error")
"""`lost`: carried out, and the reply is lost. `again`: that, and the SDK sends the same request again (AWS's only).
`throttle`: refused, asked to wait. `error`: the service fails, nothing is carried out."""
MEANWHILE = ("sweep", "cancel", "press")
"""Right before the call, `sweep` runs; somebody cancels the deployment; or presses the button that is offered."""
_POINT = re.compile(r"(?P<step>[\w:]+)#(?P<turn>\d+)/(?P<call>[^#/]+)#(?P<nth>\d+)/(?P<what>[a-z]+)")
AWS = ("DynamoDB.", "States.", "ECS.", "CodeDeploy.")

Record = Sequence[tuple[str, int, Sequence[str]]]
"""What a play without faults did: (step, which invocation of it, the names of its calls), in order."""


@dataclass(frozen=True)
class Point:
    """At the `nth` call of that name in invocation `turn` of the step, `what` happens."""

    step: str
    turn: int
    call: str
    nth: int
    what: str

    def __str__(self) -> str:
        return f"{self.step}#{self.turn}/{self.call}#{self.nth}/{self.what}"


@dataclass(frozen=True)
class Plan:
    """One interleaving."""

    scenario: str
    points: tuple[Point, ...] = ()

    def __str__(self) -> str:
        return f"{self.scenario}@{'+'.join(map(str, self.points))}"

    def has(self, *what: str) -> bool:
        return any(point.what in what for point in self.points)


def plan(text: str) -> Plan:
    """Read it back. Raises ValueError for what isn't one."""
    scenario, _, points = text.partition("@")
    return Plan(scenario, tuple(point(one) for one in points.split("+") if one))


def point(text: str) -> Point:
    """Read it back. Raises ValueError for what isn't one."""
    found = _POINT.fullmatch(text)
    if not found or found["what"] not in (*DEATHS, *FAULTS, *MEANWHILE):
        raise ValueError(f"{text!r} is not a point: step#turn/call#nth/{'|'.join((*DEATHS, *FAULTS, *MEANWHILE))}")
    return Point(found["step"], int(found["turn"]), found["call"], int(found["nth"]), found["what"])


def calls(record: Record) -> list[Point]:
    """Every call that was made, in order, with a death before it."""
    found = []
    for step, turn, names in record:
        for at, name in enumerate(names):
            found.append(Point(step, turn, name, list(names[: at + 1]).count(name), "before"))
    return found


def singles(scenario: str, record: Record) -> list[Plan]:
    """A death at every place, alone: before each call of an invocation, and after its last. After one call is before
    the next: a process takes nothing with it, and others see only its calls."""
    found = []
    for step, turn, names in record:
        here = calls([(step, turn, names)])
        found += [*here, *(replace(last, what="after") for last in here[-1:])]
    return [Plan(scenario, (one,)) for one in found]


def pair(scenario: str, record: Record, chance: random.Random) -> Plan:
    """A death, and something else that happens later: in what the play does anyhow, or in the invocation that repeats
    the one that died. Or, as often, something else alone or twice."""
    found = calls(record)
    first = chance.randrange(len(found))
    second = found[chance.randrange(first, len(found))]
    one = replace(found[first], what=_any(found[first], chance) if chance.random() < 0.3 else chance.choice(DEATHS))
    if second.step == one.step and (second.turn > one.turn or second.call == one.call or chance.random() < 0.5):
        second = replace(second, turn=second.turn + 1)  # the invocation that died is counted, too
    elif chance.random() < 0.25:
        same = [each for each in found if (each.step, each.turn) == (one.step, one.turn)]
        second = replace(chance.choice(same), turn=one.turn + 1)
    return Plan(scenario, (one, replace(second, what=_any(second, chance))))


def _any(at: Point, chance: random.Random) -> str:
    kinds = [*DEATHS, *DEATHS, *FAULTS, *MEANWHILE]
    if not at.call.startswith(AWS):
        kinds.remove("again")
    if at.step == "plan" and at.call.startswith("GitHub."):
        kinds.remove("throttle")  # the person is told when to ask again, and nothing begins
    return chance.choice(kinds)


def pairs(records: Mapping[str, Record], seed: str) -> Iterator[Plan]:
    """Pairs without end, of each scenario as many as of the others, none twice."""
    chance, known = random.Random(seed), set[Plan]()  # noqa: S311 - a test's
    while True:
        for scenario, record in records.items():
            made = pair(scenario, record, chance)
            if made not in known:
                known.add(made)
                yield made
