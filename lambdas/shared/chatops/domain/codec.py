"""Versions of what is stored: every table row, plan and execution input that is read passes through here.

Each carries the number of the schema that wrote it. The current number passes unchanged; an older one is brought up by
pure steps, one a number; a number that no step leads from (newer, or unknown) raises UnknownSchema and changes nothing.

To change what is written: raise `SCHEMA`, add the step from the number before to the mapping it concerns, and keep
samples of the old number in `tests/samples/schema-<number>/`. Releases never expire, so no step is ever removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatops.errors import UnknownSchema

SCHEMA = 1
"""The version of execution inputs, plans and table rows."""

Json = dict[str, Any]
Steps = Mapping[int, Callable[[Json], Json]]
"""From a number, the pure function that returns the same data as the next number writes it."""

_ROWS: Steps = {}
_PLANS: Steps = {}
_REQUESTS: Steps = {}


def upgraded(found: Mapping[str, Any], place: str, steps: Steps, current: int = SCHEMA) -> Json:
    """A copy of `found` as schema `current` writes it. Data without a number counts as current: a person typed it.
    Raises UnknownSchema, which names `place`, where `steps` do not lead from its number to `current`."""
    number = found.get("schema", current)
    if isinstance(number, bool) or not isinstance(number, int):
        raise _unknown(place, repr(number), steps, current)
    if number > current or any(n not in steps for n in range(number, current)):
        raise _unknown(place, str(number), steps, current)
    made = dict(found)
    for n in range(number, current):
        made = {**steps[n](made), "schema": n + 1}
    return made


def _unknown(place: str, number: str, steps: Steps, current: int) -> UnknownSchema:
    oldest = min(steps, default=current)
    return UnknownSchema(place, number[:20], f"{oldest}-{current}" if oldest < current else str(current))


def row(found: Mapping[str, Any]) -> Json:
    """A row of the table as this version writes it. Raises UnknownSchema."""
    pk, sk = str(found.get("pk", "")), str(found.get("sk", ""))
    # a ticket's key is its hash; which deployment a row of the target's belongs to stands in its sk
    place = sk if pk.startswith(("TICKET#", "TARGET#")) else f"{pk.rpartition('#')[2]} {sk}"
    return upgraded(found, place, _ROWS)


def plan(found: Mapping[str, Any]) -> Json:
    """A plan, from the state or a record, as this version makes it. Raises UnknownSchema."""
    return upgraded(found, "plan", _PLANS)


def request(found: Mapping[str, Any]) -> Json:
    """An execution's input. Raises UnknownSchema."""
    return upgraded(found, "input", _REQUESTS)


def event(found: Mapping[str, Any]) -> Json:
    """A step's event, or one kept for the outbox, with the plan in its state brought up. Raises UnknownSchema."""
    state = found.get("state")
    if not isinstance(state, Mapping) or not isinstance(state.get("plan"), Mapping) or not state["plan"]:
        return dict(found)
    return {**found, "state": {**state, "plan": plan(state["plan"])}}
